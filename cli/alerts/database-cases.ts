import type { AlertCase } from './promtool-case';
import { growing, pair, series, steady } from './promtool-case';

const JOB = 'database';
const of = (metric: string, labels: Readonly<Record<string, string>> = {}): string => series(JOB, metric, labels);
const replica = (metric: string, ordinal: number): string =>
  series('database-replica', metric, { pod: `database-replica-${ordinal}` });
const MEBIBYTE = 1024 ** 2;
const datname = 'app';

const servers: readonly AlertCase[] = [
  ...pair(
    'DatabaseDown',
    JOB,
    '5m',
    ['the exporter cannot connect', { [of('pg_up')]: steady(0) }],
    ['the server answers', { [of('pg_up')]: steady(1) }],
  ),
  { alert: 'DatabaseDown', job: JOB, at: '5m', fires: true, title: 'the pod is gone', series: {} },
  {
    ...{ alert: 'DatabaseDown', job: JOB, at: '3m', fires: false, title: 'it is away for one scrape' },
    series: { [of('pg_up')]: '1 1 0 1' },
  },
  ...pair(
    'DatabaseConnectionsNearMax',
    JOB,
    '10m',
    [
      '81 of 100',
      {
        [of('pg_stat_activity_count', { datname, state: 'active' })]: steady(30),
        [of('pg_stat_activity_count', { datname, state: 'idle' })]: steady(51),
        [of('pg_settings_max_connections')]: steady(100),
      },
    ],
    [
      '80 of 100',
      {
        [of('pg_stat_activity_count', { datname, state: 'active' })]: steady(80),
        [of('pg_settings_max_connections')]: steady(100),
      },
    ],
  ),
  ...pair(
    'DatabaseLongTransaction',
    JOB,
    '90m',
    [
      'it grows old',
      { [of('pg_stat_activity_max_tx_duration', { datname, state: 'idle in transaction' })]: growing(60, 90) },
    ],
    [
      'a session that is idle',
      { [of('pg_stat_activity_max_tx_duration', { datname, state: 'idle' })]: growing(60, 90) },
    ],
  ),
  ...pair(
    'DatabaseDeadlocks',
    JOB,
    '20m',
    ['one every five minutes', { [of('pg_stat_database_deadlocks', { datname })]: growing(0.2) }],
    ['one only', { [of('pg_stat_database_deadlocks', { datname })]: `${steady(0, 10)} ${steady(1, 20)}` }],
  ),
  ...pair(
    'DatabaseRollbackRatio',
    JOB,
    '40m',
    [
      'one in five',
      {
        [of('pg_stat_database_xact_commit', { datname })]: growing(80),
        [of('pg_stat_database_xact_rollback', { datname })]: growing(20),
      },
    ],
    [
      'one in twenty',
      {
        [of('pg_stat_database_xact_commit', { datname })]: growing(380),
        [of('pg_stat_database_xact_rollback', { datname })]: growing(20),
      },
    ],
  ),
];

const size = (value: string) => ({ [of('pg_database_size_bytes', { datname })]: value });
const volume: readonly AlertCase[] = [
  ...pair(
    'DatabaseVolumeNearlyFull',
    JOB,
    '20m',
    [
      '8 of 10 GiB and 512 MiB of log',
      { ...size(steady(8 * 1024 * MEBIBYTE)), [of('pg_settings_max_wal_size_bytes')]: steady(512 * MEBIBYTE) },
    ],
    [
      '7 of 10 GiB and 512 MiB of log',
      { ...size(steady(7 * 1024 * MEBIBYTE)), [of('pg_settings_max_wal_size_bytes')]: steady(512 * MEBIBYTE) },
    ],
  ),
  ...pair(
    'DatabaseVolumeFillsSoon',
    JOB,
    '8h',
    ['2 MiB a minute', size(growing(2 * MEBIBYTE, 480, 1024 * MEBIBYTE))],
    ['1 MiB a minute', size(growing(MEBIBYTE, 480, 1024 * MEBIBYTE))],
  ),
];

