#!/usr/bin/env bash
# make.sh DIR [--server NAME|ADDRESS]... [--group GROUP]
# make.sh DIR --rotate key|certificates|authority|token
# make.sh DIR --retire key|authority|token
#
# Makes all secrets of an installation, a folder for whoever takes them:
#
#   authority/  the key that signs certificates: no program needs it, keep it where you run this
#   seatlockd/  server.pem server.key client-ca.pem auth-keys
#   edge/       ca.pem client.pem client.key token token-jwks.json
#   site/       ca.pem client.pem client.key token token-jwks.json cookie-secret
#   admin/      ca.pem client.pem client.key token: for seatctl
#
# --server   what callers call seatlockd, for its certificate [seatlockd localhost 127.0.0.1 ::1]
# --group    who may read the files besides their owner, by name or number: they are 0640, else 0600
#
# A rotation changes nothing for callers that run: what they have is accepted until it is retired.
# docs/security.md has the steps. Files are replaced whole; one that is stopped can be run again.
set -euo pipefail
umask 077

# A little more than eight weeks: a renewal every month has a month of room.
CERTIFICATE_DAYS=60
# The authority signs each renewal, so it must last longer. Below 398 days, as for the others.
AUTHORITY_DAYS=397
CALLERS=(edge site admin)
# Programs look at their files once a second, and take a change after two looks (docs/security.md).
READ_ANEW_SECONDS=3

die() {
  echo "make.sh: $*" >&2
  exit 2
}

usage() {
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
  exit "$1"
}

# What a caller may do (docs/security.md). The edge watches and nothing else.
scopes_of() {
  case $1 in
    edge) echo watch ;;
    site) echo lock,book,watch ;;
    admin) echo lock,book,watch,admin ;;
  esac
}

# --- files ----------------------------------------------------------------------------------------

# Nothing unfinished outlives this script; what is left of one that was killed goes now.
begin() { # FOLDER
  making=$1
  trap 'rm -rf "$making"' EXIT
  trap 'exit 1' HUP INT TERM
  rm -rf "$making"
  mkdir "$making"
}

