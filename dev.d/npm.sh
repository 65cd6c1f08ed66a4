# shellcheck shell=bash
# Node, the npm packages, and the site that is built with them. Part of ./dev.

NODE_VERSION=22.23.3
NPM_VERSION=10.9.4

node_is_new() { # what the packages and Next need: 20.9 or later
  local version major minor
  version=$(node --version 2>/dev/null) || return 1
  IFS=. read -r major minor _ <<<"${version#v}"
  [ "$major" -gt 20 ] || { [ "$major" -eq 20 ] && [ "$minor" -ge 9 ]; }
}

# Debian 12 has Node 18, and an npm that runs on Debian's Node alone: both come from npm.
use_node() {
  if node_is_new && command -v npm >/dev/null; then return; fi
  local architecture bin=$PWD/build/node/node_modules/.bin
  case $(uname -m) in
    x86_64) architecture=x64 ;;
    aarch64) architecture=arm64 ;;
    *) die "Node 20.9 or later is needed, and npm has none for $(uname -m): install one" ;;
  esac
  if [ "$("$bin/node" --version 2>/dev/null)" != "v$NODE_VERSION" ] || [ ! -x "$bin/npm" ]; then
    command -v npm >/dev/null || install_packages nodejs npm
    say "installing Node $NODE_VERSION into build/node"
    npm install --prefix build/node --no-save --ignore-scripts --no-audit --no-fund \
      --loglevel=error "node-linux-$architecture@$NODE_VERSION" "npm@$NPM_VERSION"
    [ -x "$bin/node" ] || die "npm did not bring Node $NODE_VERSION: install Node 20.9 or later"
  fi
  export PATH=$bin:$PATH
}

npm_ci() { npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; }

install_npm() {
  use_node
  [ node_modules/.package-lock.json -nt package-lock.json ] && return
  npm_ci
}

SITE=clients/demo
NEXT=$SITE/node_modules/next/dist/bin/next

tree_hash() { # PATH...: of the files there that are neither tests nor made from others
  find "$@" \
    \( -name node_modules -o -name dist -o -name gen -o -name .next -o -name var \) -prune -o \
    -type f ! -name '*.test.*' ! -name '*.tsbuildinfo' ! -name next-env.d.ts -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1
}

is_stamped() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }  # FILE STAMP

quietly() { # LOG COMMAND...: what it says is shown where it fails
  local log=$1
  shift
  "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    die "failed: $*"
  }
}

locked() { # COMMAND...: one of these at a time in this checkout
  mkdir -p build/npm
  (
    flock 9
    "$@"
  ) 9>build/npm/lock
}

# The packages as users install them, under names without a version, so that lock files can name
# them. Nothing is done where nothing changed.
pack_clients() {
  install_npm
  locked pack_if_changed
}

pack_if_changed() {
  local out=build/npm stamp name
  stamp=$(tree_hash clients/typescript clients/react proto third_party buf.yaml package-lock.json)
  is_stamped "$out/stamp" "$stamp" && [ -d clients/typescript/dist ] && return
  say "building the npm packages"
  rm -rf "$out/stamp" "$out/new"
  mkdir "$out/new"
  for name in typescript react; do
    quietly "$out/$name.log" npm run build -w "clients/$name"
    quietly "$out/$name.log" \
      npm pack -w "clients/$name" --ignore-scripts --pack-destination "$out/new"
  done
  for name in client react; do
    mv "$out/new/seatlock-$name"-*.tgz "$out/seatlock-$name.tgz"
  done
  rmdir "$out/new"
  echo "$stamp" >"$out/stamp"
}

# The site's lock file names the packed packages without their hashes, which change with each
# build. npm would take new ones only with everything else, so they are put in place here.
install_site() {
  local modules=$SITE/node_modules stamp name
  if ! [ "$modules/.package-lock.json" -nt "$SITE/package-lock.json" ]; then
    say "installing what the site needs"
    (cd "$SITE" && npm_ci)
  fi
  stamp=$(tree_hash build/npm/seatlock-client.tgz build/npm/seatlock-react.tgz)
  is_stamped "$modules/@seatlock/stamp" "$stamp" && return
  rm -f "$modules/@seatlock/stamp"
  for name in client react; do
    rm -rf "$modules/@seatlock/$name"
    mkdir -p "$modules/@seatlock/$name"
    tar -xzf "build/npm/seatlock-$name.tgz" -C "$modules/@seatlock/$name" --strip-components=1
  done
  echo "$stamp" >"$modules/@seatlock/stamp"
}

build_site() {
  pack_clients
  locked build_site_if_changed
}

build_site_if_changed() {
  install_site
  local stamp
  stamp=$(tree_hash "$SITE" build/npm/seatlock-client.tgz build/npm/seatlock-react.tgz)
  is_stamped "$SITE/.next/stamp" "$stamp" && return
  say "building the site"
  rm -f "$SITE/.next/stamp"
  NEXT_TELEMETRY_DISABLED=1 quietly build/npm/site.log node "$NEXT" build "$SITE"
  echo "$stamp" >"$SITE/.next/stamp"
}
