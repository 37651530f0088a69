# Read by postgres-entrypoint: checks every variable and file before anything is written.
PGDATA=${PGDATA:-/var/lib/postgresql/data/pgdata}
POSTGRES_USER=${POSTGRES_USER:-postgres}
POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
export PGDATA POSTGRES_USER POSTGRES_DB

[ "$(id -u)" -ne 0 ] || refuse "PostgreSQL does not run as root: run this container as user 10070"

case "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" in
  scram-sha-256) ;;
  *) refuse "POSTGRES_HOST_AUTH_METHOD is '$POSTGRES_HOST_AUTH_METHOD'; only scram-sha-256 is offered" ;;
esac

# Roles of the platform's own, each only where its file is named.
for file in "${POSTGRES_REPLICATION_PASSWORD_FILE:-}" "${POSTGRES_MONITORING_PASSWORD_FILE:-}"; do
  [ -z "$file" ] || [ -s "$file" ] || refuse "$file, named as the password of a role, can't be read or is empty"
done

# A replica has its primary's roles.
logins=
if [ -n "${POSTGRES_PRIMARY_HOST:-}" ]; then
  password=-
elif [ -n "${POSTGRES_LOGINS_FILE:-}" ]; then
  [ -z "${POSTGRES_PASSWORD:-}${POSTGRES_PASSWORD_FILE:-}" ] || refuse "POSTGRES_LOGINS_FILE and a password are both set; keep one"
  [ "$POSTGRES_USER" != postgres ] || refuse "POSTGRES_LOGINS_FILE needs a POSTGRES_USER other than postgres, the superuser"
  [ -s "$POSTGRES_LOGINS_FILE" ] || refuse "POSTGRES_LOGINS_FILE names $POSTGRES_LOGINS_FILE, which can't be read or is empty"
  logins=$POSTGRES_LOGINS_FILE
  logins_seen=$(cksum < "$logins")
  password=-
elif [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
  [ -z "${POSTGRES_PASSWORD:-}" ] || refuse "POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are both set; keep one"
  [ -r "$POSTGRES_PASSWORD_FILE" ] || refuse "POSTGRES_PASSWORD_FILE names $POSTGRES_PASSWORD_FILE, which can't be read"
  password=$(cat "$POSTGRES_PASSWORD_FILE")
else
  password=${POSTGRES_PASSWORD:-}
fi
[ -n "$password" ] || refuse "no password: set POSTGRES_PASSWORD_FILE to a file that holds one (or POSTGRES_PASSWORD)"
# Tools started below must not inherit it by accident.
unset POSTGRES_PASSWORD

config=$share/postgresql.conf
[ ! -r /etc/postgresql/postgresql.conf ] || config=/etc/postgresql/postgresql.conf
hba=$share/pg_hba.conf
[ ! -r /etc/postgresql/pg_hba.conf ] || hba=/etc/postgresql/pg_hba.conf

tls=
certificate=/etc/postgresql/tls
if [ -r "$certificate/tls.crt" ] && [ -r "$certificate/tls.key" ]; then
  tls="-c ssl=on -c ssl_cert_file=$certificate/tls.crt -c ssl_key_file=$certificate/tls.key -c ssl_min_protocol_version=TLSv1.2"
fi

# A fresh data folder is finished beside its place and then renamed, which a mount point does not allow.
volume=$(dirname "$PGDATA")
mkdir -p "$volume" 2>/dev/null || true
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  [ -w "$volume" ] || refuse "$volume can't be written by user $(id -u): mount a volume there with fsGroup $(id -g), \
and let PGDATA be a folder inside of it, not the mount point"
  if [ -d "$PGDATA" ]; then
    [ -z "$(ls -A "$PGDATA")" ] || refuse "$PGDATA holds files but no database: move them away, or let PGDATA be an empty folder"
    rmdir "$PGDATA" || refuse "$PGDATA is itself a mount point: let PGDATA be a folder inside of it"
  fi
fi
