# Read by postgres-entrypoint: with POSTGRES_LOGINS_FILE, the roles that clients log in as, `ROLE PASSWORD` a line, taken over while the
# server runs. They are POSTGRES_USER, which owns everything, and roles named `POSTGRES_USER_…` that act as it.

# Nothing where the file is half written or names nobody: that would lock everybody out.
read_logins() {
  names=
  while read -r login secret; do
    case "$login" in
      "$POSTGRES_USER" | "$POSTGRES_USER"_?*) [ -n "$secret" ] || return 1 ;;
      *) return 1 ;;
    esac
    names="$names $login"
  done < "$logins"
  unset secret
  [ -n "$names" ]
}

# align_logins [fresh]: who is in the file gets in with its password, and who is not gets in no more; sessions go on.
align_logins() {
  if ! read_logins; then
    log "$logins must name $POSTGRES_USER or ${POSTGRES_USER}_…, each with a password; nothing was changed"
    return 0
  fi
  while read -r login secret; do
    if [ "${1:-}" = fresh ] || ! knows "$login" "$secret" < /dev/null; then
      TRELLIS_ROLE_PASSWORD=$secret as_superuser -d template1 -v login="$login" -f "$share/align-login.sql" > /dev/null || return 1
      log "role $login may log in with the password given"
    fi
  done < "$logins"
  unset secret
  retired=$(as_superuser -d template1 -v names="${names# }" -At -f "$share/retire-logins.sql") || return 1
  [ -z "$retired" ] || log "no longer logging in: $retired"
}

# Like the one for certificates, a child of the init process and not of the server.
watch_logins() {
  [ -n "$logins" ] || return 0
  (
    while sleep "${POSTGRES_LOGINS_CHECK_SECONDS:-5}"; do
      now=$(cksum < "$logins") || continue
      [ "$now" != "$logins_seen" ] || continue
      # The server's own socket, whose name has the port in it.
      socket=/tmp
      socket_port=$(sed -n 4p "$PGDATA/postmaster.pid") || continue
      if align_logins fresh; then logins_seen=$now; fi
    done &
  )
}
