# shellcheck shell=bash
# `./dev up --redis`: two servers on one Redis, two edges, the site, and nginx in front on one port.
# Part of ./dev.
#
# Of servers and edges there are two. One that is gone stays away, so that one can see the other
# serve alone. Of Redis, nginx and the site there is one each: it is started again at once, as
# systemd does it on a server.

NGINX=/usr/sbin/nginx
RESTART_SECONDS_MIN=5  # one that ends sooner after its start than this is not started again

# Where each listens; set by settle_addresses.
REDIS_AT=
NGINX_AT=
SITE_AT=
SERVERS=()
SERVER_ADMINS=()
EDGES=()
EDGE_ADMINS=()

REDIS_DATA=
declare -A STARTED=()  # NAME → $SECONDS at its last start, of those that are started again

up_redis() {
  [ -z "${SEATLOCK_STORE:-}" ] || die "--redis brings its own store: unset SEATLOCK_STORE"
  # They are for a Redis with users; this one has none, and listens to this machine alone.
  unset SEATLOCK_REDIS_USER SEATLOCK_REDIS_PASSWORD
  local site_listen=${SEATLOCK_SITE_LISTEN:-127.0.0.1:3000}
  prepare_site "$site_listen"
  install_unstarted redis-server nginx
  build_programs
  build_site
  settle_addresses "$site_listen"
  REDIS_DATA=${SEATLOCK_DATA:-./var}/redis
  mkdir -p "$REDIS_DATA"
  settle_tokens "${SEATLOCK_DATA:-./var}"
  write_nginx_files "$(nginx_folder)"

  trap 'STOPPING=yes' INT TERM
  trap 'stop_all || true' EXIT
  local step
  for step in start_redis init_store start_servers start_edges start_redis_site start_nginx; do
    [ -z "$STOPPING" ] || return 0
    "$step"
  done
  [ -z "$STOPPING" ] || return 0
  announce_redis
  watch_redis
}

settle_addresses() { # SITE_LISTEN
  SITE_AT=$1
  REDIS_AT=${SEATLOCK_REDIS_LISTEN:-127.0.0.1:6380}
  NGINX_AT=${SEATLOCK_NGINX_LISTEN:-127.0.0.1:8000}
  SERVERS=("$(setting seatlockd listen)" "${SEATLOCK_LISTEN_2:-127.0.0.1:50052}")
  SERVER_ADMINS=("$(setting seatlockd admin-listen)" "${SEATLOCK_ADMIN_LISTEN_2:-127.0.0.1:9103}")
  EDGES=("$(setting seatlock-edge listen)" "${SEATLOCK_EDGE_LISTEN_2:-127.0.0.1:8081}")
  EDGE_ADMINS=(
    "$(setting seatlock-edge admin-listen)" "${SEATLOCK_EDGE_ADMIN_LISTEN_2:-127.0.0.1:9104}"
  )
  settle Redis SEATLOCK_REDIS_LISTEN "$REDIS_AT"
  settle nginx SEATLOCK_NGINX_LISTEN "$NGINX_AT"
  settle seatlockd SEATLOCK_LISTEN "${SERVERS[0]}"
  settle seatlockd-2 SEATLOCK_LISTEN_2 "${SERVERS[1]}"
  settle seatlockd SEATLOCK_ADMIN_LISTEN "${SERVER_ADMINS[0]}"
  settle seatlockd-2 SEATLOCK_ADMIN_LISTEN_2 "${SERVER_ADMINS[1]}"
  settle seatlock-edge SEATLOCK_EDGE_LISTEN "${EDGES[0]}"
  settle seatlock-edge-2 SEATLOCK_EDGE_LISTEN_2 "${EDGES[1]}"
  settle seatlock-edge SEATLOCK_EDGE_ADMIN_LISTEN "${EDGE_ADMINS[0]}"
  settle seatlock-edge-2 SEATLOCK_EDGE_ADMIN_LISTEN_2 "${EDGE_ADMINS[1]}"
}

settle() { # PROGRAM VARIABLE ADDRESS
  require_address "$2" "$3"
  require_free "$1" "$2" "$3"
}

