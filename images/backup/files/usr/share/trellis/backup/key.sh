# The key: an identity of age, or any other secret text, which then leads to one. Shell builtins and pipes only, so that no part of it is
# ever an argument of a program.

charset=qpzry9x8gf2tvdw0s3jn54khce6mua7l

# checksum VALUE...: of Bech32 (BIP 173), over groups of five bits.
checksum() {
  local generator=(0x3b6a57b2 0x26508e6d 0x1ea119fa 0x3d4233dd 0x2a1462b3) sum=1 top bit value
  for value in "$@"; do
    top=$((sum >> 25))
    sum=$((((sum & 0x1ffffff) << 5) ^ value))
    for bit in 0 1 2 3 4; do
      if (((top >> bit) & 1)); then sum=$((sum ^ generator[bit])); fi
    done
  done
  echo "$((sum ^ 1))"
}

# encode HRP HEX: bytes as Bech32.
encode() {
  local hrp=$1 hex=$2 data=() high=() low=() held=0 bits=0 index code sum text=$1 value
  for ((index = 0; index < ${#hrp}; index++)); do
    printf -v code %d "'${hrp:index:1}"
    high+=($((code >> 5)))
    low+=($((code & 31)))
  done
  for ((index = 0; index < ${#hex}; index += 2)); do
    held=$(((held << 8) | 0x${hex:index:2}))
    bits=$((bits + 8))
    while ((bits >= 5)); do
      bits=$((bits - 5))
      data+=($(((held >> bits) & 31)))
      held=$((held & ((1 << bits) - 1)))
    done
  done
  if ((bits > 0)); then data+=($(((held << (5 - bits)) & 31))); fi
  sum=$(checksum "${high[@]}" 0 "${low[@]}" "${data[@]}" 0 0 0 0 0 0)
  for index in 5 4 3 2 1 0; do data+=($(((sum >> (5 * index)) & 31))); done
  text+=1
  for value in "${data[@]}"; do text+=${charset:value:1}; done
  echo "$text"
}

# Writes the identity that archives are encrypted to and decrypted with.
make_identity() {
  local key hex
  [ -r "${BACKUP_KEY_FILE:?names the file with the key}" ] || refuse "the key is missing: $BACKUP_KEY_FILE cannot be read"
  key=$(cat "$BACKUP_KEY_FILE")
  [ "${#key}" -ge 32 ] || refuse "the key in $BACKUP_KEY_FILE is too short: it must have 32 characters or more"
  mkdir -p "$run"
  identity=$run/identity
  case "$key" in
    AGE-SECRET-KEY-1*) printf '%s\n' "$key" > "$identity" ;;
    *)
      hex=$(printf 'trellis backup 1:%s' "$key" | sha256sum)
      key=$(encode age-secret-key- "${hex%% *}")
      printf '%s\n' "${key^^}" > "$identity"
      ;;
  esac
}

encrypt() { age --encrypt --identity "$identity"; }
decrypt() { age --decrypt --identity "$identity"; }
