# Read by postgres-entrypoint and postgres-restore: what a repository holds.

archives() {
  [ -r "${POSTGRES_REPOSITORIES:-/etc/pgbackrest}/archive.conf" ]
}

# repository_state NAME: 0 there are backups, 2 there are none yet, 1 and 3 nobody has ever written to it; else it can't be read.
# The last status is the whole one's; pgBackRest asks a store that does not answer four times, each for as long as the timeout.
repository_state() {
  pgbackrest-repository "$1" info --output=json --io-timeout=5 2>/dev/null | sed -n 's/.*"status":{"code":\([0-9]*\).*/\1/p'
}

# ask_repository NAME: the same in $state, once there is an answer; a guess could cost the data.
ask_repository() {
  asked=0
  while :; do
    state=$(repository_state "$1")
    case "$state" in [0-3]) return 0 ;; esac
    asked=$((asked + 1))
    [ "$asked" -lt 10 ] || refuse "the repository '$1' can't be read, and may know of data that belongs here: nothing is made"
    log "the repository '$1' can't be read yet"
    sleep 2
  done
}

# A new, empty database must never take the place of one that was lost with its volume.
refuse_second_database() {
  archives || return 0
  ask_repository archive
  [ "$state" != 0 ] || refuse "$PGDATA is empty, and the archive has backups of a database: say what it is recovered from \
(POSTGRES_RECOVERY), or give this server an archive of its own"
}
