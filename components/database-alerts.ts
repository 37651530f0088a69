import { Duration } from 'cdk8s';
import type { DatabaseFacts, DatabaseSelectors } from './database-monitoring';
import { Severity } from './monitoring';
import type { AlertDraft } from './monitoring-parts';
import { byJob, JOB, kubectl } from './monitoring-parts';

const { PAGE, TICKET } = Severity;

/** Part of the volume from which on somebody has to act. */
const VOLUME_PART = 0.8;
/** Part of the connections, likewise. */
const CONNECTIONS_PART = 0.8;
/** A transaction that is open for longer keeps VACUUM from cleaning up after everybody; dumps of small databases end sooner. */
const LONG_TRANSACTION_SECONDS = 3600;

/** A statement in the primary's pod, for runbooks. */
export const psql = ({ scope, name }: DatabaseFacts, sql: string): string =>
  `\`${kubectl(scope)} exec ${name}-0 -c postgres -- psql -U postgres -c "${sql}"\``;
const describePods = ({ scope, name }: DatabaseFacts): string =>
  `\`${kubectl(scope)} describe pod -l app.kubernetes.io/name=${name}\`: restarts, events, \`OOMKilled\`.`;

/** Alerts that every server can raise. */
export const serverAlerts = (facts: DatabaseFacts, selectors: DatabaseSelectors): readonly AlertDraft[] => [
  down(facts, selectors),
  connections(facts, selectors),
  ...sessions(facts, selectors),
  ...volume(facts, selectors),
  ...writing(facts, selectors),
  exporter(facts, selectors),
];

const down = (facts: DatabaseFacts, { primary }: DatabaseSelectors): AlertDraft => ({
  condition: 'Down',
  expr: `${byJob('max', `pg_up{${primary}}`)} == 0 or absent(pg_up{${primary}})`,
  for: Duration.minutes(1),
  severity: PAGE,
  summary: `${JOB}: PostgreSQL answers nothing`,
  description:
    'The exporter beside the server cannot connect, or neither of them is there. Whatever writes to this database fails.',
  steps: {
    means: 'Nobody can read or write: services that need this database are not ready, and their requests fail.',
    look: [
      `\`./trellis status\` and \`./trellis logs ${facts.name}\`: whether the pod runs, and its last lines.`,
      describePods(facts),
      `\`${kubectl(facts.scope)} get pvc -l app.kubernetes.io/name=${facts.name}\`: whether its volume is bound.`,
    ],
    mend: [
      'A pod that waits for its volume or its node: bring that back; the pod follows by itself.',
      'A server that replays its log after a crash: wait; the start-up probe gives it its `startupDeadline`.',
      'Killed for memory: raise `resources` in the environment’s file and run `./trellis up`.',
      'A full disk: raise `storage`, which grows the volume while the server runs, and run `./trellis up`.',
      'Damaged data: restore the newest backup that was verified.',
    ],
  },
});

const connections = (facts: DatabaseFacts, { all }: DatabaseSelectors): AlertDraft => ({
  condition: 'ConnectionsNearMax',
  expr:
    `${byJob('sum', `pg_stat_activity_count{${all}}`, 'pod')} / ` +
    `${byJob('max', `pg_settings_max_connections{${all}}`, 'pod')} > ${CONNECTIONS_PART}`,
  for: Duration.minutes(5),
  severity: TICKET,
  summary: `${JOB}: {{ $value | humanizePercentage }} of the connections are taken`,
  description: 'When none is left, new clients are refused, and so are pods that start.',
  steps: {
    means: `More than ${CONNECTIONS_PART * 100} % of \`max_connections\` (${facts.settings.maxConnections}) are open. The last ones are kept for the superuser.`,
    look: [
      psql(
        facts,
        'select usename, application_name, state, count(*) from pg_stat_activity group by 1, 2, 3 order by 4 desc',
      ),
      'Panel “Connections”: a step says a roll-out or a scale-up, a slope says a leak.',
    ],
    mend: [
      'A leak: restart the service that holds idle connections, then mend it.',
      'Too many pods: lower `DATABASE_POOL_MAX` or `maxReplicas`, or put a pooler in front (`pooler.replicas`).',
      'Last of all raise `configuration.maxConnections`, with memory for it; the server restarts once.',
    ],
  },
});

