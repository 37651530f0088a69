# What the tasks share; sourced, never run. People read stderr; programs read stdout, where each line is an object of JSON.

log() { echo "backup: $*" >&2; }
fail() { log "$*"; exit 1; }
refuse() { log "$*"; exit 78; }

name=${BACKUP_NAME:?names what is backed up}
# In memory: the identity that decrypts is here, and nowhere else in clear.
run=${BACKUP_RUN_DIR:-/run/backup}
scratch=${BACKUP_SCRATCH_DIR:-/scratch}

# await_port HOST PORT: a NetworkPolicy knows a new pod only a moment after its start.
await_port() {
  local second
  for second in $(seq "${BACKUP_CONNECT_SECONDS:-60}"); do
    if timeout 5 bash -c "exec 3<> /dev/tcp/$1/$2" 2> /dev/null; then return 0; fi
    sleep 1
  done
  fail "$1:$2 does not answer within ${BACKUP_CONNECT_SECONDS:-60} seconds"
}

# Times in names sort as text: 20260102T030405Z.
stamp_of() { date -u -d "@$1" +%Y%m%dT%H%M%SZ; }
seconds_of() {
  local digits=${1//[TZ]/}
  date -u -d "${digits:0:8} ${digits:8:2}:${digits:10:2}:${digits:12:2}" +%s
}

# announce ARCHIVE SUM: what the archive is, for programs.
announce() { printf '{"archive":"%s","bytes":%s,"sha256":"%s"}\n' "$1" "$(store_size "$1.age")" "$2"; }

# push LINE...: metrics that outlive this pod; whoever watches them sees their age. A backup that is good stays good without it.
push() {
  [ -n "${BACKUP_STATUS_ADDRESS:-}" ] || return 0
  local body host=${BACKUP_STATUS_ADDRESS%:*} port=${BACKUP_STATUS_ADDRESS##*:} answer=
  body=$(printf '# TYPE %s gauge\n' "${@%% *}"; printf '%s\n' "$@")
  if (await_port "$host" "$port") && exec 4<> "/dev/tcp/$host/$port"; then
    printf 'POST /metrics/job/backup/backup/%s HTTP/1.0\r\nHost: %s\r\nContent-Length: %s\r\n\r\n%s\n' \
      "$name" "$host" "$((${#body} + 1))" "$body" >&4
    read -r -t 20 answer <&4 || true
    exec 4>&-
  fi
  case "$answer" in *' 200 '* | *' 202 '*) ;; *) log "warning: the metrics could not be delivered: ${answer:-no answer}" ;; esac
}
