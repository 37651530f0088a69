import type { DatabaseSelectors } from './database-monitoring';
import type { DashboardPanel } from './monitoring';
import { DashboardTopic, PanelUnit } from './monitoring';
import { byJob } from './monitoring-parts';

const dashboard = DashboardTopic.DATABASE;

/** What is worth seeing of a database. */
export const databasePanels = (
  name: string,
  selectors: DatabaseSelectors,
  followed: boolean,
): readonly DashboardPanel[] => [
  ...sessions(name, selectors),
  ...storage(name, selectors),
  ...(followed ? [replication(name, selectors)] : []),
];

const sessions = (name: string, { primary, all }: DatabaseSelectors): readonly DashboardPanel[] => [
  {
    dashboard,
    title: `${name}: Connections`,
    description: 'Open connections by state and the most that there may be; near it new clients are refused.',
    unit: PanelUnit.NUMBER,
    queries: [
      { expr: byJob('sum', `pg_stat_activity_count{${primary}}`, 'state'), legend: '{{state}}' },
      { expr: byJob('max', `pg_settings_max_connections{${primary}}`), legend: 'most' },
    ],
  },
  {
    dashboard,
    title: `${name}: Transactions`,
    description: 'Transactions a second by their end; many that are rolled back mean errors.',
    unit: PanelUnit.PER_SECOND,
    queries: ['commit', 'rollback'].map((end) => ({
      expr: byJob('sum', `rate(pg_stat_database_xact_${end}{${primary}}[5m])`),
      legend: end,
    })),
  },
  {
    dashboard,
    title: `${name}: Read from memory`,
    description:
      'Share of blocks that were found in PostgreSQL’s own cache; well below 0.95 the memory is too small for the data in use.',
    unit: PanelUnit.RATIO,
    queries: [
      {
        expr:
          `${byJob('sum', `rate(pg_stat_database_blks_hit{${all}}[5m])`)} / ` +
          `(${byJob('sum', `rate(pg_stat_database_blks_hit{${all}}[5m])`)} + ${byJob('sum', `rate(pg_stat_database_blks_read{${all}}[5m])`)})`,
        legend: '{{job}}',
      },
    ],
  },
  {
    dashboard,
    title: `${name}: Rows`,
    description:
      'Rows a second by what was done to them; many more returned than fetched mean that an index is missing.',
    unit: PanelUnit.PER_SECOND,
    queries: ['returned', 'fetched', 'inserted', 'updated', 'deleted'].map((what) => ({
      expr: byJob('sum', `rate(pg_stat_database_tup_${what}{${primary}}[5m])`),
      legend: what,
    })),
  },
  {
    dashboard,
    title: `${name}: Longest transaction`,
    description: 'Age of the oldest transaction by state; an old one keeps locks and keeps VACUUM from cleaning up.',
    unit: PanelUnit.SECONDS,
    queries: [
      {
        expr: byJob('max', `pg_stat_activity_max_tx_duration{${all},state!~"idle|disabled"}`, 'state'),
        legend: '{{job}} {{state}}',
      },
    ],
  },
];

const storage = (name: string, { primary }: DatabaseSelectors): readonly DashboardPanel[] => [
  {
    dashboard,
    title: `${name}: Locks`,
    description: 'Locks by mode; exclusive ones that stay make others wait.',
    unit: PanelUnit.NUMBER,
    queries: [{ expr: byJob('sum', `pg_locks_count{${primary}}`, 'mode'), legend: '{{mode}}' }],
  },
  {
    dashboard,
    title: `${name}: Size`,
    description: 'Bytes of each database; a line that climbs steadily fills the volume.',
    unit: PanelUnit.BYTES,
    queries: [{ expr: byJob('sum', `pg_database_size_bytes{${primary}}`, 'datname'), legend: '{{datname}}' }],
  },
  {
    dashboard,
    title: `${name}: Checkpoints`,
    description:
      'Checkpoints a second by cause; mostly those that the full log asked for mean that `max_wal_size` is too small.',
    unit: PanelUnit.PER_SECOND,
    queries: ['timed', 'req'].map((cause) => ({
      expr: byJob('sum', `rate(pg_stat_bgwriter_checkpoints_${cause}_total{${primary}}[15m])`),
      legend: cause,
    })),
  },
];

const replication = (name: string, { primary }: DatabaseSelectors): DashboardPanel => ({
  dashboard,
  title: `${name}: Replication`,
  description: 'Bytes of log that each replica has yet to replay; a line that climbs means that it cannot keep up.',
  unit: PanelUnit.BYTES,
  queries: [
    {
      expr: byJob('max', `pg_stat_replication_pg_wal_lsn_diff{${primary}}`, 'application_name'),
      legend: '{{application_name}}',
    },
  ],
});
