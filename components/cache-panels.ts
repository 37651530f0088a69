import type { DashboardPanel } from './monitoring';
import { DashboardTopic, PanelUnit } from './monitoring';
import { byJob } from './monitoring-parts';

const dashboard = DashboardTopic.CACHE;

/** What is worth seeing of a cache. */
export const cachePanels = (name: string, selector: string, members: boolean): readonly DashboardPanel[] => [
  ...use(name, selector),
  {
    dashboard,
    title: `${name}: Connections`,
    description: 'Open connections of each server; a line that climbs steadily is a leak.',
    unit: PanelUnit.NUMBER,
    queries: [{ expr: byJob('max', `redis_connected_clients{${selector}}`, 'pod'), legend: '{{pod}}' }],
  },
  {
    dashboard,
    title: `${name}: Keys`,
    description: 'Keys of each database, and those that have an expiry.',
    unit: PanelUnit.NUMBER,
    queries: [
      { expr: byJob('max', `redis_db_keys{${selector}}`, 'db'), legend: '{{db}}' },
      { expr: byJob('max', `redis_db_keys_expiring{${selector}}`, 'db'), legend: '{{db}} with an expiry' },
    ],
  },
  ...(members ? [replication(name, selector)] : []),
];

const use = (name: string, selector: string): readonly DashboardPanel[] => [
  {
    dashboard,
    title: `${name}: Commands`,
    description: 'Commands a second of each server.',
    unit: PanelUnit.PER_SECOND,
    queries: [
      { expr: byJob('sum', `rate(redis_commands_processed_total{${selector}}[5m])`, 'pod'), legend: '{{pod}}' },
    ],
  },
  {
    dashboard,
    title: `${name}: Hit rate`,
    description:
      'Share of the keys asked for that were there; a fall after a roll-out means that keys changed their names.',
    unit: PanelUnit.RATIO,
    queries: [
      {
        expr:
          `${byJob('sum', `rate(redis_keyspace_hits_total{${selector}}[5m])`)} / ` +
          `(${byJob('sum', `rate(redis_keyspace_hits_total{${selector}}[5m])`)} + ${byJob('sum', `rate(redis_keyspace_misses_total{${selector}}[5m])`)})`,
        legend: 'hits',
      },
    ],
  },
  {
    dashboard,
    title: `${name}: Memory`,
    description: 'Bytes of data and the most that there may be; at the line keys are dropped or writes fail.',
    unit: PanelUnit.BYTES,
    queries: [
      { expr: byJob('max', `redis_memory_used_bytes{${selector}}`, 'pod'), legend: '{{pod}}' },
      { expr: byJob('min', `redis_memory_max_bytes{${selector}}`), legend: 'most' },
    ],
  },
  {
    dashboard,
    title: `${name}: Keys dropped and expired`,
    description: 'Keys a second that were dropped for room, and that expired; those dropped should be few.',
    unit: PanelUnit.PER_SECOND,
    queries: ['evicted', 'expired'].map((how) => ({
      expr: byJob('sum', `rate(redis_${how}_keys_total{${selector}}[5m])`),
      legend: how,
    })),
  },
];

const replication = (name: string, selector: string): DashboardPanel => ({
  dashboard,
  title: `${name}: Replicas`,
  description: 'Replicas that are connected to each server; the primary’s should be all.',
  unit: PanelUnit.NUMBER,
  queries: [{ expr: byJob('max', `redis_connected_slaves{${selector}}`, 'pod'), legend: '{{pod}}' }],
});
