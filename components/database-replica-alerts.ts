import { Duration } from 'cdk8s';
import { psql } from './database-alerts';
import type { DatabaseFacts, DatabaseSelectors } from './database-monitoring';
import { Severity } from './monitoring';
import type { AlertDraft } from './monitoring-parts';
import { byJob, JOB, kubectl } from './monitoring-parts';
import { sizeBytes } from './units';

const { TICKET } = Severity;

/** Alerts of a database with replicas. */
export const replicaAlerts = (facts: DatabaseFacts, selectors: DatabaseSelectors): readonly AlertDraft[] => [
  replicaDown(facts, selectors),
  notFollowing(facts, selectors),
  ...behind(facts, selectors),
];

/** Where to look whatever is wrong with a replica. */
const look = (facts: DatabaseFacts): readonly string[] => [
  psql(facts, 'select application_name, state, replay_lag from pg_stat_replication'),
  `\`./trellis logs ${facts.name}-replica\``,
];

const replicaDown = (facts: DatabaseFacts, { replicas }: DatabaseSelectors): AlertDraft => ({
  condition: 'ReplicaDown',
  expr: `${byJob('sum', `pg_up{${replicas}}`)} < ${facts.readReplicas} or absent(pg_up{${replicas}})`,
  for: Duration.minutes(5),
  severity: TICKET,
  summary: `${JOB}: not all of the ${facts.readReplicas} replicas answer`,
  description: 'The others answer what it would have, and the primary keeps the log for it.',
  steps: {
    means: 'A server that follows the primary is down. What only reads has less room.',
    look: [`\`${kubectl(facts.scope)} get pods -l app.kubernetes.io/name=${facts.name}-replica\``, ...look(facts)],
    mend: ['As for a primary that is down; to copy the primary anew, delete the replica’s claim and its pod.'],
  },
});

const notFollowing = (facts: DatabaseFacts, { primary }: DatabaseSelectors): AlertDraft => ({
  condition: 'ReplicaNotFollowing',
  expr: `${byJob('max', `pg_replication_slots_active{${primary}}`, 'slot_name')} == 0`,
  for: Duration.minutes(10),
  severity: TICKET,
  summary: `${JOB}: nobody follows by the slot {{ $labels.slot_name }}`,
  description: 'The primary keeps its log for a replica that does not come for it.',
  steps: {
    means: 'A slot is there and its replica is not connected. After `max_slot_wal_keep_size` it has to copy all anew.',
    look: look(facts),
    mend: [
      'Bring the replica back.',
      `A replica that was taken away for good: ${psql(facts, "select pg_drop_replication_slot('SLOT')")}`,
    ],
  },
});

function behind(facts: DatabaseFacts, { primary }: DatabaseSelectors): readonly AlertDraft[] {
  const wal = sizeBytes(facts.settings.maxWalSize);
  return [
    {
      condition: 'ReplicaLag',
      expr: `${byJob('max', `pg_stat_replication_pg_wal_lsn_diff{${primary}}`, 'application_name')} > ${wal / 4}`,
      for: Duration.minutes(5),
      severity: TICKET,
      summary: `${JOB}: {{ $labels.application_name }} is {{ $value | humanize1024 }}B behind`,
      description: 'Readers see what was true some time ago; beyond `replicaMaxLag` the replica gets no readers.',
      steps: {
        means: 'A replica replays the log more slowly than the primary writes it.',
        look: [...look(facts), 'Panel “Replication”: whether it falls or grows.'],
        mend: [
          'A bulk load: wait.',
          'A long query on the replica holds replay back: end it.',
          'Otherwise give replicas more CPU or a faster disk.',
        ],
      },
    },
    {
      condition: 'ReplicaNearlyLost',
      expr: `${byJob('max', `pg_replication_slots_pg_wal_lsn_diff{${primary}}`, 'slot_name')} > ${wal * 0.8}`,
      for: Duration.minutes(5),
      severity: TICKET,
      summary: `${JOB}: the log kept for {{ $labels.slot_name }} is nearly as large as it may get`,
      description:
        'Beyond `max_slot_wal_keep_size` the primary drops what the replica has not read, and it has to copy all anew.',
      steps: {
        means: 'A replica is so far behind that the primary will give it up soon.',
        look: look(facts),
        mend: [
          'See `ReplicaNotFollowing` and `ReplicaLag`.',
          'To win time raise `configuration.maxWalSize`, which the limit follows.',
        ],
      },
    },
  ];
}
