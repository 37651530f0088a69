import type { AlertCase, Series } from './promtool-case';
import { growing, pair, series, steady } from './promtool-case';

const ROUTE = '/api/notes';
const counts = (job: string, labels: Readonly<Record<string, string>> = {}): string =>
  series(job, 'http_request_duration_seconds_count', { route: ROUTE, status: '200', ...labels });
const quick = (job: string, labels: Readonly<Record<string, string>> = {}): string =>
  series(job, 'http_request_duration_seconds_bucket', { route: ROUTE, status: '200', le: '1', ...labels });

/** A thousand requests a minute, of which so many fail. */
const failing = (job: string, failed: number): Series => ({
  [counts(job)]: growing(1000 - failed, 480),
  [counts(job, { status: '503' })]: growing(failed, 480),
});
/** A thousand requests a minute, of which so many are late. */
const late = (job: string, count: number, route = ROUTE): Series => ({
  [counts(job, { route })]: growing(1000, 480),
  [quick(job, { route })]: growing(1000 - count, 480),
});

/** 5 % fail for half an hour, and none in the forty minutes after it. */
const over = (job: string): Series => ({
  [counts(job)]: growing(950, 480),
  [counts(job, { status: '500' })]: `${growing(50, 30)} ${steady(1500, 60)}`,
});

const budgets = (job: string, name: string): readonly AlertCase[] => [
  // The fast alert begins at 0.6 % over six hours, the slow one at 0.1 % over three days.
  ...pair(`${name}AvailabilityBurnsFast`, job, '2h', ['2 % fail', failing(job, 20)], ['0.5 % fail', failing(job, 5)]),
  ...pair(`${name}AvailabilityBurnsFast`, job, '7h', ['0.8 % fail', failing(job, 8)], ['0.4 % fail', failing(job, 4)]),
  { alert: `${name}AvailabilityBurnsFast`, job, at: '70m', fires: false, title: 'it is over', series: over(job) },
  {
    ...{ alert: `${name}AvailabilityBurnsFast`, job, at: '2h', fires: false, title: 'only probes are told no' },
    series: { ...failing(job, 0), [counts(job, { route: '/ready', status: '503' })]: growing(500, 480) },
  },
  ...pair(
    `${name}AvailabilityBurnsSlowly`,
    job,
    '7h',
    ['0.2 % fail', failing(job, 2)],
    ['0.05 % fail', failing(job, 0.5)],
  ),
  ...pair(`${name}PromptnessBurnsFast`, job, '2h', ['20 % are late', late(job, 200)], ['4 % are late', late(job, 40)]),
  {
    ...{ alert: `${name}PromptnessBurnsFast`, job, at: '2h', fires: false, title: 'routes that take their time' },
    series: late(job, 900, '/api/completion'),
  },
  ...pair(`${name}PromptnessBurnsSlowly`, job, '7h', ['2 % are late', late(job, 20)], ['0.5 % are late', late(job, 5)]),
];

const pool = (job: string, idle: number): Series => ({
  [series(job, 'database_pool_connections', { state: 'open' })]: steady(20),
  [series(job, 'database_pool_connections', { state: 'idle' })]: steady(idle),
  [series(job, 'database_pool_connections', { state: 'waiting' })]: steady(idle === 0 ? 3 : 0),
  [series(job, 'database_pool_connections_max')]: steady(20),
});
const backend = (job: string, second: number): Series => ({
  [series(job, 'backend_up', { backend: 'postgres' })]: steady(0),
  [series(job, 'backend_up', { backend: 'postgres', pod: `${job}-1` })]: steady(second),
});

const pods = (job: string, name: string): readonly AlertCase[] => [
  ...pair(
    `${name}Down`,
    job,
    '5m',
    ['no pod answers', { [series(job, 'up')]: steady(0), [series(job, 'up', { pod: `${job}-1` })]: steady(0) }],
    ['one of two answers', { [series(job, 'up')]: steady(0), [series(job, 'up', { pod: `${job}-1` })]: steady(1) }],
  ),
  { alert: `${name}Down`, job, at: '5m', fires: true, title: 'there is no pod', series: {} },
  ...pair(
    `${name}PodDown`,
    job,
    '15m',
    ['one of two', { [series(job, 'up')]: steady(0), [series(job, 'up', { pod: `${job}-1` })]: steady(1) }],
    ['it is away for five minutes', { [series(job, 'up')]: `${steady(1, 4)} ${steady(0, 4)} ${steady(1, 10)}` }],
  ),
  ...pair(
    `${name}Restarting`,
    job,
    '30m',
    ['three starts', { [series(job, 'process_start_time_seconds')]: '1+0x5 2+0x5 3+0x5 4+0x20' }],
    ['one start', { [series(job, 'process_start_time_seconds')]: '1+0x10 2+0x30' }],
  ),
  ...pair(`${name}BackendDown`, job, '5m', ['for all pods', backend(job, 0)], ['for one pod', backend(job, 1)]),
  ...pair(`${name}PoolExhausted`, job, '10m', ['all are in use', pool(job, 0)], ['a quarter is idle', pool(job, 5)]),
];

/** Cases of a service and of its canary. */
export const serviceCases: readonly AlertCase[] = [
  ['service', 'Service'],
  ['service-canary', 'ServiceCanary'],
].flatMap(([job = '', name = '']) => [...pods(job, name), ...budgets(job, name)]);
