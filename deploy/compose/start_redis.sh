#!/bin/sh
# start_redis.sh primary|replica|sentinel: Redis and Sentinel in cluster.yaml. Both write what a
# failover changed into their files, so the first start makes these in the volume, and later ones
# take them as they are. The settings are those of deploy/redis.
set -eu
settings=/etc/seatlock
if [ "$1" = sentinel ]; then
  [ -e /data/sentinel.conf ] || {
    cat >/data/sentinel.new <<TEXT
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $(hostname)
protected-mode no
dir /data
TEXT
    sed 's/192\.0\.2\.1/redis-1/' "$settings/seatlock-sentinel.conf" >>/data/sentinel.new
    mv /data/sentinel.new /data/sentinel.conf
  }
  exec redis-sentinel /data/sentinel.conf
fi

[ -e /data/redis.conf ] || {
  cat >/data/redis.new <<TEXT
include $settings/seatlock-strict.conf
dir /data
bind 0.0.0.0
protected-mode no
replica-announce-ip $(hostname)
save ""
TEXT
  [ "$1" = primary ] || echo 'replicaof redis-1 6379' >>/data/redis.new
  mv /data/redis.new /data/redis.conf
}
exec redis-server /data/redis.conf
