import type { Duration } from 'cdk8s';
import { Size } from 'cdk8s';
import type { CachePersistence, EvictionPolicy } from './cache-options';
import { sizeBytes } from './units';

/**
 * Part of the memory limit that data may fill. The rest is for client buffers, fragmentation and the process itself;
 * a rewrite of the append-only file forks, and every page written meanwhile is copied.
 */
export const DATA_SHARE = { memoryOnly: 0.75, appendOnly: 0.6 } as const;

/** Largest `maxMemory` that a memory limit allows. */
export const largestData = (limit: Size, persistence: CachePersistence): Size =>
  Size.kibibytes(
    Math.floor((sizeBytes(limit) * (persistence.durable ? DATA_SHARE.appendOnly : DATA_SHARE.memoryOnly)) / 1024),
  );

/**
 * What the clients' user may do: all but what drops every key, stops the server, rewrites its settings, copies it elsewhere or
 * reads what others send (Redis' category `dangerous`). The exceptions read only; `info` is what client libraries ask when they connect.
 */
export const CLIENT_COMMANDS: readonly string[] = [
  '+@all',
  '-@dangerous',
  ...['info', 'keys', 'sort', 'role', 'slowlog', 'latency', 'lastsave', 'config|get'].map((name) => `+${name}`),
];

/** What `redis.conf` is written from. */
export interface CacheSettings {
  readonly port: number;
  readonly maxMemory: Size;
  readonly eviction: EvictionPolicy;
  readonly persistence: CachePersistence;
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
