# Where archives are: a folder, or a place that rclone knows. An archive is three files: NAME.age, NAME.facts.age (what has to be in it)
# and NAME.sha256, which is written last: without it the others are no archive, whatever stopped their writer.

remote=${BACKUP_REMOTE:-}
folder=${BACKUP_DIR:-/backup}
pattern="^${BACKUP_NAME}-[0-9]{8}T[0-9]{6}Z"

cloud() { rclone --config=/dev/null --log-level=ERROR "$@"; }

store_ready() {
  if [ -z "$remote" ]; then
    # Whoever only reads has it mounted to read.
    [ "$task" = backup ] || return 0
    [ -w "$folder" ] || refuse "$folder cannot be written by user $(id -u): mount the volume there with fsGroup $(id -g)"
    return 0
  fi
  local second error=
  for second in $(seq "${BACKUP_CONNECT_SECONDS:-60}"); do
    # A bucket that is empty has no folder yet.
    if error=$(cloud --low-level-retries=1 --retries=1 --contimeout=5s lsf "$remote" 2>&1 > /dev/null); then return 0; fi
    case "$error" in *'directory not found'*) return 0 ;; esac
    sleep 1
  done
  fail "the object storage does not answer: $error"
}

# One writer at a time. Names in object storage are unique, and an archive counts once it is complete.
store_lock() {
  [ -z "$remote" ] || return 0
  exec 9> "$folder/.$name.lock"
  flock --nonblock 9 || fail "another backup of $name is running"
}

# store_put FILE: from stdin. It is not there before store_commit.
store_put() { if [ -n "$remote" ]; then cloud rcat "$remote/$1"; else cat > "$folder/.partial-$1"; fi; }
store_commit() {
  [ -z "$remote" ] || return 0
  sync "$folder/.partial-$1"
  mv "$folder/.partial-$1" "$folder/$1"
  sync "$folder"
}
store_get() { if [ -n "$remote" ]; then cloud cat "$remote/$1"; else cat "$folder/$1"; fi; }
store_size() {
  if [ -n "$remote" ]; then cloud lsf --format s "$remote/$1"; else stat -c %s "$folder/$1"; fi
}
store_remove() {
  if [ -n "$remote" ]; then cloud deletefile "$remote/$1" 2> /dev/null || true; else rm -f "$folder/$1" "$folder/.partial-$1"; fi
}
store_files() {
  if [ -n "$remote" ]; then cloud lsf --files-only "$remote" 2> /dev/null || true; else ls -1 "$folder"; fi
}

# Complete archives, the oldest first.
archives() {
  local files
  files=$(store_files)
  { grep -E "$pattern\.sha256\$" <<< "$files" || true; } | sed 's/\.sha256$//' | LC_ALL=C sort | while read -r one; do
    if grep -qxF "$one.age" <<< "$files"; then echo "$one"; fi
  done
}

remove_archive() {
  # First what makes it one.
  store_remove "$1.sha256"
  store_remove "$1.facts.age"
  store_remove "$1.age"
}

# What a killed run left behind. In object storage another run may be writing: it has a day.
remove_unfinished() {
  local one stamp
  [ -n "$remote" ] || rm -f "$folder/.partial-$name"-*
  store_files | { grep -E "$pattern(\.facts)?\.age\$" || true; } | sed -E 's/(\.facts)?\.age$//' | sort -u | while read -r one; do
    if store_files | grep -qxF "$one.sha256"; then continue; fi
    stamp=${one#"$name"-}
    if [ -n "$remote" ] && [ "$(($(date -u +%s) - $(seconds_of "$stamp")))" -lt 86400 ]; then continue; fi
    log "removing $one, which was never finished"
    remove_archive "$one"
  done
}

# The name of the next archive. It sorts after all others even where a clock was ahead when they were made.
next_archive() {
  local now last newest
  now=$(date -u +%s)
  newest=$(archives | tail -n 1)
  if [ -n "$newest" ]; then
    last=$(seconds_of "${newest#"$name"-}")
    if [ "$now" -le "$last" ]; then
      [ "$((last - now))" -lt 60 ] || log "warning: the newest archive is $((last - now)) seconds ahead of this clock"
      now=$((last + 1))
    fi
  fi
  echo "$name-$(stamp_of "$now")"
}

# By count and by age. Age alone never takes the two newest: a clock that jumped ahead makes everything old.
prune() {
  local all=() one index age
  mapfile -t all < <(archives)
  for ((index = 0; index < ${#all[@]}; index++)); do
    one=${all[index]}
    age=$((($(date -u +%s) - $(seconds_of "${one#"$name"-}")) / 86400))
    if ((index < ${#all[@]} - ${BACKUP_KEEP:-7})) || { ((index < ${#all[@]} - 2)) && ((age >= ${BACKUP_MAX_AGE_DAYS:-30})); }; then
      remove_archive "$one"
      log "pruned: $one"
    fi
  done
}

# check_archive ARCHIVE: prints the sum of its main file.
check_archive() {
  local sum file found
  while read -r sum file; do
    found=$(store_get "$file" | sha256sum)
    [ "${found%% *}" = "$sum" ] || fail "$file is not what was written: its checksum is ${found%% *}, and $1.sha256 says $sum"
  done < <(store_get "$1.sha256")
  store_get "$1.sha256" | sed -n "s/  $1\.age\$//p"
}

# choose ARCHIVE|latest: prints the name of one that is there.
choose() {
  local found
  if [ "$1" = latest ]; then
    found=$(archives | tail -n 1)
    [ -n "$found" ] || fail "there is no archive of $name"
  else
    found=$(archives | grep -xF "$1") || fail "there is no complete archive '$1'; there are: $(archives | tr '\n' ' ')"
  fi
  echo "$found"
}
