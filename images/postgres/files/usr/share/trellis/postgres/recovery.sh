# Read by postgres-entrypoint and postgres-restore where POSTGRES_RECOVERY is set: this server's data began in a repository.
# The file beside the data folder names the repository that it is recovered from; it goes once that is over for good.
origin=$volume/.recovered-from

case "$POSTGRES_RECOVERY" in
  standby | primary) ;;
  *) refuse "POSTGRES_RECOVERY is '$POSTGRES_RECOVERY'; it is standby or primary" ;;
esac
[ -z "${POSTGRES_RECOVERY_TO:-}" ] || [ "$POSTGRES_RECOVERY" = primary ] || refuse "POSTGRES_RECOVERY_TO has no use for a standby, which goes on for good"

recovering() {
  [ -f "$PGDATA/standby.signal" ] || [ -f "$PGDATA/recovery.signal" ]
}

# The server's own arguments win over what pgBackRest wrote to its files.
start_recovery() {
  from=$(cat "$origin" 2>/dev/null) || refuse "$PGDATA is in recovery, and $origin does not say from which repository"
  until=
  if [ -f "$PGDATA/recovery.signal" ] && [ -n "${POSTGRES_RECOVERY_TO:-}" ]; then
    log "recovering from $from up to $POSTGRES_RECOVERY_TO"
    set -- -c "recovery_target_time=$POSTGRES_RECOVERY_TO" -c recovery_target_action=promote "$@"
  fi
  exec postgres -D "$PGDATA" -c "config_file=$config" -c "hba_file=$hba" \
    -c unix_socket_directories=/tmp -c unix_socket_permissions=0700 \
    -c "restore_command=pgbackrest-repository $from archive-get %f \"%p\"" -c recovery_target_timeline=latest $tls "$@"
}

# Nobody can change a password while the server follows: its roles are those of the server that it came from. As a child of
# the init process, like the watch on the certificate.
watch_recovery() {
  rm -f /tmp/recovery-ended
  (
    while sleep 1; do
      following=$(psql -X -w -At -h /tmp -U postgres -d template1 -c 'select pg_is_in_recovery()' 2>/dev/null) || continue
      [ "$following" = f ] || continue
      align_here || { log "the roles did not get the passwords given yet"; continue; }
      log "recovery has ended: this server is a primary, and its roles have the passwords given"
      touch /tmp/recovery-ended
      break
    done &
  )
}

# As in setup.sh, through the socket of the server that clients use; none of it may get into its log.
align_here() {
  superuser=postgres
  as_superuser() {
    PGOPTIONS='-c log_statement=none -c log_min_duration_statement=-1 -c log_min_error_statement=panic' \
      psql -X -q -h /tmp -U "$superuser" -v ON_ERROR_STOP=1 -v role="$POSTGRES_USER" -v db="$POSTGRES_DB" "$@"
  }
  set_password && align_roles fresh
}
