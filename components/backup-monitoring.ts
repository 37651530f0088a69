import type { Duration } from 'cdk8s';
import { Duration as Time } from 'cdk8s';
import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Labels } from './kube';
import type { AlertRule, Monitoring } from './monitoring';
import { DashboardTopic, PanelUnit, Severity } from './monitoring';
import { runbook } from './monitoring-parts';

/** One backup, and how old its last success may get. */
export interface BackupWatch {
  /** Value of the label `backup`. */
  readonly name: string;
  /** Age of the last good backup, above which somebody is told. */
  readonly overdueAfter: Duration;
  /** The same for the last drill that passed; nothing where there are no drills. */
  readonly verifiedWithin: Duration | undefined;
}

/** Where the metrics are, and of what. */
export interface BackupMonitoringInput {
  /** Value of the label `job`. */
  readonly job: string;
  /** Labels of the pods that have the metrics. */
  readonly labels: Labels;
  readonly port: number;
  readonly backups: readonly BackupWatch[];
}

const SUCCESS = 'backup_last_success_timestamp_seconds';
const VERIFIED = 'backup_last_verified_timestamp_seconds';

interface Watched {
  readonly name: string;
  readonly within: Duration;
}

/**
 * How the backups of a namespace are watched: the age of the last good one and of the last one that was proved. One that has never
 * reported is told of too, after the same time.
 */
export function backupMonitoring(scope: Construct, input: BackupMonitoringInput): Monitoring {
  const { namespace } = Chart.of(scope);
  const { job, labels, port, backups } = input;
  const where = [...(namespace === undefined ? [] : [`namespace="${namespace}"`]), `job="${job}"`];
  const select = (metric: string, name?: string): string =>
    `${metric}{${[...where, ...(name === undefined ? [] : [`backup="${name}"`])].join(',')}}`;
  const good = backups.map(({ name, overdueAfter }) => ({ name, within: overdueAfter }));
  const proved = backups.flatMap(({ name, verifiedWithin }) =>
    verifiedWithin === undefined ? [] : [{ name, within: verifiedWithin }],
  );
  const target = { job, labels, port, exporter: 'pushgateway', ...(namespace === undefined ? {} : { namespace }) };
  return {
    targets: [target],
    recordings: [
      { record: 'backup:last_success:age_seconds', expr: `time() - ${select(SUCCESS)}` },
      { record: 'backup:last_verified:age_seconds', expr: `time() - ${select(VERIFIED)}` },
    ],
    alerts: [...overdue(good, select), ...unproved(proved, select), ...shrunk(good, select)],
    objectives: [],
    panels: [
      {
        dashboard: DashboardTopic.DATABASE,
        title: 'Age of the last good and the last proved backup',
        description:
          'Time since each backup was last complete, and since one of it was last restored in a drill. Both should fall at every run.',
        unit: PanelUnit.SECONDS,
        queries: [
          { expr: `time() - ${select(SUCCESS)}`, legend: '{{backup}} good' },
          { expr: `time() - ${select(VERIFIED)}`, legend: '{{backup}} proved' },
        ],
      },
      {
        dashboard: DashboardTopic.DATABASE,
        title: 'Size of backups',
        description: 'Encrypted bytes of the newest archive. A sudden drop means that something is missing from it.',
        unit: PanelUnit.BYTES,
        queries: [{ expr: select('backup_size_bytes'), legend: '{{backup}}' }],
      },
    ],
  };
}

type Select = (metric: string, name?: string) => string;

/** One expression for all: each has a time of its own. */
const older = (metric: string, all: readonly Watched[], select: Select): string =>
  all.map(({ name, within }) => `(time() - ${select(metric, name)} > ${within.toSeconds()})`).join(' or ');
const absent = (metric: string, all: readonly Watched[], select: Select): string =>
  all.map(({ name }) => `absent(${select(metric, name)})`).join(' or ');
const longest = (all: readonly Watched[]): Duration =>
  Time.seconds(Math.max(...all.map(({ within }) => within.toSeconds())));

function overdue(all: readonly Watched[], select: Select): readonly AlertRule[] {
  if (all.length === 0) return [];
  const steps = runbook({
    means: 'What was written since the last good backup would be lost together with its volume.',
    look: [
      '`kubectl get jobs` shows whether a backup ran, and `./trellis logs NAME-backup` what it said.',
      'A full volume, or a bucket that refuses: archives that are complete are safe meanwhile.',
    ],
    mend: [
      'Make room, or mend the access to the bucket.',
      '`./trellis backup NAME` makes one now, and ends with the error of the job where it fails.',
    ],
  });
  return [
    {
      alert: 'BackupOverdue',
      expr: older(SUCCESS, all, select),
      severity: Severity.PAGE,
      summary: 'No good backup of {{ $labels.backup }} for {{ $value | humanizeDuration }}',
      description:
        'What was written since the last good backup would be lost with its volume. The jobs ran and failed, or did not run.',
      runbook: steps,
    },
    {
      alert: 'BackupMissing',
      expr: absent(SUCCESS, all, select),
      for: longest(all),
      severity: Severity.PAGE,
      summary: 'Nothing is known of a backup of {{ $labels.backup }}',
      description: 'It was never good, its success was not reported, or what was reported is lost.',
      runbook: steps,
    },
  ];
}

function unproved(all: readonly Watched[], select: Select): readonly AlertRule[] {
  if (all.length === 0) return [];
  const steps = runbook({
    means: 'Whether the archives can be restored is not known: take them for lost until a drill has passed.',
    look: ['`./trellis logs NAME-drill` says what differs: a checksum, a definition, the rows of a table.'],
    mend: [
      'A wrong checksum, or an archive that cannot be decrypted: make a new one with `./trellis backup NAME`.',
      'Then look for what changed the old one, and for who can write where it lies.',
    ],
  });
  return [
    {
      alert: 'BackupUnproved',
      expr: older(VERIFIED, all, select),
      severity: Severity.PAGE,
      summary: 'No backup of {{ $labels.backup }} was proved for {{ $value | humanizeDuration }}',
      description: 'Drills fail or do not run: whether the archives can be restored is not known.',
      runbook: steps,
    },
    {
      alert: 'BackupNeverProved',
      expr: absent(VERIFIED, all, select),
      for: longest(all),
      severity: Severity.TICKET,
      summary: 'No drill of {{ $labels.backup }} has ever passed',
      description: 'Drills fail or do not run, or their result was not reported.',
      runbook: steps,
    },
  ];
}

function shrunk(all: readonly Watched[], select: Select): readonly AlertRule[] {
  if (all.length === 0) return [];
  const size = select('backup_size_bytes');
  return [
    {
      alert: 'BackupShrunk',
      expr: `${size} < 0.5 * max_over_time(${size}[7d])`,
      severity: Severity.TICKET,
      summary: 'The newest backup of {{ $labels.backup }} is less than half of what it was this week',
      description: 'Data was deleted, or something is missing from the archive.',
      runbook: runbook({
        means: 'Much was deleted, or something is missing from the newest archive.',
        look: ['`./trellis restore NAME --list` shows all archives with their sizes.'],
        mend: [
          'Was it deleted on purpose? Then the alert ends by itself within a week.',
          'Else stop what deletes, and keep the older archives: raise `keep` and `maxAgeDays` before they are pruned.',
        ],
      }),
    },
  ];
}
