# shellcheck shell=bash
# Starts everything, and ends it. Part of ./dev. What --redis starts is in up_redis.sh.

BIN=build/release/bin
SITE_STOP_SECONDS=8
STOPPING=

# The programs that were started, by name, in that order. A program that is gone and is not missed
# is taken out.
PROGRAMS=()
declare -A PID=()
declare -A KIND=()  # edge, site, front, server or store

# The order in which they end. The edges before the servers, so that browsers hear of it from the
# edge and not from a server that is gone; what the servers need after them.
STOP_ORDER=(edge site front server store)

setting() { # PROGRAM NAME [FLAG...]: the value that the program would use
  local program=$1 name=$2
  shift 2
  "$BIN/$program" "$@" --print-config | sed -n "s/^$name=//p"
}

# --- the table of programs ----------------------------------------------------------------------

# In a session of its own, so that Ctrl-C reaches it once, through this script.
run() { # NAME KIND COMMAND...
  local name=$1 kind=$2
  shift 2
  setsid "$@" &
  PID[$name]=$!
  KIND[$name]=$kind
  PROGRAMS+=("$name")
}

alive() { [ -n "${PID[$1]:-}" ] && kill -0 "${PID[$1]}" 2>/dev/null; }  # NAME

of_kind() { # KIND: the names, a line each
  local name
  for name in "${PROGRAMS[@]}"; do
    [ "${KIND[$name]}" != "$1" ] || printf '%s\n' "$name"
  done
}

forget() { # NAME
  local name kept=()
  for name in "${PROGRAMS[@]}"; do
    [ "$name" = "$1" ] || kept+=("$name")
  done
  PROGRAMS=("${kept[@]}")
  unset "PID[$1]" "KIND[$1]"
}

first_gone() { # the first that does not run, if there is one
  local name
  for name in "${PROGRAMS[@]}"; do
    alive "$name" || { printf '%s\n' "$name" && return; }
  done
}

await_end() { # until one of them ends, or Ctrl-C
  while [ -z "$STOPPING" ] && [ -z "$(first_gone)" ]; do
    wait -n "${PID[@]}" 2>/dev/null || true
  done
}

# --- ending them --------------------------------------------------------------------------------

term() { # NAME...
  local name
  for name in "$@"; do
    if alive "$name"; then kill -TERM "${PID[$name]}" 2>/dev/null || true; fi
  done
}

await_one() { # NAME: its exit code
  local code=0
  wait "${PID[$1]}" || code=$?
  # A second Ctrl-C ended the wait, and the program.
  while alive "$1"; do wait "${PID[$1]}" || code=$?; done
  return "$code"
}

# Next says 143 where SIGTERM ended it as it should. It has no limit of its own to how long a
# reader may take, so it is given one.
await_site() { # NAME
  local code=0 deadline=$((SECONDS + SITE_STOP_SECONDS))
  while alive "$1" && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1 || true; done
  if alive "$1"; then
    say "$1 still has readers after $SITE_STOP_SECONDS s: it is killed"
    kill -KILL "${PID[$1]}"
  fi
  wait "${PID[$1]}" || code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq 143 ]
}

stop_kind() { # KIND: SIGTERM to all of it, then each one's exit code
  local names=() name code=0
  mapfile -t names < <(of_kind "$1")
  term "${names[@]}"
  for name in "${names[@]}"; do
    if [ "$1" = site ]; then await_site "$name" || code=1; else await_one "$name" || code=1; fi
  done
  return "$code"
}

# The site ends beside the edges; the servers are there until its calls are answered.
stop_all() {
  local code=0 kind sites=()
  # A second Ctrl-C is a second SIGTERM: the programs end at once.
  trap 'term "${PROGRAMS[@]}"' INT TERM
  mapfile -t sites < <(of_kind site)
  term "${sites[@]}"
  for kind in "${STOP_ORDER[@]}"; do stop_kind "$kind" || code=1; done
  PROGRAMS=()
  return "$code"
}

# --- starting them ------------------------------------------------------------------------------

