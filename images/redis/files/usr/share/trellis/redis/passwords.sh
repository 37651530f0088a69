# Read by redis-entrypoint: with REDIS_LIVE_PASSWORDS, clients' passwords are taken over from their files while the server runs.

live() { [ "${REDIS_LIVE_PASSWORDS:-false}" = true ]; }

# Of two users: `passwords` changes them, with a password that this shell alone knows. As `aligned` nothing can be done; its password
# is the digest of the files that the server goes by, so that whoever has the same files can ask whether they are in force.
live_users() {
  live || return 0
  [ -n "${REDIS_PASSWORD_FILE:-}" ] || refuse "REDIS_LIVE_PASSWORDS needs REDIS_PASSWORD_FILE"
  in_force=$(passwords_digest)
  user_line passwords "#$(hash_of "$own_password")" '+acl|setuser'
  user_line aligned "#$(hash_of "$in_force")" '+ping'
}

# Each user's passwords at once, so that none that stays is refused for a moment. An empty file is none: it would let nobody in.
password_commands() {
  password_files | while read -r name file; do
    hashes=$(hashes_in "$file")
    if [ -z "$hashes" ]; then
      log "$file holds no password; nothing was changed"
      return 1
    fi
    echo "ACL SETUSER $name resetpass $hashes"
  done || return 1
  [ "${REDIS_BACKUP_USER:-false}" != true ] || echo "ACL SETUSER backup resetpass $(backup_hashes)"
}

align_passwords() {
  commands=$(password_commands) || return 0
  # Through the standard input, since arguments are seen by every process of the container.
  answers=$(printf '%s\nACL SETUSER aligned resetpass #%s\n' "$commands" "$(hash_of "$1")" |
    REDISCLI_AUTH=$own_password redis-cli -h 127.0.0.1 -p "$port" --user passwords --no-auth-warning 2>&1) || return 1
  [ "$(echo "$answers" | sort -u)" = OK ] || return 1
  log "clients' passwords are those of their files again"
}

# A child of the init process, not of the server.
watch_passwords() {
  live || return 0
  in_force=$(passwords_digest)
  (
    while sleep "${REDIS_PASSWORD_CHECK_SECONDS:-5}"; do
      now=$(passwords_digest) || continue
      [ "$now" != "$in_force" ] || continue
      if align_passwords "$now"; then in_force=$now; fi
    done &
  )
}