const sessions = (facts: DatabaseFacts, { primary, all }: DatabaseSelectors): readonly AlertDraft[] => [
  {
    condition: 'LongTransaction',
    expr: `${byJob('max', `pg_stat_activity_max_tx_duration{${all},state!~"idle|disabled"}`, 'datname')} > ${LONG_TRANSACTION_SECONDS}`,
    for: Duration.minutes(5),
    severity: TICKET,
    summary: `${JOB}: a transaction in {{ $labels.datname }} is open for {{ $value | humanizeDuration }}`,
    description: 'It keeps its locks, and rows that were deleted since cannot be cleaned away.',
    steps: {
      means:
        'One transaction runs for more than an hour. Tables swell meanwhile, and what waits for its locks stands still.',
      look: [
        psql(
          facts,
          'select pid, usename, state, xact_start, left(query, 80) from pg_stat_activity where xact_start is not null order by xact_start limit 5',
        ),
        'Whether it is a dump (`application_name` is `pg_dump`), which ends by itself.',
      ],
      mend: [
        `End it: ${psql(facts, 'select pg_cancel_backend(PID)')}, and \`pg_terminate_backend\` where that is not enough.`,
        'Keep it from coming back: `configuration.statementTimeout`.',
      ],
    },
  },
  {
    condition: 'Deadlocks',
    expr: `${byJob('sum', `increase(pg_stat_database_deadlocks{${primary}}[15m])`, 'datname')} > 2`,
    severity: TICKET,
    summary: `${JOB}: {{ $value | humanize }} deadlocks in {{ $labels.datname }} within 15 minutes`,
    description: 'Transactions wait for each other in a circle; PostgreSQL ends one of each circle with an error.',
    steps: {
      means: 'Transactions take the same rows in different orders. Some of the requests fail, more under load.',
      look: [`\`./trellis logs ${facts.name}\`: lines with \`deadlock detected\` name both statements.`],
      mend: [
        'Take the rows in the same order everywhere, such as by their key, and repeat a transaction that was ended.',
      ],
    },
  },
  {
    condition: 'RollbackRatio',
    expr:
      `${rate('xact_rollback', primary)} / (${rate('xact_commit', primary)} + ${rate('xact_rollback', primary)}) > 0.1 ` +
      `and ${rate('xact_rollback', primary)} > 0.2`,
    for: Duration.minutes(15),
    severity: TICKET,
    summary: `${JOB}: {{ $value | humanizePercentage }} of the transactions in {{ $labels.datname }} are rolled back`,
    description: 'Statements fail, or a client gives up its transactions: its own log says which.',
    steps: {
      means:
        'More than one transaction in ten fails. The usual cause is a release whose statements do not fit the schema.',
      look: [
        `\`./trellis logs ${facts.name}\`: lines with \`ERROR\` name the statement.`,
        'Panel “Transactions”: when it began, and which release that was.',
      ],
      mend: ['Roll the release back, or run the migration that it waits for.'],
    },
  },
];

const rate = (counter: string, selector: string): string =>
  byJob('sum', `rate(pg_stat_database_${counter}{${selector},datname!~"template.*|"}[15m])`, 'datname');

function volume(facts: DatabaseFacts, { primary }: DatabaseSelectors): readonly AlertDraft[] {
  const { storageBytes } = facts;
  const data = byJob('sum', `pg_database_size_bytes{${primary}}`);
  const log = byJob('max', `pg_settings_max_wal_size_bytes{${primary}}`);
  const steps = {
    look: [
      psql(
        facts,
        'select relname, pg_size_pretty(pg_total_relation_size(oid)) from pg_class order by pg_total_relation_size(oid) desc limit 10',
      ),
      'Panel “Size”: since when it grows, and how fast.',
    ],
    mend: [
      'Delete what nobody needs; `vacuum full TABLE` gives the space back, and locks the table meanwhile.',
      'Raise `storage` in the environment’s file and run `./trellis up`: the volume grows while the server runs.',
    ],
  };
  return [
    {
      condition: 'VolumeNearlyFull',
      expr: `(${data} + ${log}) / ${storageBytes} > ${VOLUME_PART}`,
      for: Duration.minutes(15),
      severity: PAGE,
      summary: `${JOB}: data and log may take {{ $value | humanizePercentage }} of the volume`,
      description: 'A server whose disk is full stops, and does not start again before there is room.',
      steps: {
        means: `The databases, with the largest write-ahead log that is allowed, take more than ${VOLUME_PART * 100} % of the volume.`,
        ...steps,
      },
    },
    {
      condition: 'VolumeFillsSoon',
      expr: `${byJob('sum', `predict_linear(pg_database_size_bytes{${primary}}[6h], 4 * 86400)`)} > ${storageBytes}`,
      for: Duration.hours(1),
      severity: TICKET,
      summary: `${JOB}: the volume will be full within four days`,
      description: 'As the databases have grown for six hours, they will not fit their volume in four days.',
      steps: { means: 'The databases grow faster than their volume allows for. There are days left to act.', ...steps },
    },
  ];
}

