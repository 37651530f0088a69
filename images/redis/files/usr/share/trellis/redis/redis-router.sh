# The way to the primary: HAProxy, which asks members and sentinels who that is. Sourced by redis-entrypoint.

config=${REDIS_ROUTER_CONFIG:-/etc/redis/router.cfg}
[ -r "$config" ] || refuse "$config can't be read: mount the router's configuration there"
await_names $REDIS_MEMBERS $REDIS_SENTINELS
# Read by the configuration, and not inherited by anything: HAProxy starts no other program.
REDIS_SYSTEM_PASSWORD=$(system_password)
export REDIS_SYSTEM_PASSWORD
exec haproxy -db -f "$config" "$@"
