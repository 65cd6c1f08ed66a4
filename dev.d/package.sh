# shellcheck shell=bash
# The Debian packages. Part of ./dev.

PACKAGE_PACKAGES=(dpkg-dev file)

# Into build/release/packages, from the release build.
package() {
  install_packages "${PACKAGE_PACKAGES[@]}"
  build_release package_files
  rm -f build/release/packages/*.deb
  (cd build/release && cpack --config CPackConfig.cmake) >build/release/package.log 2>&1 || {
    cat build/release/package.log >&2
    die "cpack failed"
  }
  ls -1 build/release/packages/*.deb
}