require_address() { # VARIABLE ADDRESS
  local port=${2##*:}
  if ! [[ $2 =~ ^[^[:space:]]+:[0-9]{1,5}$ ]] || ((10#$port < 1 || 10#$port > 65535)); then
    die "$1 wants HOST:PORT, not '$2'"
  fi
}

require_free() { # PROGRAM VARIABLE ADDRESS
  local host=${3%:*}
  host=${host//[\[\]]/}
  [ "$host" = 0.0.0.0 ] && host=127.0.0.1
  if (exec 3<>"/dev/tcp/$host/${3##*:}") 2>/dev/null; then
    die "$3 is taken, and $1 wants it: end what has it (another ./dev up?), or set $2"
  fi
}

answers() { # URL
  curl -fsS -o /dev/null --noproxy "*" --max-time 2 "$1" 2>/dev/null
}

await_ready() { # NAME COMMAND...: until the command is content
  local name=$1 deadline=$((SECONDS + 30))
  shift
  until "$@"; do
    alive "$name" || die "$name ended before it was ready: its reason is above"
    [ "$SECONDS" -lt "$deadline" ] || die "$name is not ready after 30 s: see ${*: -1}"
    [ -n "$STOPPING" ] && return
    sleep 0.1 || true  # Ctrl-C ends it too
  done
  alive "$name" || die "$name ended: its reason is above"
}

# The file that site and edges share: the site signs tokens with the secret in it, and edges check
# them. Whoever names a file of his own for the edge has given the site one too.
settle_tokens() { # DATA
  if [ -n "$(setting seatlock-edge token-jwks)" ]; then return; fi
  local file draft
  file=$(cd "$1" && pwd)/token-jwks.json
  draft=$file.$$
  if [ ! -e "$file" ]; then
    (umask 077 && write_token_keys >"$draft")
    mv "$draft" "$file"
  fi
  export SEATLOCK_EDGE_TOKEN_JWKS=$file SEATLOCK_EDGE_REQUIRE_TOKEN=true SEATLOCK_TOKEN_JWKS=$file
}

write_token_keys() { # a JWKS with one secret of 32 random bytes
  local secret
  secret=$(head -c 32 /dev/urandom | base64 -w 0 | tr '+/' '-_' | tr -d =)
  printf '{"keys":[{"kty":"oct","alg":"HS256","use":"sig","kid":"1","k":"%s"}]}\n' "$secret"
}

start_site() { # LISTEN UPSTREAM DATA
  local host=${1%:*}
  host=${host//[\[\]]/}
  export SEATLOCK_SITE_DB=${SEATLOCK_SITE_DB:-$3/site.db}
  export SEATLOCK_SITE_UPSTREAM=${SEATLOCK_SITE_UPSTREAM:-$2}
  export SEATLOCK_DEMO_SHOPPERS=${SEATLOCK_DEMO_SHOPPERS:-1}
  export NEXT_TELEMETRY_DISABLED=1
  # Node itself and not npm, so that the signal reaches the server.
  run "the site" site node "$NEXT" start "$SITE" -H "$host" -p "${1##*:}" >/dev/null
  await_ready "the site" answers "http://$1/"
}

# Where a program listens everywhere, this machine's browsers reach it here.
reached_at() { # LISTEN
  if [ "${1%:*}" = 0.0.0.0 ]; then echo "127.0.0.1:${1##*:}"; else echo "$1"; fi
}

prepare_site() { # LISTEN; before the build, which would take its files from under a site that runs
  require_address SEATLOCK_SITE_LISTEN "$1"
  require_free "the site" SEATLOCK_SITE_LISTEN "$1"
}

build_programs() {
  install_packages "${BUILD_PACKAGES[@]}"
  # The tests are left out: they need packages that running does not.
  [ -f build/release/build.ninja ] || cmake --preset release -DSEATLOCK_TESTS="$(has_tests)"
  build release seatlockd seatlock-edge seatctl
}

up() {
  local site=yes redis=
  while [ $# -gt 0 ]; do
    case $1 in
      --no-site) site= ;;
      --redis) redis=yes ;;
      *) die "up knows --no-site and --redis, not '$1'" ;;
    esac
    shift
  done
  if [ -n "$redis" ]; then
    [ -n "$site" ] || die "--redis shows the site behind nginx: leave out --no-site"
    up_redis
  else
    up_single "$site"
  fi
  say "draining"
  stop_all || die "did not end well: the reason is above"
  say "all have ended"
}

# One server on a store of its own, one edge, and the site unless it is left out.
up_single() { # SITE
  local site_listen=${SEATLOCK_SITE_LISTEN:-127.0.0.1:3000}
  [ -z "$1" ] || prepare_site "$site_listen"
  build_programs
  [ -z "$1" ] || build_site

  local data=${SEATLOCK_DATA:-./var} store_flag=()
  mkdir -p "$data"
  [ -z "$1" ] || settle_tokens "$data"
  [ -n "${SEATLOCK_STORE:-}" ] || store_flag=("--store=sqlite:$data/seatlock.db")
  local listen admin edge_listen edge_admin store upstream
  listen=$(setting seatlockd listen)
  admin=$(setting seatlockd admin-listen)
  store=$(setting seatlockd store "${store_flag[@]}")
  edge_listen=$(setting seatlock-edge listen)
  edge_admin=$(setting seatlock-edge admin-listen)
  upstream=${SEATLOCK_EDGE_UPSTREAM:-$listen}
  require_free seatlockd SEATLOCK_LISTEN "$listen"
  require_free seatlockd SEATLOCK_ADMIN_LISTEN "$admin"
  require_free seatlock-edge SEATLOCK_EDGE_LISTEN "$edge_listen"
  require_free seatlock-edge SEATLOCK_EDGE_ADMIN_LISTEN "$edge_admin"

  trap 'STOPPING=yes' INT TERM
  trap 'stop_all || true' EXIT
  run seatlockd server "$BIN/seatlockd" "${store_flag[@]}"
  await_ready seatlockd answers "http://$admin/readyz"
  [ -z "$STOPPING" ] || return 0
  run seatlock-edge edge "$BIN/seatlock-edge" "--upstream=$upstream"
  await_ready seatlock-edge answers "http://$edge_admin/readyz"
  if [ -n "$1" ] && [ -z "$STOPPING" ]; then
    local edge
    edge=$(reached_at "$edge_listen")
    export WEBSOCKET_SERVER_URL=${WEBSOCKET_SERVER_URL:-ws://$edge/ws/seat-updates}
    start_site "$site_listen" "$upstream" "$data"
  fi
  [ -z "$STOPPING" ] || return 0
  announce "$listen" "$admin" "$store" "$edge_listen" "$edge_admin" "${1:+$site_listen}"
  watch_single
}

# Until Ctrl-C. A program that ends by itself ends the others too.
watch_single() {
  await_end
  [ -z "$STOPPING" ] || return 0
  local name
  name=$(first_gone)
  local code=0
  wait "${PID[$name]}" || code=$?
  die "$name ended by itself with code $code (137: it was killed); what it said is above"
}

# --- what is said -------------------------------------------------------------------------------

announce_pages() { # ADDRESS
  if [ "$SEATLOCK_DEMO_SHOPPERS" != 1 ]; then
    printf 'Open:\n  http://%s/showtimes/123\n' "$1"
    return
  fi
  cat <<TEXT
Open these two side by side, each a shopper of its own:
  http://$1/showtimes/123
  http://$1/showtimes/123?as=bob
TEXT
}

announce_site() { # LISTEN
  local site
  site=$(reached_at "$1")
  printf '  the site        http://%s\n\n' "$site"
  announce_pages "$site"
}

announce() { # LISTEN ADMIN STORE EDGE_LISTEN EDGE_ADMIN SITE_LISTEN
  local server=
  [ "$1" = 127.0.0.1:50051 ] || server=" --server=$1"
  cat <<TEXT

SeatLock is up; Ctrl-C ends it.
  seatlockd       gRPC on $1, admin on http://$2, store $3
  seatlock-edge   ws://$4/ws/seat-updates, admin on http://$5
TEXT
  [ -z "$6" ] || announce_site "$6"
  cat <<TEXT

Try, in two other terminals:
  $BIN/seatctl$server watch 123
  $BIN/seatctl$server lock 123 A06 A07 --session alice

TEXT
}
