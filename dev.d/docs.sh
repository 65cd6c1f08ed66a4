# shellcheck shell=bash
# The docs site. Part of ./dev.

DOCS_SITE=docs/site

docs() {
  local vitepress=$DOCS_SITE/node_modules/vitepress/bin/vitepress.js
  install_npm
  locked install_docs_site
  case ${1:-} in
    '')
      local listen=${SEATLOCK_DOCS_LISTEN:-127.0.0.1:5173}
      exec node "$vitepress" dev "$DOCS_SITE" --host "${listen%:*}" --port "${listen##*:}" \
        --strictPort
      ;;
    --build)
      npx --no-install tsc -p "$DOCS_SITE" || die "the docs site's own code has mistakes"
      node "$vitepress" build "$DOCS_SITE"
      say "the site is in build/docs"
      ;;
    *) die "docs knows --build, not '$1'" ;;
  esac
}

install_docs_site() {
  [ "$DOCS_SITE/node_modules/.package-lock.json" -nt "$DOCS_SITE/package-lock.json" ] && return
  say "installing what the docs site needs"
  (cd "$DOCS_SITE" && npm_ci)
}
