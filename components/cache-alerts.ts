import { Duration } from 'cdk8s';
import type { CacheFacts } from './cache-monitoring';
import { EvictionPolicy } from './cache-options';
import { Severity } from './monitoring';
import type { AlertDraft } from './monitoring-parts';
import { byJob, JOB, kubectl } from './monitoring-parts';

const { PAGE, TICKET } = Severity;

/** Part of memory, and of connections, from which on somebody has to act. */
const PART = 0.9;
const CONNECTIONS_PART = 0.8;

/** A question to one server, for runbooks; its password stays in the pod. */
export const redisCli = (cache: CacheFacts, question: string): string =>
  `\`${kubectl(cache)} exec ${cache.name}-0 -c redis -- sh -c 'REDISCLI_AUTH=$(cat "\${REDIS_PASSWORD_FILE:-/dev/null}") redis-cli --no-auth-warning ${question}'\``;

/** Alerts that every server can raise. */
export const serverAlerts = (cache: CacheFacts, selector: string): readonly AlertDraft[] => [
  down(cache, selector),
  ...memory(cache, selector),
  ...connections(cache, selector),
  ...(cache.persistence.durable || cache.topology.members !== undefined ? [snapshot(cache, selector)] : []),
  ...(cache.persistence.durable ? appendOnly(cache, selector) : []),
];

const down = (cache: CacheFacts, selector: string): AlertDraft => ({
  condition: 'Down',
  expr: `${byJob('max', `redis_up{${selector}}`)} == 0 or absent(redis_up{${selector}})`,
  for: Duration.minutes(1),
  severity: PAGE,
  summary: `${JOB}: Redis answers nothing`,
  description:
    'The exporter beside no server can connect, or none of them is there. Services that need the cache fail.',
  steps: {
    means:
      'Nobody reads or writes the cache: services that need it are not ready, or go to the database for everything.',
    look: [
      `\`./trellis status\` and \`./trellis logs ${cache.name}\`: whether the pods run, and their last lines.`,
      `\`${kubectl(cache)} describe pod -l app.kubernetes.io/name=${cache.name}\`: restarts, events, \`OOMKilled\`.`,
    ],
    mend: [
      'A pod that waits for its volume or its node: bring that back.',
      'A server that loads its file: wait; the start-up probe gives it its `startupDeadline`.',
      'Killed for memory: raise `resources`, which `maxMemory` follows, and run `./trellis up`.',
      'A damaged append-only file: `redis-check-aof --fix` on a copy of it, or restore the newest snapshot.',
    ],
  },
});

function memory(cache: CacheFacts, selector: string): readonly AlertDraft[] {
  const { eviction } = cache;
  const used = byJob('max', `redis_memory_used_bytes{${selector}} / redis_memory_max_bytes{${selector}}`, 'pod');
  const evicted = byJob('sum', `rate(redis_evicted_keys_total{${selector}}[15m])`);
  const look = [redisCli(cache, 'info memory'), 'Panel “Memory”: since when it grows, and how fast.'];
  const mend = [
    'Give keys an expiry, or a shorter one.',
    'Raise `resources` in the environment’s file, which `maxMemory` follows, and run `./trellis up`.',
  ];
  // A cache whose every key can be made again is meant to be full.
  if (eviction.startsWith('allkeys')) return [thrashing(selector, evicted, { look, mend })];
  const nearlyFull: AlertDraft = {
    condition: 'MemoryNearlyFull',
    expr: `${used} > ${PART}`,
    for: Duration.minutes(10),
    severity: eviction === EvictionPolicy.NONE ? PAGE : TICKET,
    summary: `${JOB}: {{ $labels.pod }} has filled {{ $value | humanizePercentage }} of its memory`,
    description:
      eviction === EvictionPolicy.NONE
        ? 'Nothing may be dropped: when it is full, every write fails.'
        : 'Keys with an expiry are dropped before their time, and where there are none left every write fails.',
    steps: { means: `The data takes more than ${PART * 100} % of \`maxmemory\`.`, look, mend },
  };
  if (eviction === EvictionPolicy.NONE) return [nearlyFull];
  const evicting: AlertDraft = {
    condition: 'Evicting',
    expr: `${evicted} > 0`,
    for: Duration.minutes(15),
    severity: TICKET,
    summary: `${JOB}: {{ $value | humanize }} keys a second are dropped before they expire`,
    description: 'Sessions and locks among them end early.',
    steps: { means: 'The memory is full, and keys with an expiry are dropped to make room.', look, mend },
  };
  return [nearlyFull, evicting];
}

