# Read by postgres-entrypoint: the server that only this container can reach, used to set up and to align.

# start_private FOLDER METHOD: METHOD guards every database but template1, which is for administration.
# A private socket and no TCP port: no probe and no client takes this server for the real one.
start_private() {
  running=$1
  # Where the log is archived nothing of it may be left out: without a command it waits for the real server's archiver.
  archiving='-c archive_mode=off'
  ! archives || archiving='-c archive_mode=on -c archive_command='
  printf 'local template1 all trust\nlocal all all %s\n' "$2" > "$private/pg_hba.conf"
  pg_ctl -D "$1" -w -t "${POSTGRES_START_SECONDS:-3600}" -s -o "-c config_file=$config -c hba_file=$private/pg_hba.conf \
    -c listen_addresses= -c port=5432 -c unix_socket_directories=$private -c unix_socket_permissions=0700 -c ssl=off $archiving \
    -c log_statement=none -c log_min_duration_statement=-1 -c log_min_error_statement=panic" start >&2
}

stop_private() {
  [ -n "$running" ] || return 0
  stopping=$running
  running=
  [ ! -f "$stopping/postmaster.pid" ] || pg_ctl -D "$stopping" -w -m fast -s stop >&2
}

# Where it listens; the server that clients reach has another place.
socket=$private
socket_port=5432

# Statements with passwords are neither logged, however long they take, nor kept by pg_stat_statements.
quiet='-c log_statement=none -c log_min_duration_statement=-1 -c log_min_error_statement=panic -c pg_stat_statements.track=none'
as_superuser() {
  PGOPTIONS="$quiet ${options:-}" PGUSER=$superuser psql -X -q -h "$socket" -p "$socket_port" -v ON_ERROR_STOP=1 \
    -v role="$POSTGRES_USER" -v db="$POSTGRES_DB" "$@"
}

# "postgres" in folders made here, POSTGRES_USER in those of the official image.
find_superuser() {
  for superuser in postgres "$POSTGRES_USER"; do
    [ "$(as_superuser -d template1 -Atc 'show is_superuser' 2>/dev/null)" != on ] || return 0
  done
  refuse "neither postgres nor $POSTGRES_USER is a superuser in $PGDATA: is this another system's data?"
}

# Whether a client would get in with this password; so one that is right already is left alone.
knows() {
  PGPASSWORD=$2 psql -X -h "$socket" -p "$socket_port" -U "$1" -d postgres -w -Atc 'select 1' >/dev/null 2>&1
}

# align_role ROLE FILE: a role of the platform's own, made where it is missing.
align_role() {
  [ -n "$2" ] || return 0
  secret=$(cat "$2")
  if [ "${3:-}" = fresh ] || ! knows "$1" "$secret"; then
    TRELLIS_ROLE_PASSWORD=$secret as_superuser -d template1 -f "$share/align-$1.sql" >/dev/null
    log "role $1 was made or got the password given"
  fi
  unset secret
}

align_roles() {
  align_role replicator "${POSTGRES_REPLICATION_PASSWORD_FILE:-}" "$@"
  align_role monitoring "${POSTGRES_MONITORING_PASSWORD_FILE:-}" "$@"
}

set_password() {
  [ -z "$logins" ] || { align_logins fresh; return; }
  TRELLIS_ROLE_PASSWORD=$password as_superuser -d template1 -f "$share/align-password.sql" >/dev/null
}

# The Secret is the truth. A data folder that was made with another password would lock every client out.
align_password() {
  find_superuser
  known=$(echo "select count(*) from pg_roles where rolname = :'role'" | as_superuser -d template1 -At)
  [ "$known" = 1 ] || refuse "$PGDATA has no role $POSTGRES_USER: put POSTGRES_USER back, or rename the role by hand"
  if [ -n "$logins" ]; then
    align_logins
  elif ! knows "$POSTGRES_USER" "$password"; then
    set_password
    log "the password of role $POSTGRES_USER differed from the one given; it was changed to the one given"
  fi
}

# A script's objects belong to POSTGRES_USER; one that needs a superuser says SET ROLE NONE.
as_owner() {
  options="-c role=$POSTGRES_USER" as_superuser -d "$POSTGRES_DB" "$@"
}

run_script() {
  case "$1" in
    *.sql) log "running $1"; as_owner -f "$1" ;;
    *.sql.gz) log "running $1"; gzip -dc "$1" | as_owner ;;
    *.sh) log "running $1"; PGHOST=$private PGPORT=5432 PGUSER=$superuser PGDATABASE=$POSTGRES_DB sh -eu "$1" ;;
    *) log "leaving out $1: its name ends in none of .sql, .sql.gz, .sh" ;;
  esac >&2
}

# Everything happens beside the final place; the rename is the moment when the folder counts as made.
initialise() {
  fresh=$volume/.$(basename "$PGDATA").unfinished
  if [ -e "$fresh" ]; then
    log "a first start did not finish; beginning again"
    rm -rf "$fresh"
  fi
  # C.UTF-8 sorts by code point: no update of the C library can change an index's order.
  initdb -D "$fresh" -U postgres --encoding=UTF8 --locale=C.UTF-8 --data-checksums --auth-local=peer \
    --auth-host=scram-sha-256 ${POSTGRES_INITDB_ARGS:-} >&2
  start_private "$fresh" trust
  superuser=postgres
  as_superuser -d template1 -f "$share/create-owner.sql"
  set_password
  # The private server trusts everybody here, so that no password could be tried.
  align_roles fresh
  for script in /docker-entrypoint-initdb.d/*; do
    [ ! -f "$script" ] || run_script "$script"
  done
  stop_private
  sync
  mv "$fresh" "$PGDATA"
  sync
  log "the data folder is complete"
}