const writing = (facts: DatabaseFacts, { primary, all }: DatabaseSelectors): readonly AlertDraft[] => [
  {
    condition: 'CheckpointsForced',
    expr:
      `${byJob('sum', `rate(pg_stat_bgwriter_checkpoints_req_total{${primary}}[30m])`)} > ` +
      `2 * ${byJob('sum', `rate(pg_stat_bgwriter_checkpoints_timed_total{${primary}}[30m])`)} ` +
      `and ${byJob('sum', `increase(pg_stat_bgwriter_checkpoints_req_total{${primary}}[30m])`)} > 6`,
    for: Duration.minutes(30),
    severity: TICKET,
    summary: `${JOB}: the write-ahead log fills up before a checkpoint is due`,
    description: 'More is written than `max_wal_size` is made for: each forced checkpoint costs time and more log.',
    steps: {
      means: 'The log between two checkpoints is full before its time. Writes get slower than they need to be.',
      look: ['Panel “Checkpoints”.', 'Whether a bulk load runs, which ends by itself.'],
      mend: ['Raise `configuration.maxWalSize`, at most to half of the volume.'],
    },
  },
  {
    condition: 'ArchiveFailing',
    expr: `${byJob('sum', `increase(pg_stat_archiver_failed_count{${primary}}[15m])`)} > 0`,
    for: Duration.minutes(15),
    severity: PAGE,
    summary: `${JOB}: the write-ahead log cannot be archived`,
    description: 'Nothing newer than the last archived segment can be restored, and the log piles up on the volume.',
    steps: {
      means: 'The command that archives the log fails again and again. A loss now costs all that was written since.',
      look: [
        `\`./trellis logs ${facts.name}\`: lines with \`archive command failed\`.`,
        'Whether the archive is reachable and has room.',
      ],
      mend: [
        'Bring the archive back: the server repeats by itself, and catches up.',
        'Watch the volume meanwhile; see `VolumeNearlyFull`.',
      ],
    },
  },
  {
    condition: 'ChecksumFailures',
    expr: `${byJob('sum', `increase(pg_stat_database_checksum_failures{${all}}[1h])`, 'pod', 'datname')} > 0`,
    severity: PAGE,
    summary: `${JOB}: pages of {{ $labels.datname }} on {{ $labels.pod }} are damaged`,
    description: 'What was read from the disk is not what was written to it.',
    steps: {
      means: 'The volume gives back damaged pages. Statements that meet one fail, and others may be next.',
      look: [
        `\`./trellis logs ${facts.name}\`: lines with \`invalid page\` name the file.`,
        'The node’s kernel log: errors of the disk.',
      ],
      mend: [
        'Stop what writes, and take a copy of the volume as it is.',
        'On a replica: delete its claim and its pod; it copies the primary anew.',
        'On the primary: restore the newest backup that was verified, to another volume.',
      ],
    },
  },
];

const exporter = (facts: DatabaseFacts, { all }: DatabaseSelectors): AlertDraft => ({
  condition: 'ExporterFailing',
  expr: `${byJob('max', `pg_exporter_last_scrape_error{${all}}`, 'pod')} > 0 and ${byJob('max', `pg_up{${all}}`, 'pod')} == 1`,
  for: Duration.minutes(10),
  severity: TICKET,
  summary: `${JOB}: metrics of {{ $labels.pod }} are incomplete`,
  description: 'The server is up, and some of the exporter’s questions fail: other alerts may be blind.',
  steps: {
    means: 'The exporter reaches the server and does not get all that it asks for.',
    look: [`\`./trellis logs ${facts.name}\`: lines of the container \`exporter\` name the query.`],
    mend: [
      'Usually rights: `grant pg_monitor to monitoring`, which the server does at every start, so restart the pod.',
    ],
  },
});
