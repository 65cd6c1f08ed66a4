# shellcheck shell=bash
# Starts everything, and ends it. Part of ./dev.

BIN=build/release/bin
SERVICE_PID=
EDGE_PID=
SITE_PID=
SITE_STOP_SECONDS=8
STOPPING=

setting() { # PROGRAM NAME [FLAG...]: the value that the program would use
  local program=$1 name=$2
  shift 2
  "$BIN/$program" "$@" --print-config | sed -n "s/^$name=//p"
}

alive() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }

stop_one() { # PID: SIGTERM, then its exit code
  local code=0
  if alive "$1"; then kill -TERM "$1"; fi
  wait "$1" || code=$?
  # A second Ctrl-C ended the wait, and the program.
  while alive "$1"; do wait "$1" || code=$?; done
  return "$code"
}

# Next says 143 where SIGTERM ended it as it should. It has no limit of its own to how long a
# reader may take, so it is given one.
stop_site() {
  local code=0 deadline=$((SECONDS + SITE_STOP_SECONDS))
  while alive "$SITE_PID" && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1 || true; done
  if alive "$SITE_PID"; then
    say "the site still has readers after $SITE_STOP_SECONDS s: it is killed"
    kill -KILL "$SITE_PID"
  fi
  wait "$SITE_PID" || code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq 143 ]
}

# The edge before the service, so that its browsers hear of it from the edge and not from a service
# that is gone. The site ends beside the edge; the service is there until its calls are answered.
stop_all() {
  local code=0
  # A second Ctrl-C is a second SIGTERM: the programs end at once.
  # shellcheck disable=SC2086
  trap 'kill -TERM $SITE_PID $EDGE_PID $SERVICE_PID 2>/dev/null || true' INT TERM
  if alive "$SITE_PID"; then kill -TERM "$SITE_PID"; fi
  if [ -n "$EDGE_PID" ]; then stop_one "$EDGE_PID" || code=1; fi
  if [ -n "$SITE_PID" ]; then stop_site || code=1; fi
  if [ -n "$SERVICE_PID" ]; then stop_one "$SERVICE_PID" || code=1; fi
  SITE_PID=
  EDGE_PID=
  SERVICE_PID=
  return "$code"
}

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

await_ready() { # PROGRAM PID URL
  local deadline=$((SECONDS + 30))
  until curl -fsS -o /dev/null --noproxy "*" --max-time 2 "$3" 2>/dev/null; do
    alive "$2" || die "$1 ended before it was ready: its reason is above"
    [ "$SECONDS" -lt "$deadline" ] || die "$1 is not ready after 30 s: see $3"
    [ -n "$STOPPING" ] && return
    sleep 0.1 || true  # Ctrl-C ends it too
  done
  alive "$2" || die "$1 ended: its reason is above"
}

start_site() { # LISTEN UPSTREAM EDGE_LISTEN DATA
  local host=${1%:*} edge=$3
  host=${host//[\[\]]/}
  # Where the edge listens everywhere, this machine's browsers reach it here.
  [ "${edge%:*}" = 0.0.0.0 ] && edge=127.0.0.1:${edge##*:}
  export SEATLOCK_SITE_DB=${SEATLOCK_SITE_DB:-$4/site.db}
  export SEATLOCK_SITE_UPSTREAM=${SEATLOCK_SITE_UPSTREAM:-$2}
  export SEATLOCK_DEMO_SHOPPERS=${SEATLOCK_DEMO_SHOPPERS:-1}
  export WEBSOCKET_SERVER_URL=${WEBSOCKET_SERVER_URL:-ws://$edge/ws/seat-updates}
  export NEXT_TELEMETRY_DISABLED=1
  # Node itself and not npm, so that the signal reaches the server.
  setsid node "$NEXT" start "$SITE" -H "$host" -p "${1##*:}" >/dev/null &
  SITE_PID=$!
}

up() {
  local site=yes
  while [ $# -gt 0 ]; do
    case $1 in
      --no-site) site= ;;
      *) die "up knows --no-site, not '$1'" ;;
    esac
    shift
  done
  local site_listen=${SEATLOCK_SITE_LISTEN:-127.0.0.1:3000}
  if [ -n "$site" ]; then
    require_address SEATLOCK_SITE_LISTEN "$site_listen"
    # Before the build, which would take its files from under a site that runs.
    require_free "the site" SEATLOCK_SITE_LISTEN "$site_listen"
  fi
  install_packages "${BUILD_PACKAGES[@]}"
  # The tests are left out: they need packages that running does not.
  [ -f build/release/build.ninja ] || cmake --preset release -DSEATLOCK_TESTS="$(has_tests)"
  build release seatlockd seatlock-edge seatctl
  [ -z "$site" ] || build_site

  local data=${SEATLOCK_DATA:-./var} store_flag=()
  mkdir -p "$data"
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

  # In sessions of their own, so that Ctrl-C reaches them once, through this script.
  trap 'STOPPING=yes' INT TERM
  trap 'stop_all || true' EXIT
  setsid "$BIN/seatlockd" "${store_flag[@]}" &
  SERVICE_PID=$!
  await_ready seatlockd "$SERVICE_PID" "http://$admin/readyz"
  setsid "$BIN/seatlock-edge" "--upstream=$upstream" &
  EDGE_PID=$!
  await_ready seatlock-edge "$EDGE_PID" "http://$edge_admin/readyz"
  if [ -n "$site" ] && [ -z "$STOPPING" ]; then
    start_site "$site_listen" "$upstream" "$edge_listen" "$data"
    await_ready "the site" "$SITE_PID" "http://$site_listen/"
  fi
  if [ -z "$STOPPING" ]; then
    announce "$listen" "$admin" "$store" "$edge_listen" "$edge_admin" "${site:+$site_listen}"
  fi
  watch_all
  say "draining"
  stop_all || die "did not end well: the reason is above"
  say "all have ended"
}

# Until Ctrl-C. A program that ends by itself ends the others too.
watch_all() {
  while [ -z "$STOPPING" ] && alive "$SERVICE_PID" && alive "$EDGE_PID" &&
    { [ -z "$SITE_PID" ] || alive "$SITE_PID"; }; do
    # shellcheck disable=SC2086
    wait -n "$SERVICE_PID" "$EDGE_PID" $SITE_PID 2>/dev/null || true
  done
  [ -z "$STOPPING" ] || return 0
  local program="the site" pid=$SITE_PID code=0
  if ! alive "$EDGE_PID"; then program=seatlock-edge pid=$EDGE_PID; fi
  if ! alive "$SERVICE_PID"; then program=seatlockd pid=$SERVICE_PID; fi
  wait "$pid" || code=$?
  die "$program ended by itself with code $code (137: it was killed); what it said is above"
}

announce_site() { # LISTEN
  # Where it listens everywhere, this machine's browsers reach it here.
  local site=$1
  [ "${site%:*}" = 0.0.0.0 ] && site=127.0.0.1:${site##*:}
  printf '  the site        http://%s\n\n' "$site"
  if [ "$SEATLOCK_DEMO_SHOPPERS" != 1 ]; then
    printf 'Open:\n  http://%s/showtimes/123\n' "$site"
    return
  fi
  cat <<TEXT
Open these two side by side, each a shopper of its own:
  http://$site/showtimes/123
  http://$site/showtimes/123?as=bob
TEXT
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