# --- Redis and the store ------------------------------------------------------------------------

# The settings of deploy/redis, without its replica.
start_redis() {
  STARTED[Redis]=$SECONDS
  run Redis store redis-server "$PWD/deploy/redis/seatlock-strict.conf" \
    --bind "$(redis_host)" --port "${REDIS_AT##*:}" --dir "$REDIS_DATA" --save "" \
    --min-replicas-to-write 0 --logfile redis.log
  await_ready Redis redis_answers "$REDIS_DATA/redis.log"
}

redis_cli() { redis-cli -h "$(redis_host)" -p "${REDIS_AT##*:}" "$@" 2>/dev/null; }
redis_answers() { [ "$(redis_cli ping)" = PONG ]; }
redis_host() { sed 's/:[0-9]*$//; s/[][]//g' <<<"$REDIS_AT"; }
redis_store() { echo "redis://$REDIS_AT"; }

# Where operators say it themselves: an empty Redis that was full yesterday is not a new store.
init_store() {
  [ "$(redis_cli dbsize)" = 0 ] || return 0
  "$BIN/seatlockd" store init "--store=$(redis_store)" || die "the store could not be made"
}

# --- servers, edges, the site -------------------------------------------------------------------

server_list() { (IFS=, && echo "${SERVERS[*]}"); }

start_servers() {
  local i names=(seatlockd seatlockd-2)
  for i in 0 1; do
    run "${names[i]}" server "$BIN/seatlockd" "--store=$(redis_store)" \
      "--listen=${SERVERS[i]}" "--admin-listen=${SERVER_ADMINS[i]}"
  done
  for i in 0 1; do await_ready "${names[i]}" answers "http://${SERVER_ADMINS[i]}/readyz"; done
}

start_edges() {
  local i names=(seatlock-edge seatlock-edge-2)
  for i in 0 1; do
    run "${names[i]}" edge "$BIN/seatlock-edge" "--upstream=$(server_list)" \
      "--listen=${EDGES[i]}" "--admin-listen=${EDGE_ADMINS[i]}" \
      "--trusted-proxies=127.0.0.1/32,::1/128"
  done
  for i in 0 1; do await_ready "${names[i]}" answers "http://${EDGE_ADMINS[i]}/readyz"; done
}

start_redis_site() {
  STARTED["the site"]=$SECONDS
  export SEATLOCK_SITE_TRUSTED_PROXIES=${SEATLOCK_SITE_TRUSTED_PROXIES:-127.0.0.1/32}
  start_site "$SITE_AT" "$(server_list)" "${SEATLOCK_DATA:-./var}"
}

# --- nginx --------------------------------------------------------------------------------------

nginx_folder() { (cd "$REDIS_DATA/.." && mkdir -p nginx && cd nginx && pwd); }

replace_once() { # FILE FROM TO, in the text on stdin; FROM must be there once
  local text
  text=$(cat)
  [ "$(grep -cF -- "$2" <<<"$text")" = 1 ] || die "deploy/nginx/$1 should have '$2' once"
  printf '%s\n' "${text/"$2"/"$3"}"
}

ours() { cat "deploy/nginx/$1"; }

# The files of deploy/nginx, laid out as on a server, with other addresses.
write_nginx_files() { # FOLDER
  local place places=
  mkdir -p "$1/snippets" "$1/sites-enabled" "$1/conf.d"
  ours seatlock.conf | replace_once seatlock.conf "listen 80;" "listen $NGINX_AT;" |
    replace_once seatlock.conf 127.0.0.1:3000 "$SITE_AT" >"$1/sites-enabled/seatlock.conf"
  ours seat-updates.conf |
    replace_once seat-updates.conf http://localhost:8080 http://seatlock_edges \
      >"$1/snippets/seat-updates.conf"
  ours seatlock-edges.conf |
    replace_once seatlock-edges.conf "server 127.0.0.1:8080 " "server ${EDGES[0]} " |
    replace_once seatlock-edges.conf "server 127.0.0.1:8081 " "server ${EDGES[1]} " \
      >"$1/conf.d/seatlock-edges.conf"
  for place in client_body proxy fastcgi uwsgi scgi; do
    places+="    ${place}_temp_path ${place};"$'\n'
  done
  # One process, so that who kills it kills all of it.
  cat >"$1/nginx.conf" <<TEXT
daemon off;
master_process off;
pid nginx.pid;
error_log nginx.log warn;
events { worker_connections 1024; }
http {
    access_log off;
$places    include conf.d/seatlock-edges.conf;
    include sites-enabled/seatlock.conf;
}
TEXT
}

