/** What the router is told. */
export interface RouterSettings {
  /** Hosts of the pods that hold data. */
  readonly members: readonly string[];
  readonly sentinels: readonly string[];
  /** Port of the members, and of the router's way to the primary. */
  readonly port: number;
  /** Port of the way to the replicas. */
  readonly readOnlyPort: number;
  readonly healthPort: number;
  readonly sentinelPort: number;
  readonly primaryName: string;
  readonly maxClients: number;
}

// A member is asked twice a second, and more often once an answer differs: half a second or so until its connections are cut.
const CHECK = 'check inter 500ms fastinter 200ms downinter 500ms fall 2 rise 1';

// An answer comes whole: what is not in it after so many bytes will not come, and is not waited for.
const ENOUGH = 16;

const ask = (command: string, ...expected: readonly string[]): readonly string[] => [
  '  option tcp-check',
  '  tcp-check connect',
  '  tcp-check send "AUTH router ${REDIS_SYSTEM_PASSWORD}\\r\\n"',
  '  tcp-check expect string +OK',
  `  tcp-check send "${command}\\r\\n"`,
  ...expected.map((text) => `  tcp-check expect min-recv ${ENOUGH} string "${text}"`),
];

/**
 * Configuration of HAProxy. A client is led to the member that calls itself the primary and that most sentinels name, so that a former
 * primary that comes back takes no write. Where only one calls itself so, one sentinel is enough: the others hear of a fail-over a
 * second later. A connection is cut as soon as its member is no primary any more: clients that keep it would write into nothing.
 */
export function routerConf(settings: RouterSettings): string {
  const { members, maxClients, port, readOnlyPort, healthPort } = settings;
  return [
    'global',
    `  maxconn ${maxClients + 10}`,
    '  nbthread 2',
    'defaults',
    '  mode tcp',
    // A member that was just killed does not refuse, it is silent: the client tries again sooner than the proxy would.
    '  timeout connect 1s',
    '  retries 0',
    // A pool keeps idle connections, and a subscriber may wait for long; dead ends are found by keep-alive.
    '  timeout client 24h',
    '  timeout server 24h',
    '  timeout check 2s',
    '  option clitcpka',
    '  option srvtcpka',
    '  default-server init-addr libc on-marked-down shutdown-sessions',
    'frontend read-write',
    `  bind :::${port} v4v6`,
    ...toPrimary(settings),
    '  default_backend nobody',
    'frontend read-only',
    `  bind :::${readOnlyPort} v4v6`,
    '  use_backend replicas if { nbsrv(replicas) ge 1 }',
    ...toPrimary(settings),
    '  default_backend nobody',
    'frontend health',
    '  mode http',
    '  timeout client 5s',
    '  timeout http-request 5s',
    `  bind :::${healthPort} v4v6`,
    // Several lines of one name mean that any of them is enough.
    ...members.map((_, index) => `  acl primary nbsrv(primary-${index}) ge 1`),
    '  http-request return status 200 content-type text/plain string alive if { path /alive }',
    '  http-request return status 200 content-type text/plain string ready if { path /ready } primary',
    '  http-request return status 503 content-type text/plain string "no primary"',
    'backend nobody',
    '  tcp-request content reject',
    'backend replicas',
    '  balance leastconn',
    ...ask('INFO replication', 'role:slave', 'master_link_status:up'),
    ...members.map((host, index) => `  server member-${index} ${host}:${port} ${CHECK}`),
    ...members.flatMap((host, index) => memberBackends(settings, host, index)),
    '',
  ].join('\n');
}

function toPrimary({ members, sentinels }: RouterSettings): readonly string[] {
  const majority = Math.floor(sentinels.length / 2) + 1;
  const claims = (index: number): string => `{ nbsrv(primary-${index}) ge 1 }`;
  const named = (index: number, by: number): string => `{ nbsrv(named-${index}) ge ${by} }`;
  return [
    ...members.map((_, index) => `  use_backend primary-${index} if ${claims(index)} ${named(index, majority)}`),
    ...members.map((_, index) => {
      const others = members.flatMap((__, other) => (other === index ? [] : [`!${claims(other)}`]));
      return `  use_backend primary-${index} if ${[claims(index), named(index, 1), ...others].join(' ')}`;
    }),
  ];
}

// One back end asks the member what it is, the other the sentinels whom they name.
const memberBackends = (settings: RouterSettings, host: string, index: number): readonly string[] => [
  `backend primary-${index}`,
  ...ask('INFO replication', 'role:master'),
  `  server member-${index} ${host}:${settings.port} ${CHECK}`,
  `backend named-${index}`,
  ...ask(`SENTINEL get-master-addr-by-name ${settings.primaryName}`, `\\r\\n${host}\\r\\n`),
  ...settings.sentinels.map((sentinel, at) => `  server sentinel-${at} ${sentinel}:${settings.sentinelPort} ${CHECK}`),
];
