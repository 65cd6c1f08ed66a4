#!/bin/sh
# Starts nginx in the compose files, with the name server that Docker or podman gave the container:
# nginx does not read /etc/resolv.conf.
set -eu
resolver=$(sed -n 's/^nameserver \([0-9.]*\)$/\1/p' /etc/resolv.conf | head -n 1)
sed "s/RESOLVER/$resolver/" /etc/seatlock/nginx.conf >/tmp/nginx.conf
exec nginx -e /dev/stderr -c /tmp/nginx.conf -g 'daemon off;'
