# Redis, as one of its replicas would get it: one moment, all keys of all databases. Functions that were loaded are part of it too.

source_ready() {
  local password
  password=$(cat "${REDIS_PASSWORD_FILE:?names the file with the password of the clients}")
  # Follows from the clients' password, as the server's own does: see backup_user of the image of Redis.
  password=$(printf 'backup:%s' "$password" | sha256sum)
  export REDISCLI_AUTH=${password%% *}
  # Restores go to the primary.
  [ "$task" != restore ] || REDIS_HOST=${REDIS_PRIMARY_HOST:-$REDIS_HOST} REDIS_PORT=${REDIS_PRIMARY_PORT:-$REDIS_PORT}
  await_port "${REDIS_HOST:?}" "${REDIS_PORT:?}"
}

live() { redis-cli -h "$REDIS_HOST" -p "$REDIS_PORT" --user backup --no-auth-warning -e "$@"; }

produce() { live --rdb - 2> "$run/transfer" || { cat "$run/transfer" >&2; return 1; }; }

# counted FILE: what the snapshot holds, in the words of Redis' own reader.
counted() {
  local report
  report=$(redis-check-rdb "$1") || { printf '%s\n' "$report" >&2; return 1; }
  sed -n -E 's/^\[info\] ([0-9]+) (keys read|expires)$/\2 \1/p' <<< "$report" | sort
}

inspect() {
  cat > "$scratch/inspected.rdb"
  counted "$scratch/inspected.rdb" > "$run/facts"
  rm -f "$scratch/inspected.rdb"
}

occupied() { [ "$(live INFO keyspace | grep -c '^db')" != 0 ]; }

# start_copy ARCHIVE: a server of this pod's own, on a socket, with what the archive has.
start_copy() {
  mkdir -p "$scratch/redis"
  store_get "$1.age" | decrypt > "$scratch/redis/dump.rdb"
  counted "$scratch/redis/dump.rdb" > "$run/found"
  (cd "$scratch/redis" && exec redis-server --port 0 --unixsocket "$scratch/redis.sock" --unixsocketperm 700 --dir "$scratch/redis" \
    --save '' --appendonly no --maxmemory 0 --logfile "$scratch/redis/server.log") &
  copy=$!
  at_exit="kill $copy 2> /dev/null; wait $copy 2> /dev/null; rm -rf $scratch/redis $scratch/redis.sock"
  local second
  for second in $(seq 600); do
    if [ "$(copied PING 2> /dev/null)" = PONG ]; then return 0; fi
    kill -0 "$copy" 2> /dev/null || break
    sleep 0.5
  done
  cat "$scratch/redis/server.log" >&2
  fail "the snapshot could not be loaded"
}

# The password of the live server is not for this one.
copied() { env -u REDISCLI_AUTH redis-cli -s "$scratch/redis.sock" -e "$@"; }

bring_back() {
  start_copy "$1"
  [ "$replace" != true ] || live FLUSHALL SYNC > /dev/null
  # The password goes in by stdin, which the script finds as its last argument.
  printf %s "$REDISCLI_AUTH" | env -u REDISCLI_AUTH redis-cli -s "$scratch/redis.sock" -e -x EVAL "$(cat "$share/migrate.lua")" 0 "$REDIS_HOST" "$REDIS_PORT" > "$run/moved"
  log "$(cat "$run/moved") keys were brought back"
}

rehearse() {
  start_copy "$1"
  local keys expires loaded
  keys=$(sed -n 's/^keys read //p' "$run/found")
  expires=$(sed -n 's/^expires //p' "$run/found")
  loaded=$(copied INFO keyspace | tr -d '\r' | sed -n -E 's/^db[0-9]+:keys=([0-9]+).*/\1/p' | paste -sd+ | bc_sum)
  # Keys that have expired since are dropped while they load.
  [ "$loaded" -le "$keys" ] && [ "$loaded" -ge "$((keys - expires))" ] || fail "of $keys keys in the snapshot $loaded were loaded"
}

bc_sum() { local sum; read -r sum || sum=0; echo "$((sum))"; }
