import type { DashboardPanel } from './monitoring';
import { DashboardTopic, PanelUnit } from './monitoring';
import { byJob } from './monitoring-parts';

/** What is worth seeing of a service. `users` leaves out the routes of probes. */
export const servicePanels = (
  name: string,
  histogram: string,
  selector: string,
  users: string,
): readonly DashboardPanel[] => [...requests(name, histogram, `${selector},${users}`), ...process(name, selector)];

function requests(name: string, histogram: string, asked: string): readonly DashboardPanel[] {
  const rate = (...by: readonly string[]): string => byJob('sum', `rate(${histogram}_count{${asked}}[5m])`, ...by);
  const failed = byJob('sum', `rate(${histogram}_count{${asked},status=~"5.."}[5m])`);
  return [
    {
      dashboard: DashboardTopic.APPLICATION,
      title: `${name}: Requests`,
      description: 'Requests of users a second by route.',
      unit: PanelUnit.PER_SECOND,
      queries: [{ expr: rate('route'), legend: '{{route}}' }],
    },
    {
      dashboard: DashboardTopic.APPLICATION,
      title: `${name}: Time to answer`,
      description: 'Half, 95 % and 99 % of the requests are answered within this time.',
      unit: PanelUnit.SECONDS,
      queries: [0.5, 0.95, 0.99].map((part) => ({
        expr: `histogram_quantile(${part}, ${byJob('sum', `rate(${histogram}_bucket{${asked}}[5m])`, 'le')})`,
        legend: `${part * 100} %`,
      })),
    },
    {
      dashboard: DashboardTopic.ERRORS,
      title: `${name}: Failed requests`,
      description: 'Share of requests that end with an error of the server; all above the objective burns its budget.',
      unit: PanelUnit.RATIO,
      queries: [{ expr: `(${failed} or 0 * ${rate()}) / (${rate()} > 0)`, legend: 'failed' }],
    },
    {
      dashboard: DashboardTopic.ERRORS,
      title: `${name}: Answers by status`,
      description: 'Answers a second by status; 4xx are the callers’ errors, 5xx the service’s.',
      unit: PanelUnit.PER_SECOND,
      queries: [{ expr: rate('status'), legend: '{{status}}' }],
    },
  ];
}

const process = (name: string, selector: string): readonly DashboardPanel[] => [
  {
    dashboard: DashboardTopic.APPLICATION,
    title: `${name}: Database pool`,
    description: 'Connections by state; requests that wait mean that the pool is too small or statements too slow.',
    unit: PanelUnit.NUMBER,
    queries: [{ expr: byJob('sum', `database_pool_connections{${selector}}`, 'state'), legend: '{{state}}' }],
  },
  {
    dashboard: DashboardTopic.SYSTEM,
    title: `${name}: CPU`,
    description: 'Cores in use by each pod; at its limit a pod gets slow.',
    unit: PanelUnit.NUMBER,
    queries: [{ expr: byJob('sum', `rate(process_cpu_seconds_total{${selector}}[5m])`, 'pod'), legend: '{{pod}}' }],
  },
  {
    dashboard: DashboardTopic.SYSTEM,
    title: `${name}: Memory`,
    description: 'Resident bytes of each pod; a line that climbs until it breaks off is a leak.',
    unit: PanelUnit.BYTES,
    queries: [{ expr: byJob('max', `process_resident_memory_bytes{${selector}}`, 'pod'), legend: '{{pod}}' }],
  },
  {
    dashboard: DashboardTopic.SYSTEM,
    title: `${name}: Pods that answer`,
    description: 'Pods that were scraped; fewer than there should be means that some are away.',
    unit: PanelUnit.NUMBER,
    queries: [{ expr: byJob('sum', `up{${selector}}`), legend: 'pods' }],
  },
];
