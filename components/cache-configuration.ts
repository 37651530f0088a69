import type { Duration } from 'cdk8s';
import { Size } from 'cdk8s';
import type { CachePersistence, EvictionPolicy } from './cache-options';
import type { CacheTopology } from './cache-topology';
import { sizeBytes } from './units';

/**
 * Part of the memory limit that data may fill. The rest is for client buffers, fragmentation and the process itself; a rewrite of the
 * append-only file forks, as a first copy to a replica does, and every page written meanwhile is copied.
 */
export const DATA_SHARE = { memoryOnly: 0.75, forking: 0.6 } as const;

/** Whether the server forks while it serves. */
export const forks = (persistence: CachePersistence, topology: CacheTopology): boolean =>
  persistence.durable || topology.members !== undefined;

/** Largest `maxMemory` that a memory limit allows. */
export const largestData = (limit: Size, forking: boolean): Size =>
  Size.kibibytes(Math.floor((sizeBytes(limit) * (forking ? DATA_SHARE.forking : DATA_SHARE.memoryOnly)) / 1024));

/**
 * What the clients' user may do: all but what drops or lists every key, stops the server, shows or rewrites its settings, copies it
 * elsewhere or reads what others send (Redis' category `dangerous`, such as FLUSHALL, KEYS, CONFIG, DEBUG, SHUTDOWN and MONITOR).
 * The exceptions read only; `info` is what client libraries ask when they connect.
 */
export const CLIENT_COMMANDS: readonly string[] = [
  '+@all',
  '-@dangerous',
  ...['info', 'sort', 'role', 'slowlog', 'latency', 'lastsave'].map((name) => `+${name}`),
];

/** What `redis.conf` is written from. */
export interface CacheSettings {
  readonly port: number;
  readonly maxMemory: Size;
  readonly eviction: EvictionPolicy;
  readonly persistence: CachePersistence;
  readonly topology: CacheTopology;
  /** Memory limit of the container. */
  readonly memory: Size;
  readonly maxClients: number;
  readonly idleTimeout: Duration | undefined;
}

/** The text of `redis.conf`; address, folder, password and the clients' user are added by the image at its start. */
export function redisConf(settings: CacheSettings): string {
  const { port, maxMemory, eviction, maxClients, idleTimeout } = settings;
  return [
    '# Network. A client that vanished is noticed after about two minutes.',
    `port ${port}`,
    'tcp-backlog 511',
    'tcp-keepalive 60',
    `timeout ${idleTimeout?.toSeconds() ?? 0}`,
    `maxclients ${maxClients}`,
    '',
    '# Memory, derived from the limit of the container. Clients share a tenth of it for their buffers.',
    `maxmemory ${sizeBytes(maxMemory)}`,
    `maxmemory-policy ${eviction}`,
    'maxmemory-samples 5',
    'maxmemory-clients 10%',
    '',
    '# Large values are freed beside the commands, which would wait for it otherwise.',
    ...['eviction', 'expire', 'server-del', 'user-del', 'user-flush'].map((name) => `lazyfree-lazy-${name} yes`),
    '',
    ...persistenceLines(settings.persistence),
    '',
    ...memberLines(settings),
    '# Nobody changes where files are written, loads code or stops the process from outside.',
    'enable-protected-configs no',
    'enable-debug-command no',
    'enable-module-command no',
    '',
    '# Logging goes to stdout; commands slower than 10 ms and latencies above 100 ms can be asked for.',
    'loglevel notice',
    'slowlog-log-slower-than 10000',
    'slowlog-max-len 256',
    'latency-monitor-threshold 100',
    '',
  ].join('\n');
}

function persistenceLines(persistence: CachePersistence): readonly string[] {
  const none = ['# No snapshots: a dump at intervals is neither a cache nor durable.', 'save ""'];
  if (!persistence.durable) return [...none, 'appendonly no'];
  return [
    ...none,
    'appendonly yes',
    `appendfsync ${String(persistence.fsync)}`,
    'no-appendfsync-on-rewrite no',
    'auto-aof-rewrite-percentage 100',
    'auto-aof-rewrite-min-size 64mb',
    'aof-use-rdb-preamble yes',
    // A write that a killed node left half done is cut off at the next start, instead of refusing to start.
    'aof-load-truncated yes',
  ];
}

function memberLines({ topology, memory }: CacheSettings): readonly string[] {
  const { members, sharding } = topology;
  if (members === undefined) return [];
  const part = (share: number): number => Math.max(1024 ** 2, Math.floor(sizeBytes(memory) / share));
  return [
    '# Replicas. A fork copies to them without a file; the backlog lets one that was away for long go on where it was.',
    'repl-diskless-sync yes',
    'repl-diskless-sync-delay 1',
    `repl-backlog-size ${part(64)}`,
    // One that reads too slowly is cut off before its buffer fills what data leaves free.
    `client-output-buffer-limit replica ${part(8)} ${part(16)} 60`,
    '',
    '# A primary that is cut off from its replicas takes no writes: they would be lost when another takes over.',
    `min-replicas-to-write ${members.minReplicasToWrite}`,
    `min-replicas-max-lag ${members.maxReplicaLag.toSeconds()}`,
    '',
    ...(sharding === undefined
      ? []
      : [
          '# Cluster. Without one of its shards it refuses all commands, rather than some of them.',
          'cluster-enabled yes',
          'cluster-config-file nodes.conf',
          `cluster-node-timeout ${members.failureDetection.toMilliseconds()}`,
          'cluster-require-full-coverage yes',
          'cluster-allow-replica-migration no',
          '',
        ]),
  ];
}
