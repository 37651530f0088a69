# What the programs of this image share; sourced, never run.

log() { echo "${0##*/}: $*" >&2; }
refuse() { log "$*"; exit 78; }

topology=${REDIS_TOPOLOGY:-standalone}
port=${REDIS_PORT:-6379}
sentinel_port=${REDIS_SENTINEL_PORT:-26379}
primary_name=${REDIS_PRIMARY_NAME:-primary}
data=${REDIS_DATA_DIR:-/data}
# Holds passwords in clear: a volume in memory where there is one.
run=${REDIS_RUN_DIR:-/tmp}
# The pod's own name in DNS, and its number within its StatefulSet.
host=$(uname -n)${REDIS_DOMAIN:-}
ordinal=$(uname -n | sed 's/.*-//')

# 40 hexadecimal digits that stay the same whenever a pod of this name starts again.
identity() { printf %s "$1" | sha1sum | cut -d ' ' -f 1; }

hash_of() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }

# Files with clients' passwords, as `USER FILE` a line.
password_files() {
  echo "default $REDIS_PASSWORD_FILE"
  [ -r "${REDIS_USERS_FILE:-}" ] || return 0
  while read -r name _; do
    [ -z "$name" ] || echo "$name ${REDIS_USERS_DIR:?names the folder with the passwords of the users}/$name"
  done < "$REDIS_USERS_FILE"
}

# Stands for all that they hold, and gives none of it away.
passwords_digest() { password_files | while read -r name file; do echo "$name" && cat "$file" && echo; done | sha256sum | cut -d ' ' -f 1; }

system_password() { cat "${REDIS_SYSTEM_PASSWORD_FILE:?names the file with the password of the members}"; }

# ask USER HOST PORT COMMAND...: one command to another process; silence counts as an answer after five seconds.
ask() {
  user=$1 to=$2 at=$3
  shift 3
  REDISCLI_AUTH=$(system_password) timeout 5 redis-cli -h "$to" -p "$at" --user "$user" --no-auth-warning "$@" 2>&1
}
ask_member() {
  target=$1
  shift
  ask member "$target" "$port" "$@"
}
ask_sentinel() {
  target=$1
  shift
  ask member "$target" "$sentinel_port" "$@"
}

# field NAME: its value in what INFO and CLUSTER INFO print.
field() { tr -d '\r' | sed -n "s/^$1://p"; }

is_member() {
  for candidate in ${REDIS_MEMBERS:-}; do
    [ "$candidate" != "$1" ] || return 0
  done
  return 1
}

# The member that most sentinels call the primary; nothing where none answers.
named_primary() {
  for sentinel in ${REDIS_SENTINELS:-}; do
    answer=$(ask_sentinel "$sentinel" SENTINEL GET-MASTER-ADDR-BY-NAME "$primary_name" | head -n 1)
    if is_member "$answer"; then echo "$answer"; fi
  done | sort | uniq -c | sort -rn | sed -n '1s/^ *[0-9]* //p'
}

# Services may be seconds younger than this pod.
await_names() {
  waited=0
  for one in "$@"; do
    until getent ahostsv4 "$one" > /dev/null; do
      [ "$waited" -lt 120 ] || refuse "$one has no address after $waited seconds"
      [ "$waited" -gt 0 ] || log "waiting for an address of $one"
      sleep 1
      waited=$((waited + 1))
    done
  done
}
address_of() { getent ahostsv4 "$1" | awk 'NR == 1 { print $1 }'; }