# put FILE MODE < TEXT: whole or not at all.
put() {
  local file=$root/$1 mode=$2
  mkdir -p "$(dirname "$file")"
  cat >"$making/put"
  if [ -n "$group" ] && [[ $1 != authority/* ]]; then
    chgrp "$group" "$making/put" "$(dirname "$file")" 2>/dev/null ||
      die "cannot give files to the group $group: be root, or one of that group"
    chmod 750 "$(dirname "$file")"
    [ "$mode" != 600 ] || mode=640
  fi
  chmod "$mode" "$making/put"
  mv -f "$making/put" "$file"
}

# Of a folder that is there already: what it was made for.
group_of_files() {
  local mode
  mode=$(stat -c %a "$root/seatlockd/server.key")
  if [ "$mode" = 640 ]; then stat -c %g "$root/seatlockd/server.key"; fi
}

# --- certificates ---------------------------------------------------------------------------------

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 2>/dev/null; }

# Key and certificate in one file, so that they are replaced together; then, until it is retired,
# the certificate of the authority before.
make_authority() {
  new_key >"$making/authority.key"
  openssl req -x509 -new -key "$making/authority.key" -days "$AUTHORITY_DAYS" -sha256 \
    -subj "/CN=SeatLock authority $(date -u +%Y-%m-%dT%H:%M:%SZ)" \
    -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' \
    -addext 'keyUsage=critical,keyCertSign' >"$making/authority.crt"
  cat "$making/authority.key" "$making/authority.crt" >"$making/authority.pem"
}

certificates_in() { sed -n '/^-----BEGIN CERTIFICATE/,/^-----END CERTIFICATE/p' "$1"; }

first_certificate() { openssl x509 -in "$1"; }

# Whom everybody trusts.
put_authorities() { # FILE
  local caller
  put seatlockd/client-ca.pem 600 <"$1"
  for caller in "${CALLERS[@]}"; do put "$caller/ca.pem" 600 <"$1"; done
}

alternative_names() {
  local name names=()
  while read -r name; do
    name=${name#[} name=${name%]}
    if [[ $name == *:* || $name =~ ^[0-9]+(\.[0-9]+){3}$ ]]; then
      names+=("IP:$name")
    elif [[ $name =~ ^[A-Za-z0-9*]([A-Za-z0-9.-]*[A-Za-z0-9])?$ ]]; then
      names+=("DNS:$name")
    else
      die "neither a name nor an address: $name"
    fi
  done <"$1"
  (
    IFS=,
    echo "${names[*]}"
  )
}

# make_certificate NAME EXTENSIONS: $making/NAME.key and .pem
make_certificate() {
  new_key >"$making/$1.key"
  printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' "$2" \
    >"$making/$1.ext"
  openssl req -new -key "$making/$1.key" -subj "/CN=seatlock-$1" >"$making/$1.csr"
  openssl x509 -req -in "$making/$1.csr" -CA "$making/signer.pem" -CAkey "$making/signer.pem" \
    -set_serial "0x$(openssl rand -hex 16)" -days "$CERTIFICATE_DAYS" -sha256 \
    -extfile "$making/$1.ext" >"$making/$1.pem" 2>"$making/said" ||
    die "$(head -n 1 "$making/said")"
}

# The key before the certificate: whoever reads both between the two finds that they do not match,
# and keeps what it has.
put_certificate() { # NAME FOLDER FILE
  put "$2/$3.key" 600 <"$making/$1.key"
  put "$2/$3.pem" 600 <"$making/$1.pem"
}

make_certificates() {
  local caller names
  names=$(alternative_names "$making/server-names")
  make_certificate server "extendedKeyUsage=serverAuth
subjectAltName=$names"
  for caller in "${CALLERS[@]}"; do make_certificate "$caller" 'extendedKeyUsage=clientAuth'; done
}

put_certificates() {
  local caller
  put authority/server-names 600 <"$making/server-names"
  put_certificate server seatlockd server
  for caller in "${CALLERS[@]}"; do put_certificate "$caller" "$caller" client; done
}

# --- keys of callers ------------------------------------------------------------------------------

random_key() { openssl rand 32 | base64url; }
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
hash_of() { openssl dgst -sha256 -r | cut -d' ' -f1; }

# A line of the file, as `seatlockd keys new --id CALLER` prints it. The id stays the same, because
# records of changes have it.
key_line() { # CALLER < KEY
  printf '%s sha256:%s %s\n' "$1" "$(tr -d '\n' | hash_of)" "$(scopes_of "$1")"
}

# The line of the key that the caller has.
line_in_use() { # CALLER
  local hash
  hash=$(tr -d '\n' <"$root/$1/token" | hash_of)
  grep -F "$1 sha256:$hash " "$root/seatlockd/auth-keys" ||
    die "no line in seatlockd/auth-keys for $1/token"
}

make_keys() { # CALLER...
  local caller
  for caller in "$@"; do
    random_key >"$making/$caller.token"
    key_line "$caller" <"$making/$caller.token" >>"$making/auth-keys"
  done
}

put_tokens() { # CALLER...
  local caller
  for caller in "$@"; do put "$caller/token" 600 <"$making/$caller.token"; done
}

# What of the caller stands before the key in use. What stands after it was added by a rotation that
# was stopped, and nobody has that key.
accepted_before() { # CALLER
  local line
  line=$(line_in_use "$1")
  awk -v caller="$1" -v line="$line" \
    '$0 == line { exit } $1 == caller' "$root/seatlockd/auth-keys"
}

# All lines, but of these callers only the ones in use. Other lines of the file may be yours.
lines_to_keep() { # CALLER...
  local caller
  awk -v callers=" $* " '!index(callers, " " $1 " ")' "$root/seatlockd/auth-keys"
  for caller in "$@"; do line_in_use "$caller"; done
}

# A rotation that was stopped goes on with those who have no new key yet.
rotate_key() {
  local caller before waiting=()
  for caller in "${CALLERS[@]}"; do
    before=$(accepted_before "$caller")
    [ -n "$before" ] || waiting+=("$caller")
  done
  [ ${#waiting[@]} -gt 0 ] || die "the keys before are still accepted: --retire key first"
  lines_to_keep "${waiting[@]}" >"$making/auth-keys"
  make_keys "${waiting[@]}"
  put seatlockd/auth-keys 600 <"$making/auth-keys"
  # If seatlockd runs on these very files it knows the keys before anybody shows one.
  sleep "$READ_ANEW_SECONDS"
  put_tokens "${waiting[@]}"
}

retire_key() {
  lines_to_keep "${CALLERS[@]}" >"$making/auth-keys"
  put seatlockd/auth-keys 600 <"$making/auth-keys"
}

# --- browsers' tokens -----------------------------------------------------------------------------

# The secret that the site signs with, and the edge checks with, as a JWKS.
make_token_secret() {
  printf '{"kty":"oct","alg":"HS256","use":"sig","kid":"%s","k":"%s"}\n' \
    "$(openssl rand -hex 8)" "$(random_key)" >"$making/token-key"
}

key_set() { printf '{"keys":[%s]}\n' "$(paste -sd, -)"; }

# A key a line, the one that the site signs with first.
keys_of_set() { sed -n 's/^{"keys":\[\(.*\)\]}$/\1/p' "$1" | sed 's/},{/}\n{/g'; }

rotate_token() {
  keys_of_set "$root/site/token-jwks.json" >"$making/site-keys"
  keys_of_set "$root/edge/token-jwks.json" >"$making/edge-keys"
  grep -Fxvf "$making/site-keys" "$making/edge-keys" >"$making/others" || true
  # One that the edge knows and the site does not: the one before, or of a run that was stopped.
  [ ! -s "$making/others" ] || die "the edge still accepts another key: --retire token first"
  make_token_secret
  cat "$making/token-key" "$making/site-keys" | key_set >"$making/both"
  put edge/token-jwks.json 600 <"$making/both"
  sleep "$READ_ANEW_SECONDS"
  key_set <"$making/token-key" >"$making/one"
  put site/token-jwks.json 600 <"$making/one"
}

retire_token() { put edge/token-jwks.json 600 <"$root/site/token-jwks.json"; }

# --- what it is asked for -------------------------------------------------------------------------

make_all() {
  [ ! -e "$dir" ] || rmdir "$dir" 2>/dev/null ||
    die "$dir is not empty: nothing was written over; --rotate replaces what is there"
  mkdir -p "$(dirname "$dir")"
  begin "$dir.making"
  # Whole, or not there: a stop leaves nothing that looks like an installation's secrets.
  root=$making/all
  mkdir "$root"
  make_authority
  cp "$making/authority.pem" "$making/signer.pem"
  printf '%s\n' "${servers[@]:-${default_servers[@]}}" >"$making/server-names"
  make_certificates
  make_keys "${CALLERS[@]}"
  make_token_secret
  put authority/authority.pem 600 <"$making/authority.pem"
  put_authorities "$making/authority.crt"
  put_certificates
  put seatlockd/auth-keys 600 <"$making/auth-keys"
  put_tokens "${CALLERS[@]}"
  key_set <"$making/token-key" >"$making/set"
  put edge/token-jwks.json 600 <"$making/set"
  put site/token-jwks.json 600 <"$making/set"
  openssl rand -hex 32 >"$making/cookie-secret"
  put site/cookie-secret 600 <"$making/cookie-secret"
  if [ -n "$group" ]; then
    chgrp "$group" "$root" && chmod 750 "$root"
  fi
  mv -T "$root" "$dir"
  echo "make.sh: made $dir"
}

rotate_certificates() {
  cp "$root/authority/authority.pem" "$making/signer.pem"
  if [ ${#servers[@]} -gt 0 ]; then
    printf '%s\n' "${servers[@]}" >"$making/server-names"
  else
    cp "$root/authority/server-names" "$making/server-names"
  fi
  make_certificates
  put_certificates
}

rotate_authority() {
  local now=$root/authority/authority.pem
  [ "$(grep -c BEGIN.CERTIFICATE "$now")" = 1 ] ||
    die "the authority before is still trusted: --rotate certificates, then --retire authority"
  make_authority
  certificates_in "$now" >"$making/before"
  cat "$making/authority.crt" "$making/before" >"$making/both"
  put_authorities "$making/both"
  cat "$making/before" >>"$making/authority.pem"
  # Before a certificate of the new one can be made.
  sleep "$READ_ANEW_SECONDS"
  put authority/authority.pem 600 <"$making/authority.pem"
}

retire_authority() {
  local now=$root/authority/authority.pem file
  first_certificate "$now" >"$making/authority.crt"
  for file in seatlockd/server edge/client site/client admin/client; do
    openssl verify -CAfile "$making/authority.crt" "$root/$file.pem" >/dev/null 2>&1 ||
      die "$file.pem is of the authority before: --rotate certificates first"
  done
  { openssl pkey -in "$now"; cat "$making/authority.crt"; } >"$making/authority.pem"
  put authority/authority.pem 600 <"$making/authority.pem"
  put_authorities "$making/authority.crt"
}

change() { # rotate|retire WHAT
  [ -f "$dir/seatlockd/auth-keys" ] || die "$dir has no secrets of this script"
  root=$dir
  [ -n "$group" ] || group=$(group_of_files)
  begin "$dir/.making"
  "$1_$2"
  echo "make.sh: $1 $2: done; docs/security.md says what is next"
}

dir='' group='' action='' what='' servers=()
default_servers=(seatlockd localhost 127.0.0.1 ::1)
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage 0 ;;
    --server | --group | --rotate | --retire)
      [ -n "${2:-}" ] || die "$1 needs a value"
      case $1 in
        --server) servers+=("$2") ;;
        --group) group=$2 ;;
        *) [ -z "$action" ] || die "one --rotate or --retire at a time"
          action=${1#--} what=$2 ;;
      esac
      shift
      ;;
    -*) die "unknown: $1" ;;
    *) [ -z "$dir" ] || die "one folder, not also $1"
      dir=${1%/} ;;
  esac
  shift
done
[ -n "$dir" ] || usage 2 >&2
case $action:$what in
  :) make_all ;;
  rotate:key | rotate:certificates | rotate:authority | rotate:token | \
    retire:key | retire:authority | retire:token) change "$action" "$what" ;;
  *) die "there is no --$action $what" ;;
esac