const checkpoints = (asked: number) => ({
  [of('pg_stat_bgwriter_checkpoints_req_total')]: growing(asked, 120),
  [of('pg_stat_bgwriter_checkpoints_timed_total')]: growing(0.1, 120),
});
const writing: readonly AlertCase[] = [
  ...pair(
    'DatabaseCheckpointsForced',
    JOB,
    '90m',
    ['one every two minutes', checkpoints(0.5)],
    ['one in ten minutes', checkpoints(0.1)],
  ),
  ...pair(
    'DatabaseArchiveFailing',
    JOB,
    '40m',
    ['it fails every minute', { [of('pg_stat_archiver_failed_count')]: growing(1) }],
    ['it failed long ago', { [of('pg_stat_archiver_failed_count')]: steady(3) }],
  ),
  ...pair(
    'DatabaseChecksumFailures',
    JOB,
    '20m',
    ['one page', { [of('pg_stat_database_checksum_failures', { datname })]: `${steady(0, 10)} ${steady(1, 20)}` }],
    ['none', { [of('pg_stat_database_checksum_failures', { datname })]: steady(0) }],
  ),
  ...pair(
    'DatabaseExporterFailing',
    JOB,
    '15m',
    ['the server is up', { [of('pg_exporter_last_scrape_error')]: steady(1), [of('pg_up')]: steady(1) }],
    [
      'the server is down, which has an alert of its own',
      { [of('pg_exporter_last_scrape_error')]: steady(1), [of('pg_up')]: steady(0) },
    ],
  ),
];

const behind = (bytes: number) => ({
  [of('pg_stat_replication_pg_wal_lsn_diff', { application_name: 'replica-0' })]: steady(bytes),
});
const kept = (bytes: number) => ({
  [of('pg_replication_slots_pg_wal_lsn_diff', { slot_name: 'replica_0' })]: steady(bytes),
});
const replicas: readonly AlertCase[] = [
  ...pair(
    'DatabaseReplicaDown',
    'database-replica',
    '10m',
    ['one of two', { [replica('pg_up', 0)]: steady(1), [replica('pg_up', 1)]: steady(0) }],
    ['both answer', { [replica('pg_up', 0)]: steady(1), [replica('pg_up', 1)]: steady(1) }],
  ),
  { alert: 'DatabaseReplicaDown', job: 'database-replica', at: '10m', fires: true, title: 'all are gone', series: {} },
  ...pair(
    'DatabaseReplicaNotFollowing',
    JOB,
    '15m',
    ['nobody reads a slot', { [of('pg_replication_slots_active', { slot_name: 'replica_0' })]: steady(0) }],
    ['it is read', { [of('pg_replication_slots_active', { slot_name: 'replica_0' })]: steady(1) }],
  ),
  ...pair('DatabaseReplicaLag', JOB, '10m', ['200 MiB', behind(200 * MEBIBYTE)], ['100 MiB', behind(100 * MEBIBYTE)]),
  ...pair(
    'DatabaseReplicaNearlyLost',
    JOB,
    '10m',
    ['450 of 512 MiB', kept(450 * MEBIBYTE)],
    ['400 of 512 MiB', kept(400 * MEBIBYTE)],
  ),
];

const operated = (metric: string, labels: Readonly<Record<string, string>> = {}): string =>
  series('operated', metric, labels);
const ready = (segments: number) => ({
  [operated('cnpg_collector_pg_wal_archive_status', { value: 'ready' })]: steady(segments),
});
const servedByOperator: readonly AlertCase[] = [
  ...pair(
    'OperatedDown',
    'operated',
    '5m',
    ['no server is up', { [operated('cnpg_collector_up')]: steady(0) }],
    [
      'one is up',
      { [operated('cnpg_collector_up')]: steady(0), [operated('cnpg_collector_up', { pod: 'operated-2' })]: steady(1) },
    ],
  ),
  ...pair(
    'OperatedServerDown',
    'operated',
    '15m',
    ['one of two', { [operated('cnpg_collector_up')]: steady(1) }],
    [
      'both',
      { [operated('cnpg_collector_up')]: steady(1), [operated('cnpg_collector_up', { pod: 'operated-2' })]: steady(1) },
    ],
  ),
  ...pair(
    'OperatedReplicaLag',
    'operated',
    '10m',
    ['six minutes', { [operated('cnpg_pg_replication_lag')]: steady(360) }],
    ['four minutes', { [operated('cnpg_pg_replication_lag')]: steady(240) }],
  ),
  ...pair('OperatedArchiveFailing', 'operated', '20m', ['20 segments wait', ready(20)], ['5 segments wait', ready(5)]),
];

/** Cases of both kinds of database. */
export const databaseCases: readonly AlertCase[] = [
  ...servers,
  ...volume,
  ...writing,
  ...replicas,
  ...servedByOperator,
];
