# A sentinel: watches the primary and agrees with the others on the next one. Sourced by redis-entrypoint.

file=$run/sentinel.conf

# Before the first start one primary is agreed on; later the other sentinels know, and after them the members themselves.
watched_primary() {
  found=$(named_primary)
  for one in $REDIS_MEMBERS; do
    [ -z "$found" ] || break
    if [ "$(ask_member "$one" ROLE | head -n 1)" = master ]; then found=$one; fi
  done
  echo "${found:-${REDIS_MEMBERS%% *}}"
}

# What a sentinel learns it writes into this file, so a restarted container goes on where it was.
if [ ! -s "$file" ]; then
  await_names $REDIS_MEMBERS $REDIS_SENTINELS
  password=$(system_password)
  {
    echo "port $sentinel_port"
    echo 'bind * -::*'
    echo 'protected-mode no'
    echo 'daemonize no'
    echo 'logfile ""'
    echo 'pidfile ""'
    echo "dir $run"
    echo 'sentinel deny-scripts-reconfig yes'
    echo 'sentinel resolve-hostnames yes'
    echo 'sentinel announce-hostnames yes'
    echo "sentinel announce-ip $host"
    echo "sentinel announce-port $sentinel_port"
    # A sentinel that came back under a new identity would count twice, and no majority might ever be found again.
    echo "sentinel myid $(identity "$host")"
    echo "sentinel monitor $primary_name $(watched_primary) $port ${REDIS_QUORUM:?}"
    echo "sentinel down-after-milliseconds $primary_name ${REDIS_DOWN_AFTER_MS:-5000}"
    echo "sentinel failover-timeout $primary_name ${REDIS_FAILOVER_TIMEOUT_MS:-30000}"
    echo "sentinel parallel-syncs $primary_name 1"
    echo "sentinel auth-user $primary_name sentinel"
    echo "sentinel auth-pass $primary_name $password"
    echo 'sentinel sentinel-user sentinel'
    echo "sentinel sentinel-pass $password"
    echo "user default off"
    echo "user sentinel on #$(hash_of "$password") &* +ping +sentinel +publish +subscribe +hello +client +role +info +command"
    echo "user member on #$(hash_of "$password") +ping +sentinel|get-master-addr-by-name +sentinel|failover +sentinel|replicas +sentinel|ckquorum"
    echo "user router on #$(hash_of "$password") +ping +sentinel|get-master-addr-by-name"
  } > "$file.new"
  mv "$file.new" "$file"
  unset password
fi

exec redis-server "$file" --sentinel "$@"
