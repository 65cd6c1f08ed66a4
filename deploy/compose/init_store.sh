#!/bin/sh
# `seatlockd store init`, once. The mark stays in a volume of its own: if Redis has lost its data,
# this does not make it look like a new store, and nothing is sold until somebody has looked.
set -eu
mark=/var/lib/seatlock/initialised
[ ! -e "$mark" ] || exit 0
said=$(seatlockd store init "--store=$SEATLOCK_STORE" 2>&1) || case $said in
  # The mark was not written the last time.
  *'is initialised already'*) ;;
  *)
    echo "$said" >&2
    exit 1
    ;;
esac
echo "$said"
: >"$mark"