start_nginx() {
  STARTED[nginx]=$SECONDS
  local folder
  folder=$(nginx_folder)
  run nginx front "$NGINX" -p "$folder" -c "$folder/nginx.conf" -e nginx.log
  await_ready nginx answers "http://$NGINX_AT/"
}

# --- watching them ------------------------------------------------------------------------------

# Until Ctrl-C, or until something is missing without which nothing works.
watch_redis() {
  local name
  while true; do
    await_end
    [ -z "$STOPPING" ] || return 0
    name=$(first_gone)
    case ${KIND[$name]} in
      server) lose "$name" "the edges and the site ask the other server" ;;
      edge) lose "$name" "its pages come back through nginx to the other edge" ;;
      store) start_again "$name" start_redis "nothing is sold meanwhile, and nothing is lost" ;;
      front) start_again "$name" start_nginx "pages keep trying until it is there" ;;
      site) start_again "$name" start_redis_site "pages still see all changes meanwhile" ;;
    esac
  done
}

how_it_ended() { # NAME: takes it out of the table, and says how
  local code=0
  wait "${PID[$1]}" || code=$?
  forget "$1"
  case $code in
    137) say "$1 is gone: it was killed" ;;
    *) say "$1 is gone, with code $code" ;;
  esac
}

lose() { # NAME WHAT_GOES_ON
  local kind=${KIND[$1]}
  how_it_ended "$1"
  [ -n "$(of_kind "$kind")" ] || die "there is no other ${1%-2}: that is the end"
  say "$2"
}

start_again() { # NAME COMMAND WHAT_IS_MEANWHILE
  how_it_ended "$1"
  [ $((SECONDS - STARTED[$1])) -ge "$RESTART_SECONDS_MIN" ] ||
    die "$1 ended within $RESTART_SECONDS_MIN s of its start: that is the end"
  say "$1 is started again; $3"
  "$2"
  [ -n "$STOPPING" ] || say "$1 is back, pid ${PID[$1]}"
}

# --- what is said -------------------------------------------------------------------------------

announce_line() { printf '  %-17s pid %-8s %s\n' "$1" "${PID[$1]}" "$2"; }

announce_redis() {
  printf '\nSeatLock is up, on several servers; Ctrl-C ends it.\n'
  announce_line nginx "http://$NGINX_AT: the site and the edges"
  announce_line "the site" "http://$SITE_AT"
  announce_line seatlock-edge "ws://${EDGES[0]}, admin on http://${EDGE_ADMINS[0]}"
  announce_line seatlock-edge-2 "ws://${EDGES[1]}, admin on http://${EDGE_ADMINS[1]}"
  announce_line seatlockd "gRPC on ${SERVERS[0]}, admin on http://${SERVER_ADMINS[0]}"
  announce_line seatlockd-2 "gRPC on ${SERVERS[1]}, admin on http://${SERVER_ADMINS[1]}"
  announce_line Redis "$REDIS_AT, data in $REDIS_DATA"
  printf '\n'
  announce_pages "$(reached_at "$NGINX_AT")"
  cat <<TEXT

Then, in another terminal, kill one and go on choosing seats:
  kill -9 ${PID[seatlockd]}     a server: the other one serves all showtimes
  kill -9 ${PID[seatlock-edge]}     an edge: its pages come back through the other one
  kill -9 ${PID[Redis]}     Redis: nothing is sold until it is started again, which is at once
Or watch and change seats from there:
  $BIN/seatctl --server=$(server_list) watch 123
  $BIN/seatctl --server=$(server_list) lock 123 A06 A07 --session alice

TEXT
}