const thrashing = (
  selector: string,
  evicted: string,
  steps: Pick<AlertDraft['steps'], 'look' | 'mend'>,
): AlertDraft => {
  const hits = byJob('sum', `rate(redis_keyspace_hits_total{${selector}}[15m])`);
  const misses = byJob('sum', `rate(redis_keyspace_misses_total{${selector}}[15m])`);
  return {
    condition: 'Evicting',
    expr: `${hits} / (${hits} + ${misses}) < 0.5 and ${evicted} > 0`,
    for: Duration.minutes(30),
    severity: TICKET,
    summary: `${JOB}: only {{ $value | humanizePercentage }} of the keys are found, and keys are dropped`,
    description: 'What is in use does not fit the memory, so that keys are dropped and made again all the time.',
    steps: { means: 'The cache is too small for what is in use: most questions go past it.', ...steps },
  };
};

const connections = (cache: CacheFacts, selector: string): readonly AlertDraft[] => {
  const look = [redisCli(cache, 'info clients'), 'Panel “Connections”: a slope says a leak, a step says more pods.'];
  const mend = [
    'A leak: restart the service that holds idle connections, then mend it, or set `idleTimeout`.',
    'Otherwise raise `maxClients`.',
  ];
  return [
    {
      condition: 'ConnectionsNearMax',
      expr: `${byJob('max', `redis_connected_clients{${selector}}`, 'pod')} > ${cache.maxClients * CONNECTIONS_PART}`,
      for: Duration.minutes(5),
      severity: TICKET,
      summary: `${JOB}: {{ $labels.pod }} has {{ $value }} of at most ${cache.maxClients} connections`,
      description: 'When none is left, new clients are refused.',
      steps: { means: `More than ${CONNECTIONS_PART * 100} % of \`maxClients\` are open.`, look, mend },
    },
    {
      condition: 'ConnectionsRejected',
      expr: `${byJob('sum', `increase(redis_rejected_connections_total{${selector}}[5m])`)} > 0`,
      severity: PAGE,
      summary: `${JOB}: {{ $value | humanize }} connections were refused within five minutes`,
      description: 'All connections are taken: pods that start, and clients without a pool, fail.',
      steps: { means: '`maxClients` is reached: whoever needs one more connection gets none.', look, mend },
    },
  ];
};

const snapshot = (cache: CacheFacts, selector: string): AlertDraft => ({
  condition: 'SnapshotFailed',
  expr: `${byJob('min', `redis_rdb_last_bgsave_status{${selector}}`, 'pod')} == 0`,
  for: Duration.minutes(5),
  severity: TICKET,
  summary: `${JOB}: {{ $labels.pod }} could not write its last snapshot`,
  description: 'Copies for backups and for replicas are made this way.',
  steps: {
    means: 'The process that writes the snapshot failed: no room on the volume, or no memory for the copy.',
    look: [`\`./trellis logs ${cache.name}\`: lines with \`Background saving\`.`, redisCli(cache, 'info persistence')],
    mend: ['Make room: raise the storage, or the memory limit above what `maxMemory` leaves for the copy.'],
  },
});

const appendOnly = (cache: CacheFacts, selector: string): readonly AlertDraft[] => {
  const look = [`\`./trellis logs ${cache.name}\`: lines with \`AOF\`.`, redisCli(cache, 'info persistence')];
  return [
    {
      condition: 'AppendFailed',
      expr: `${byJob('min', `redis_aof_last_write_status{${selector}}`, 'pod')} == 0`,
      severity: PAGE,
      summary: `${JOB}: {{ $labels.pod }} cannot write its append-only file`,
      description: 'Redis refuses every write until the file can be written again.',
      steps: {
        means: 'The volume is full or broken. What was acknowledged before is safe; new writes fail.',
        look,
        mend: ['Raise the storage and run `./trellis up`: the volume grows while the server runs, and writes go on.'],
      },
    },
    {
      condition: 'AppendRewriteFailed',
      expr: `${byJob('min', `redis_aof_last_bgrewrite_status{${selector}}`, 'pod')} == 0`,
      for: Duration.minutes(10),
      severity: TICKET,
      summary: `${JOB}: {{ $labels.pod }} could not rewrite its append-only file`,
      description: 'The file grows without end, and each start takes longer.',
      steps: {
        means: 'The process that compacts the file failed: no room on the volume, or no memory for the copy.',
        look,
        mend: ['Make room: raise the storage, or the memory limit.'],
      },
    },
    {
      condition: 'DiskSlow',
      expr: `${byJob('sum', `increase(redis_aof_delayed_fsync{${selector}}[15m])`, 'pod')} > 10`,
      for: Duration.minutes(15),
      severity: TICKET,
      summary: `${JOB}: {{ $labels.pod }} waits for its disk`,
      description: 'The disk takes longer than two seconds to write the append-only file, and clients wait meanwhile.',
      steps: {
        means: 'The volume is too slow for what is written.',
        look,
        mend: ['Take a faster class of volumes (`storageClass`), or a lighter `AppendSync`.'],
      },
    },
  ];
};
