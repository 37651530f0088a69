# The files of a volume that somebody else writes to. Each file is whole where its writer renames it into place; what is written to
# meanwhile is taken as it is found.

data=${BACKUP_DATA_DIR:-/data}

source_ready() { [ -d "$data" ] || refuse "$data is not there: mount the volume"; }

produce() {
  local code=0
  # 1: a file changed or went away while it was read.
  tar --create --gzip --numeric-owner --sort=name --exclude=./lost+found --directory="$data" . || code=$?
  [ "$code" -le 1 ] || return "$code"
  [ "$code" -eq 0 ] || log "warning: files changed while they were read"
}

contents() { tar --list --gzip --verbose --numeric-owner | awk '{ count[substr($1, 1, 1)]++; if ($1 ~ /^-/) bytes += $3 }
  END { for (kind in count) print "entries " kind " " count[kind]; printf "bytes %.0f\n", bytes }' | LC_ALL=C sort; }

inspect() { contents > "$run/facts"; }

occupied() { [ -n "$(find "$data" -mindepth 1 -maxdepth 1 ! -name lost+found ! -name '.restoring' -print -quit)" ]; }

# Beside the old files first: those are not touched before the archive was read to its end.
bring_back() {
  local fresh=$data/.restoring
  rm -rf "$fresh"
  mkdir "$fresh"
  at_exit="rm -rf $fresh"
  store_get "$1.age" | decrypt | tar --extract --gzip --preserve-permissions --no-same-owner --no-overwrite-dir --directory="$fresh"
  sync
  [ "$replace" != true ] || find "$data" -mindepth 1 -maxdepth 1 ! -name lost+found ! -name .restoring -exec rm -rf {} +
  find "$fresh" -mindepth 1 -maxdepth 1 -exec mv -t "$data" {} +
  sync
}

rehearse() {
  mkdir -p "$scratch/files"
  at_exit="rm -rf $scratch/files"
  store_get "$1.age" | decrypt | tar --extract --gzip --preserve-permissions --no-same-owner --no-overwrite-dir --directory="$scratch/files"
  tar --create --gzip --numeric-owner --directory="$scratch/files" . | contents > "$run/found"
}
