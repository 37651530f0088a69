# Read by postgres-entrypoint and postgres-copy-primary where POSTGRES_PRIMARY_HOST is set: this server follows another.
: "${POSTGRES_REPLICATION_PASSWORD_FILE:?names the file with the password of the role replicator}"
[ -r "$POSTGRES_REPLICATION_PASSWORD_FILE" ] || refuse "POSTGRES_REPLICATION_PASSWORD_FILE names $POSTGRES_REPLICATION_PASSWORD_FILE, which can't be read"

# One slot a replica: the primary keeps the log that this one has not got yet, across restarts of both.
slot=$(hostname | tr 'A-Z.-' 'a-z__')

# In a file, since arguments are seen by every process of the container.
passfile=/tmp/primary.pgpass
printf '*:*:*:replicator:%s\n' "$(sed 's/[\\:]/\\&/g' "$POSTGRES_REPLICATION_PASSWORD_FILE")" > "$passfile"

primary="host=$POSTGRES_PRIMARY_HOST port=${POSTGRES_PRIMARY_PORT:-5432} user=replicator passfile=$passfile \
application_name=$slot connect_timeout=10 sslmode=${POSTGRES_PRIMARY_SSLMODE:-prefer}"
[ -z "${POSTGRES_PRIMARY_CA:-}" ] || primary="$primary sslrootcert=$POSTGRES_PRIMARY_CA"

# ask_primary COMMAND: one command of the replication protocol, which needs no right on any database.
ask_primary() {
  psql -X -w -At "$primary dbname=postgres replication=true" -c "$1"
}

local_system() {
  LC_ALL=C pg_controldata -D "$PGDATA" | sed -n 's/^Database system identifier: *//p'
}
