#!/bin/sh
# `seatlockd store init`, once. The mark stays in a volume of its own: if Redis has lost its data,
# this does not make it look like a new store, and nothing is sold until somebody has looked.
set -eu
mark=/var/lib/seatlock/initialised
[ ! -e "$mark" ] || exit 0

init() {
  said=$(seatlockd store init "--store=$SEATLOCK_STORE" 2>&1) || case $said in
    # The mark was not written the last time.
    *'is initialised already'*) ;;
    *) return 1 ;;
  esac
}

# Redis, its replica and the Sentinels may still be starting.
tries=60
until init; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || {
    echo "$said" >&2
    exit 1
  }
  sleep 1
done
echo "$said"
: >"$mark"
