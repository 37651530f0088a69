import { Duration } from 'cdk8s';
import { instanceLabels } from './database-cloud-native-pg-cluster';
import { METRICS_PORT } from './database-metrics';
import type { DatabaseParts } from './database-servers';
import type { Monitoring } from './monitoring';
import { DashboardTopic, PanelUnit, Severity } from './monitoring';
import type { AlertDraft } from './monitoring-parts';
import { alertsNamed, byJob, JOB, kubectl } from './monitoring-parts';
import { jobSelector, namespaceOf } from './promql';

/** A replica that is further behind is of little use to readers, and loses that much when it takes over. */
const LAG_SECONDS = 300;
/** Segments of 16 MiB that wait for the archive. */
const WAITING_SEGMENTS = 10;

/** How a database of CloudNativePG is watched: its servers have metrics of their own, with other names than the exporter's. */
export function cloudNativePgMonitoring(database: DatabaseParts): Monitoring {
  const { name } = database;
  const namespace = namespaceOf(database);
  const selector = jobSelector(database, name);
  return {
    targets: [
      {
        job: name,
        ...(namespace === undefined ? {} : { namespace }),
        labels: instanceLabels(name),
        port: METRICS_PORT,
        exporter: 'cloudnative-pg',
      },
    ],
    recordings: [],
    alerts: alertsNamed(name, alerts(database, selector)),
    objectives: [],
    panels: [
      {
        dashboard: DashboardTopic.DATABASE,
        title: `${name}: Replication`,
        description: 'Seconds that each server is behind the primary; a line that climbs means that it cannot keep up.',
        unit: PanelUnit.SECONDS,
        queries: [{ expr: byJob('max', `cnpg_pg_replication_lag{${selector}}`, 'pod'), legend: '{{pod}}' }],
      },
    ],
  };
}

function alerts(database: DatabaseParts, selector: string): readonly AlertDraft[] {
  const { name, readReplicas } = database;
  const look = [
    `\`${kubectl(database)} get cluster ${name}\` and \`${kubectl(database)} describe cluster ${name}\`: what the operator says.`,
    `\`${kubectl(database)} logs -l cnpg.io/cluster=${name} --all-containers --tail=50\``,
  ];
  return [
    {
      condition: 'Down',
      expr: `${byJob('max', `cnpg_collector_up{${selector}}`)} == 0 or absent(cnpg_collector_up{${selector}})`,
      for: Duration.minutes(1),
      severity: Severity.PAGE,
      summary: `${JOB}: PostgreSQL answers nothing`,
      description: 'No server of the cluster is up. Whatever reads or writes this database fails.',
      steps: {
        means: 'All servers are down at once; the operator alone could not mend it.',
        look,
        mend: [
          'Bring back what the pods wait for: nodes, volumes, the operator itself.',
          'Otherwise recover a new cluster from the newest backup.',
        ],
      },
    },
    {
      condition: 'ServerDown',
      expr: `${byJob('sum', `cnpg_collector_up{${selector}}`)} < ${1 + readReplicas}`,
      for: Duration.minutes(10),
      severity: Severity.TICKET,
      summary: `${JOB}: not all of the ${1 + readReplicas} servers answer`,
      description: 'The operator made another server the primary where that was needed; one more loss would be felt.',
      steps: { means: 'A server is away for longer than a restart takes.', look, mend: ['As for all of them.'] },
    },
    {
      condition: 'ReplicaLag',
      expr: `${byJob('max', `cnpg_pg_replication_lag{${selector}}`, 'pod')} > ${LAG_SECONDS}`,
      for: Duration.minutes(5),
      severity: Severity.TICKET,
      summary: `${JOB}: {{ $labels.pod }} is {{ $value | humanizeDuration }} behind`,
      description: 'Readers see what was true some time ago, and a switch to this server would lose that much.',
      steps: {
        means: 'A replica replays the log more slowly than the primary writes it.',
        look,
        mend: ['A bulk load: wait.', 'Otherwise give the servers more CPU or a faster disk.'],
      },
    },
    {
      condition: 'ArchiveFailing',
      expr: `${byJob('max', `cnpg_collector_pg_wal_archive_status{${selector},value="ready"}`)} > ${WAITING_SEGMENTS}`,
      for: Duration.minutes(15),
      severity: Severity.PAGE,
      summary: `${JOB}: {{ $value }} segments of the log wait for the archive`,
      description: 'Nothing newer than the last archived segment can be restored, and the log piles up on the volume.',
      steps: {
        means: 'The archive does not take the log, or not fast enough.',
        look,
        mend: ['Bring the archive back: the server repeats by itself, and catches up.'],
      },
    },
  ];
}
