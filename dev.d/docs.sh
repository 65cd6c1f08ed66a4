# shellcheck shell=bash
# The docs site. Part of ./dev.

DOCS_SITE=docs/site

VITEPRESS=$DOCS_SITE/node_modules/vitepress/bin/vitepress.js

docs() {
  case ${1:-} in
    '') serve_docs "${SEATLOCK_DOCS_LISTEN:-127.0.0.1:5173}" ;;
    --build) build_docs ;;
    *) die "docs knows --build, not '$1'" ;;
  esac
}

serve_docs() { # LISTEN
  require_address SEATLOCK_DOCS_LISTEN "$1"
  require_free "the docs site" SEATLOCK_DOCS_LISTEN "$1"
  prepare_docs_site
  exec node "$VITEPRESS" dev "$DOCS_SITE" --host "${1%:*}" --port "${1##*:}" --strictPort
}

build_docs() {
  prepare_docs_site
  npx --no-install tsc -p "$DOCS_SITE" || die "the docs site's own code has mistakes"
  node "$VITEPRESS" build "$DOCS_SITE"
  say "the site is in build/docs"
}

prepare_docs_site() {
  install_npm
  locked install_docs_site
}

install_docs_site() {
  [ "$DOCS_SITE/node_modules/.package-lock.json" -nt "$DOCS_SITE/package-lock.json" ] && return
  say "installing what the docs site needs"
  (cd "$DOCS_SITE" && npm_ci)
}
