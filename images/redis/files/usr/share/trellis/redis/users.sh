# Users of the server, each with its password as a hash; sourced by redis-entrypoint.

# user_line NAME HASHES RULES
user_line() { echo "user $1 on sanitize-payload $2 $3"; }

# hashes_in FILE: of each line, since a user may have several passwords while one follows the other.
hashes_in() {
  while IFS= read -r one || [ -n "$one" ]; do
    [ -z "$one" ] || printf '#%s ' "$(hash_of "$one")"
  done < "$1"
}

# All commands, save those that drop or list every key, stop the server, show or rewrite its settings, or read what others send.
client_rules=${REDIS_ACL_RULES:-+@all -@dangerous +info +sort +role +slowlog +latency +lastsave}

client_hashes() {
  if [ -n "${REDIS_PASSWORD_FILE:-}" ]; then
    [ -z "${REDIS_PASSWORD:-}" ] || refuse "REDIS_PASSWORD and REDIS_PASSWORD_FILE are both set; keep one"
    [ -r "$REDIS_PASSWORD_FILE" ] || refuse "REDIS_PASSWORD_FILE names $REDIS_PASSWORD_FILE, which can't be read"
    hashes_in "$REDIS_PASSWORD_FILE"
  elif [ -n "${REDIS_PASSWORD:-}" ]; then
    echo "#$(hash_of "$REDIS_PASSWORD")"
  fi
}

# The clients' user, which a connection that names none belongs to.
default_user() {
  hashes=$(client_hashes) || exit 78
  if [ -n "$hashes" ]; then
    user_line default "$hashes" "~* &* $client_rules"
  elif [ "${REDIS_ALLOW_EMPTY_PASSWORD:-false}" = true ]; then
    log "no password: every client that reaches the port is let in"
    echo "user default on sanitize-payload nopass ~* &* $client_rules"
  else
    refuse "no password: set REDIS_PASSWORD_FILE to a file that holds one, or REDIS_ALLOW_EMPTY_PASSWORD=true"
  fi
}

# Further users: `NAME RULES` a line, with their passwords in files of their names.
further_users() {
  [ -r "${REDIS_USERS_FILE:-}" ] || return 0
  while read -r name rules; do
    [ -n "$name" ] || continue
    file=${REDIS_USERS_DIR:?names the folder with the passwords of the users}/$name
    [ -r "$file" ] || refuse "user $name has no password: $file can't be read"
    user_line "$name" "$(hashes_in "$file")" "$rules"
  done < "$REDIS_USERS_FILE"
}

# Those by which members reach each other: none of them sees a key.
member_users() {
  [ "$topology" != standalone ] || return 0
  password="#$(hash_of "$(system_password)")"
  user_line replication "$password" '+psync +replconf +ping'
  user_line member "$password" '+ping +role +info +cluster +client|pause +client|unpause +client|kill +replicaof'
  user_line router "$password" '+ping +info +role'
  # What Sentinel's documentation lists; it publishes and hears of other sentinels on a channel.
  user_line sentinel "$password" '&* +multi +exec +slaveof +ping +subscribe +publish +config|rewrite +role +info +client|setname +client|kill +script|kill'
}

# One for each password of the clients, since a job may still know the one before.
backup_hashes() {
  if [ -n "${REDIS_PASSWORD_FILE:-}" ]; then cat "$REDIS_PASSWORD_FILE"; else printf %s "${REDIS_PASSWORD:-}"; fi |
    while IFS= read -r one || [ -n "$one" ]; do
      [ -z "$one" ] || printf '#%s ' "$(hash_of "$(hash_of "backup:$one")")"
    done
}

# What copies and brings back all keys, for backups. Its password follows from the clients', so that nobody has to keep another one; the
# job that makes backups knows both.
backup_user() {
  [ "${REDIS_BACKUP_USER:-false}" = true ] || return 0
  hashes=$(backup_hashes)
  [ -n "$hashes" ] || refuse "REDIS_BACKUP_USER needs a password of the clients, from which that of the user backup follows"
  user_line backup "$hashes" '~* +sync +psync +replconf +ping +info +restore +select +flushall'
}

# The exporter beside the server has a password that nobody outside the pod knows, made at the pod's first start.
exporter_user() {
  [ -n "${REDIS_EXPORTER_DIR:-}" ] || return 0
  file=$REDIS_EXPORTER_DIR/password
  if [ ! -s "$file" ]; then
    od -An -N 24 -tx1 /dev/urandom | tr -d ' \n' > "$file.new"
    # The exporter is another user of the same group.
    chmod 440 "$file.new"
    mv "$file.new" "$file"
  fi
  user_line exporter "$(hashes_in "$file")" '+ping +info +client|setname +cluster|info +slowlog|len +slowlog|get +latency|latest +latency|histogram'
}
