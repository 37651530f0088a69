# A database, as pg_dump sees it: what the role of the URL may read, which is all that it owns.

share_sql=${BACKUP_SHARE_DIR:-/usr/share/trellis/backup}
settings='-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c lock_timeout=60s'

# The URL is split here, since a URL among a program's arguments shows its password.
source_ready() {
  local url rest
  url=$(cat "${DATABASE_URL_FILE:?names the file with the URL of the database}")
  [[ $url =~ ^postgres(ql)?://([^:/@]+):([^@/]+)@([^:/]+)(:([0-9]+))?/([^?]+)(\?(.*))?$ ]] || refuse "the URL of the database is not of the form postgres://USER:PASSWORD@HOST/NAME"
  export PGUSER=${BASH_REMATCH[2]} PGPASSWORD=${BASH_REMATCH[3]} PGHOST=${BASH_REMATCH[4]} PGPORT=${BASH_REMATCH[6]:-5432} PGDATABASE=${BASH_REMATCH[7]}
  rest=${BASH_REMATCH[9]}
  if [[ $rest =~ sslmode=([a-z-]+) ]]; then export PGSSLMODE=${BASH_REMATCH[1]}; fi
  if [ -n "${DATABASE_CA_CERT:-}" ]; then
    printf '%s\n' "$DATABASE_CA_CERT" > "$run/ca.crt"
    export PGSSLROOTCERT=$run/ca.crt
  fi
  export PGAPPNAME=trellis-backup PGCONNECT_TIMEOUT=10 PGOPTIONS=$settings
  await_port "$PGHOST" "$PGPORT"
}

query() { psql -X -qAt -v ON_ERROR_STOP=1 "$@"; }

# The dump and the facts are of one moment: both read the snapshot of a session that stays open for as long as they take.
produce() {
  local snapshot
  coproc session { query; }
  echo 'begin isolation level repeatable read read only; select pg_export_snapshot();' >&"${session[1]}"
  read -r -t 60 snapshot <&"${session[0]}" || fail "the database gives no snapshot"
  pg_dump --format=custom --no-password --lock-wait-timeout=60s --snapshot="$snapshot"
  printf '\\o %s\n\\i %s\n\\o\ncommit;\n\\echo done\n\\q\n' "$run/facts" "$share_sql/facts.sql" >&"${session[1]}"
  read -r snapshot <&"${session[0]}" && [ "$snapshot" = 'done' ] || fail "the tables could not be counted"
}

# What a decrypted archive is read with, to see that it can be. The table of contents is at its begin.
inspect() { pg_restore --list > /dev/null && cat > /dev/null; }

occupied() { [ "$(query -c "select count(*) from pg_class where relkind in ('r', 'p', 'm', 'v') and relnamespace not in (select oid from pg_namespace where nspname ~ '^pg_' or nspname = 'information_schema') and oid not in (select objid from pg_depend where deptype = 'e')")" != 0 ]; }

# contents_of ARCHIVE: what is in it, a line each, for pg_restore to take some.
contents_of() { store_get "$1.age" | decrypt | { pg_restore --list && cat > /dev/null; }; }

# In one transaction: the database is as the archive has it, or as it was. Comments on extensions belong to whoever made those. Rights come
# after it, and one by one: they name roles that a new server may not have.
bring_back() {
  local archive=$1
  contents_of "$archive" > "$run/contents"
  grep -v -E ' (COMMENT - EXTENSION|ACL|DEFAULT ACL) ' "$run/contents" > "$run/objects"
  {
    echo 'begin;'
    [ "$replace" != true ] || cat "$share_sql/clear.sql"
    store_get "$archive.age" | decrypt | pg_restore --no-owner --use-list="$run/objects" --file=- && echo 'commit;'
  } | query -o /dev/null
  grep -E ' (ACL|DEFAULT ACL) ' "$run/contents" > "$run/rights" || return 0
  store_get "$archive.age" | decrypt | pg_restore --no-owner --use-list="$run/rights" --file=- | psql -X -q -o /dev/null
}

# A server of this pod's own: a socket, no port, and nothing that anybody needs after a crash.
rehearse() {
  local archive=$1 data=$scratch/pgdata
  export PGHOST=$scratch PGPORT=5432 PGUSER=postgres PGDATABASE=drill
  unset PGPASSWORD PGSSLMODE PGSSLROOTCERT
  rm -rf "$data"
  initdb -D "$data" -U postgres --encoding=UTF8 --locale=C.UTF-8 --auth=trust --no-sync > /dev/null
  cat >> "$data/postgresql.conf" <<- CONF
	listen_addresses = ''
	unix_socket_directories = '$scratch'
	unix_socket_permissions = 0700
	fsync = off
	full_page_writes = off
	wal_level = minimal
	max_wal_senders = 0
	autovacuum = off
	shared_buffers = 64MB
	CONF
  pg_ctl -D "$data" -w -s -l "$scratch/server.log" start || { cat "$scratch/server.log" >&2; fail "the drill's own server does not start"; }
  at_exit="pg_ctl -D $data -m immediate -s stop; rm -rf $data"
  psql -X -q -d postgres -c "create database drill template template0"
  log "restoring $archive into a server of this pod's own"
  store_get "$archive.age" | decrypt | pg_restore --no-owner --no-privileges --exit-on-error --dbname=drill
  query -o "$run/found" -f "$share_sql/facts.sql"
  if [ "${BACKUP_AMCHECK:-true}" = true ]; then pg_amcheck --install-missing drill; fi
}
