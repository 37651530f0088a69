# Which member this one copies from, in a topology with sentinels; sourced by redis-entrypoint.

others_have_keys() {
  for one in $REDIS_MEMBERS; do
    [ "$one" != "$host" ] || continue
    if ask_member "$one" INFO keyspace | grep -q '^db[0-9]'; then return 0; fi
  done
  return 1
}

calls_itself_primary() {
  for one in $REDIS_MEMBERS; do
    if [ "$one" != "$host" ] && [ "$(ask_member "$one" ROLE | head -n 1)" = master ]; then
      echo "$one"
      return 0
    fi
  done
}

ask_for_another() {
  for sentinel in $REDIS_SENTINELS; do
    case $(ask_sentinel "$sentinel" SENTINEL FAILOVER "$primary_name") in OK | *INPROG*) return 0 ;; esac
  done
}

# Prints the host to copy from; nothing where this pod is the primary. One that restarts without its data does not become or stay the
# primary while another member has keys: they would all drop theirs to match it. Sentinels first have to agree on one of those.
choose_source() {
  while :; do
    named=$(named_primary)
    [ -n "$named" ] || named=$(calls_itself_primary)
    # At the very first start the pods agree without a word: the first one is the primary.
    [ -n "$named" ] || named=${REDIS_MEMBERS%% *}
    if [ "$named" != "$host" ]; then
      echo "$named"
      return 0
    fi
    if [ -d "$data/appendonlydir" ] || ! others_have_keys; then return 0; fi
    log "this pod would be the primary, but its data is gone and others have theirs: one of them takes over first"
    ask_for_another
    sleep 1
  done
}

sentinel_settings() {
  await_names $REDIS_MEMBERS $REDIS_SENTINELS
  source=$(choose_source)
  password=$(system_password)
  echo "replica-announce-ip $host"
  echo "replica-announce-port $port"
  echo 'masteruser replication'
  echo "masterauth $password"
  if [ -n "$source" ]; then
    log "copying from $source"
    echo "replicaof $source $port"
  else
    log "starting as the primary"
  fi
}
