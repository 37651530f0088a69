import type { AlertCase } from './promtool-case';
import { growing, pair, series, steady } from './promtool-case';

const MEBIBYTE = 1024 ** 2;
const camel = (job: string): string => job.charAt(0).toUpperCase() + job.slice(1);

/** Series of one cache. */
const of =
  (job: string) =>
  (metric: string, ordinal = 0, labels: Readonly<Record<string, string>> = {}): string =>
    series(job, metric, { pod: `${job}-${ordinal}`, ...labels });

const everyCache = (job: string): readonly AlertCase[] => {
  const [name, on] = [camel(job), of(job)];
  return [
    ...pair(
      `${name}Down`,
      job,
      '5m',
      ['the exporter cannot connect', { [on('redis_up')]: steady(0) }],
      ['the server answers', { [on('redis_up')]: steady(1) }],
    ),
    { alert: `${name}Down`, job, at: '5m', fires: true, title: 'the pod is gone', series: {} },
    ...pair(
      `${name}ConnectionsNearMax`,
      job,
      '10m',
      ['801 of 1000', { [on('redis_connected_clients')]: steady(801) }],
      ['800 of 1000', { [on('redis_connected_clients')]: steady(800) }],
    ),
    ...pair(
      `${name}ConnectionsRejected`,
      job,
      '12m',
      ['three of them', { [on('redis_rejected_connections_total')]: `${steady(0, 10)} ${steady(3, 10)}` }],
      ['some long ago', { [on('redis_rejected_connections_total')]: steady(3) }],
    ),
  ];
};

const memory = (job: string, used: number) => ({
  [of(job)('redis_memory_used_bytes')]: steady(used * MEBIBYTE),
  [of(job)('redis_memory_max_bytes')]: steady(100 * MEBIBYTE),
});
const nearlyFull = (job: string): readonly AlertCase[] =>
  pair(`${camel(job)}MemoryNearlyFull`, job, '15m', ['91 %', memory(job, 91)], ['89 %', memory(job, 89)]);

const found = (job: string, hits: number, evicted: number) => ({
  [of(job)('redis_keyspace_hits_total')]: growing(hits, 90),
  [of(job)('redis_keyspace_misses_total')]: growing(100 - hits, 90),
  [of(job)('redis_evicted_keys_total')]: growing(evicted, 90),
});
const thrashing = (job: string): readonly AlertCase[] => [
  ...pair(
    `${camel(job)}Evicting`,
    job,
    '60m',
    ['keys are dropped and most are not found', found(job, 40, 10)],
    ['keys are dropped and most are found', found(job, 90, 10)],
  ),
  {
    ...{ alert: `${camel(job)}Evicting`, job, at: '60m', fires: false },
    ...{ title: 'a cache that is still empty', series: found(job, 10, 0) },
  },
];

const status = (job: string, alert: string, metric: string): readonly AlertCase[] =>
  pair(
    `${camel(job)}${alert}`,
    job,
    '15m',
    ['the last one failed', { [of(job)(metric)]: steady(0) }],
    ['the last one was well', { [of(job)(metric)]: steady(1) }],
  );
const snapshot = (job: string): readonly AlertCase[] => status(job, 'SnapshotFailed', 'redis_rdb_last_bgsave_status');
const durable = (job: string): readonly AlertCase[] => [
  ...snapshot(job),
  ...status(job, 'AppendFailed', 'redis_aof_last_write_status'),
  ...status(job, 'AppendRewriteFailed', 'redis_aof_last_bgrewrite_status'),
  ...pair(
    `${camel(job)}DiskSlow`,
    job,
    '40m',
    ['one a minute', { [of(job)('redis_aof_delayed_fsync')]: growing(1) }],
    ['one in ten minutes', { [of(job)('redis_aof_delayed_fsync')]: growing(0.1) }],
  ),
];

/** `up` of each member in turn. */
const members = (job: string, ups: readonly number[]) =>
  Object.fromEntries(ups.map((up, ordinal) => [of(job)('redis_up', ordinal), steady(up)]));
const severalServers = (job: string, count: number): readonly AlertCase[] => [
  ...pair(
    `${camel(job)}MemberDown`,
    job,
    '10m',
    ['one is away', members(job, [0, ...Array<number>(count - 1).fill(1)])],
    ['all answer', members(job, Array<number>(count).fill(1))],
  ),
  ...pair(
    `${camel(job)}ReplicaDisconnected`,
    job,
    '10m',
    ['the link is down', { [of(job)('redis_master_link_up', 1)]: steady(0) }],
    ['the link is up', { [of(job)('redis_master_link_up', 1)]: steady(1) }],
  ),
];

/** Members by their role, all of them up. */
const roles = (job: string, names: readonly string[]) => ({
  ...members(
    job,
    names.map(() => 1),
  ),
  ...Object.fromEntries(names.map((role, ordinal) => [of(job)('redis_instance_info', ordinal, { role }), steady(1)])),
});
const sentinels: readonly AlertCase[] = [
  ...pair(
    'CacheNoPrimary',
    'cache',
    '5m',
    ['replicas only', roles('cache', ['slave', 'slave', 'slave'])],
    ['a primary and replicas', roles('cache', ['slave', 'master', 'slave'])],
  ),
  ...pair(
    'CacheTwoPrimaries',
    'cache',
    '5m',
    ['two of three', roles('cache', ['master', 'master', 'slave'])],
    ['one of three', roles('cache', ['master', 'slave', 'slave'])],
  ),
  ...pair(
    'CacheWritesRefused',
    'cache',
    '5m',
    [
      'the primary is alone',
      { ...roles('cache', ['master', 'slave']), [of('cache')('redis_connected_slaves')]: steady(0) },
    ],
    [
      'a replica has none of its own',
      {
        ...roles('cache', ['master', 'slave']),
        [of('cache')('redis_connected_slaves')]: steady(1),
        [of('cache')('redis_connected_slaves', 1)]: steady(0),
      },
    ],
  ),
  ...pair(
    'CacheEvicting',
    'cache',
    '40m',
    ['one key a minute', { [of('cache')('redis_evicted_keys_total')]: growing(1) }],
    ['none since long ago', { [of('cache')('redis_evicted_keys_total')]: steady(100) }],
  ),
];

const state = (value: number) => ({
  [of('sharded')('redis_cluster_state')]: steady(value),
  [of('sharded')('redis_cluster_state', 1)]: steady(1),
});
const cluster: readonly AlertCase[] = [
  ...pair(
    'ShardedShardDown',
    'sharded',
    '5m',
    ['two primaries for three shards', roles('sharded', ['master', 'master', 'slave', 'slave', 'slave'])],
    ['three primaries', roles('sharded', ['master', 'master', 'master', 'slave', 'slave'])],
  ),
  ...pair('ShardedClusterBroken', 'sharded', '5m', ['a member sees it', state(0)], ['all are content', state(1)]),
];

/** Cases of all topologies and policies. */
export const cacheCases: readonly AlertCase[] = [
  ...['cache', 'queue', 'pages', 'sharded'].flatMap(everyCache),
  ...['cache', 'queue'].flatMap((job) => [...nearlyFull(job), ...durable(job)]),
  ...['pages', 'sharded'].flatMap(thrashing),
  ...snapshot('sharded'),
  ...severalServers('cache', 3),
  ...severalServers('sharded', 6),
  ...sentinels,
  ...cluster,
];
