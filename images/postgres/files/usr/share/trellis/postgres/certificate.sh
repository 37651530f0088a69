# Read by postgres-entrypoint: a renewed certificate is taken over without a restart.

# Runs as a child of the init process, not of the server: PostgreSQL takes the end of an unknown child for a crash.
watch_certificate() {
  [ -n "$tls" ] || return 0
  seen=$(cksum < "$certificate/tls.crt")
  (
    while sleep "${POSTGRES_TLS_CHECK_SECONDS:-60}"; do
      now=$(cksum < "$certificate/tls.crt") || continue
      [ "$now" != "$seen" ] || continue
      seen=$now
      pg_ctl -D "$PGDATA" reload -s && log "the certificate was renewed"
    done &
  )
}
