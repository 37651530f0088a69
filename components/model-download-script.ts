/** Where the Job mounts the cache. */
export const CACHE_MOUNT = '/cache';
/** Exit code of a file that is not what it should be: another attempt would fetch the same. */
export const WRONG_CONTENT = 65;

/**
 * Nothing counts but a whole model: files are fetched into a hidden folder, which is renamed once every checksum was right.
 * What is there already is verified and not fetched again; what was cut short is continued.
 */
export const FETCH_SCRIPT = `
umask 022
cd ${CACHE_MOUNT}
listing() { printf '%s\\n' "$MODEL_FILES" | sed 's/^\\([0-9a-f]*\\) \\([^ ]*\\) .*/\\1  \\2/'; }
if [ -d "$MODEL" ]; then
  if (cd "$MODEL" && listing | sha256sum --check --strict --quiet); then
    touch "$MODEL"
    echo "present: $MODEL, every checksum is right"
    exit 0
  fi
  echo "damaged: $MODEL, it is fetched anew"
  mv "$MODEL" ".damaged-$MODEL"
fi
rm -rf .damaged-*
if [ -n "\${TOKEN_FILE-}" ]; then
  (umask 077 && printf 'Authorization: Bearer %s' "$(cat "$TOKEN_FILE")" > /tmp/header)
fi
partial=".partial-$MODEL"
mkdir -p "$partial"
printf '%s\\n' "$MODEL_FILES" | while read -r sum path url; do
  mkdir -p "$partial/$(dirname "$path")"
  if [ -f "$partial/$path" ] && echo "$sum  $partial/$path" | sha256sum --check --status; then continue; fi
  echo "fetching: $url"
  curl --fail --silent --show-error --location --proto "=$PROTOCOL" --proto-redir "=$PROTOCOL" --connect-timeout 20 \\
    --retry 5 --retry-connrefused --speed-limit 1024 --speed-time 60 --continue-at - \${TOKEN_FILE+--header @/tmp/header} \\
    --output "$partial/$path" "$url" || { code=$?; [ "$code" -eq 33 ] && rm -f "$partial/$path"; exit "$code"; }
  found=$(sha256sum < "$partial/$path")
  found=\${found%% *}
  if [ "$found" != "$sum" ]; then
    rm -f "$partial/$path"
    echo "wrong checksum: $url has the SHA-256 $found, expected was $sum" >&2
    exit ${WRONG_CONTENT}
  fi
done
sync
mv "$partial" "$MODEL"
touch "$MODEL"
sync .
echo "complete: $MODEL"
ls -1dt */ | tail -n +3 | while read -r old; do
  case "$old" in lost+found/) continue ;; esac
  rm -rf "./$old"
  echo "pruned: $old"
done
`.trim();

/** Ends when the directory that it is given is there. */
export const WAIT_SCRIPT = `until [ -d "$1" ]; do echo "waiting for the download of $1"; sleep 5; done`;
