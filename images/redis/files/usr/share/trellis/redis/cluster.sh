# One member of a cluster: keeps its identity, never restarts empty as the owner of slots, finds its place; sourced by redis-entrypoint.
# CLUSTER NODES prints: id address flags primary ping pong epoch link slots...

others() {
  for one in $REDIS_MEMBERS; do
    [ "$one" = "$host" ] || echo "$one"
  done
}

# The cluster as that other member sees it that knows of most owners of slots; nothing where none belongs to a cluster.
seen_by_others() {
  best=0
  view=
  for one in $(others); do
    nodes=$(ask_member "$one" CLUSTER NODES) || continue
    known=$(echo "$nodes" | awk '$1 ~ /^[0-9a-f]+$/ { n++; if (NF > 8) n += 100 } END { print n + 0 }')
    if [ "$known" -gt 1 ] && [ "$known" -gt "$best" ]; then
      best=$known
      view=$nodes
    fi
  done
  echo "$view"
}

# slots_of ID: ranges that the node owns, read from CLUSTER NODES.
slots_of() { awk -v id="$1" '$1 == id && $3 ~ /master/ { for (i = 9; i <= NF; i++) if ($i !~ /^\[/) print $i }'; }

# replica_of ID: address of a replica that is there.
replica_of() {
  awk -v id="$1" '$4 == id && $3 ~ /slave/ && $3 !~ /fail/ && $8 == "connected" { sub(/[:@].*/, "", $2); print $2; exit }'
}

# owner_of SLOT: id of the node that owns it.
owner_of() {
  awk -v slot="$1" '$3 ~ /master/ { for (i = 9; i <= NF; i++) { if ($i ~ /^\[/) continue
    n = split($i, ends, "-"); if (ends[1] <= slot + 0 && slot + 0 <= ends[n]) { print $1; exit } } }'
}

# The others believe that this pod owns slots, but its data is gone: a replica takes them over before this pod shows itself empty.
yield_slots() {
  tries=0
  while nodes=$(seen_by_others) && [ -n "$(echo "$nodes" | slots_of "$id")" ]; do
    replica=$(echo "$nodes" | replica_of "$id")
    if [ -z "$replica" ]; then
      log "no replica has the data of this pod: its slots start empty"
      return 0
    fi
    # With no majority of primaries left to agree, the replica decides alone.
    how=FORCE
    [ "$tries" -lt 10 ] || how=TAKEOVER
    log "a replica takes over the slots of this pod ($how): $(ask_member "$replica" CLUSTER FAILOVER "$how")"
    tries=$((tries + 1))
    sleep 2
  done
}

cluster_settings() {
  id=$(identity "$host")
  await_names $REDIS_MEMBERS
  # The same identity whenever a pod of this name starts again: the others know it without being told to forget the old one.
  if [ ! -s "$data/nodes.conf" ]; then
    yield_slots
    printf '%s :0@0 myself,master - 0 0 0 connected\nvars currentEpoch 0 lastVoteEpoch 0\n' "$id" > "$data/nodes.conf"
  fi
  echo "cluster-announce-ip $(address_of "$host")"
  echo "cluster-announce-hostname $host"
  echo 'masteruser replication'
  echo "masterauth $(system_password)"
}

# Makes this member known to all others that run, and all of them to it.
meet() {
  for one in $(others); do
    echo "$nodes" | grep -q "^$(identity "$one") .* connected" && continue
    [ "$(ask_member "$one" PING)" = PONG ] || { missing=yes; continue; }
    missing=yes
    ask_member 127.0.0.1 CLUSTER MEET "$(address_of "$one")" "$port" > /dev/null
  done
}

claim() {
  log "owns the slots $*"
  for range in "$@"; do
    case "$range" in *-*) first=${range%-*} last=${range#*-} ;; *) first=$range last=$range ;; esac
    ask_member 127.0.0.1 CLUSTER ADDSLOTSRANGE "$first" "$last"
  done
  # Above the epoch of every member that is new: none of them can take the slots by mistake.
  ask_member 127.0.0.1 CLUSTER BUMPEPOCH
}

# One step towards this member's place; succeeds once it has slots or copies from a member that has.
take_place() {
  missing=
  nodes=$(ask_member 127.0.0.1 CLUSTER NODES) || return 1
  id=$(echo "$nodes" | awk '$3 ~ /myself/ { print $1 }')
  meet
  [ -z "$(echo "$nodes" | awk '$3 ~ /myself/ && ($3 ~ /slave/ || NF > 8)')" ] || return 0
  shard=$((ordinal % REDIS_SHARDS))
  first=$((shard * 16384 / REDIS_SHARDS))
  last=$(((shard + 1) * 16384 / REDIS_SHARDS - 1))
  owner=$(echo "$nodes" | owner_of "$first")
  if [ -n "$owner" ]; then
    log "copies from $owner: $(ask_member 127.0.0.1 CLUSTER REPLICATE "$owner")"
    return 1
  fi
  theirs=$(seen_by_others)
  mine=$(echo "$theirs" | slots_of "$id")
  if [ -n "$mine" ]; then
    claim $mine
  elif [ -z "$missing" ] && [ "$ordinal" -lt "$REDIS_SHARDS" ] && [ -z "$(echo "$theirs" | owner_of "$first")" ]; then
    claim "$first-$last"
  fi
  return 1
}

# Beside the server for as long as it lives: quick until this member has its place, then now and then.
keep_place() {
  while :; do
    pause=2
    if take_place; then pause=15; fi
    sleep "$pause"
  done
}
