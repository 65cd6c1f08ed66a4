#!/bin/sh
# stage.sh IMAGE PROGRAM...: lays out in /out/IMAGE what its image takes from the build: the
# programs without their debugging information, and the names of the Debian packages whose
# libraries they link. Run in the build stage of the Dockerfile.
set -eu
out=/out/$1
shift
mkdir -p "$out/bin"

# Debian 12's /lib is /usr/lib, and packages name their files either way.
package_of() {
  dpkg-query -S "$1" 2>/dev/null || dpkg-query -S "${1#/usr}" 2>/dev/null || {
    echo "stage.sh: no package has $1" >&2
    exit 1
  }
}

for program in "$@"; do
  strip -o "$out/bin/$program" "build/release/bin/$program"
  ldd "build/release/bin/$program" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' |
    while read -r library; do package_of "$(realpath "$library")"; done
done | cut -d: -f1 | sort -u >"$out/packages"
