import type { AlertCase, Series } from './promtool-case';
import { growing, pair, series, steady } from './promtool-case';

interface Server {
  readonly job: string;
  readonly name: string;
  readonly waiting: string;
  readonly running: string;
  readonly work: string;
}

const SERVERS: readonly Server[] = [
  {
    ...{ job: 'model', name: 'Model', work: 'llamacpp:n_decode_total' },
    ...{ waiting: 'llamacpp:requests_deferred', running: 'llamacpp:requests_processing' },
  },
  {
    ...{ job: 'large-model', name: 'LargeModel', work: 'vllm:generation_tokens_total' },
    ...{ waiting: 'vllm:num_requests_waiting', running: 'vllm:num_requests_running' },
  },
];

const every = ({ job, name, waiting, running, work }: Server): readonly AlertCase[] => {
  const queue = (first: number, second: number): Series => ({
    [series(job, waiting)]: steady(first),
    [series(job, waiting, { pod: `${job}-1` })]: steady(second),
  });
  return [
    ...pair(
      `${name}Down`,
      job,
      '30m',
      ['no pod answers', { [series(job, 'up')]: steady(0) }],
      ['it loads the model', { [series(job, 'up')]: `${steady(1, 25)} ${steady(0, 10)}` }],
    ),
    { alert: `${name}Down`, job, at: '30m', fires: true, title: 'there is no pod', series: {} },
    ...pair(
      `${name}QueueLong`,
      job,
      '15m',
      ['10 wait for 4 slots', queue(10, 10)],
      ['one pod of two has a queue', queue(6, 0)],
    ),
    ...pair(
      `${name}NoTokens`,
      job,
      '15m',
      ['requests and no step', { [series(job, running)]: steady(2), [series(job, work)]: steady(1000) }],
      ['requests and steps', { [series(job, running)]: steady(2), [series(job, work)]: growing(100) }],
    ),
    {
      ...{ alert: `${name}NoTokens`, job, at: '15m', fires: false, title: 'nothing to do' },
      series: { [series(job, running)]: steady(0), [series(job, work)]: steady(1000) },
    },
  ];
};

const begun = (late: number): Series => ({
  [series('large-model', 'vllm:time_to_first_token_seconds_count')]: growing(100, 480),
  [series('large-model', 'vllm:time_to_first_token_seconds_bucket', { le: '10.0' })]: growing(100 - late, 480),
});
const interrupted = (each: number): Series => ({
  [series('large-model', 'vllm:num_preemptions_total')]: growing(each),
});

const vllmOnly: readonly AlertCase[] = [
  ...pair(
    'LargeModelCacheExhausted',
    'large-model',
    '40m',
    ['one every five seconds', interrupted(12)],
    ['one a minute', interrupted(1)],
  ),
  ...pair(
    'LargeModelFirstTokenBurnsFast',
    'large-model',
    '2h',
    ['80 % are late', begun(80)],
    ['25 % are late', begun(25)],
  ),
  ...pair(
    'LargeModelFirstTokenBurnsSlowly',
    'large-model',
    '7h',
    ['10 % are late', begun(10)],
    ['3 % are late', begun(3)],
  ),
];

/** Cases of both servers. */
export const inferenceCases: readonly AlertCase[] = [...SERVERS.flatMap(every), ...vllmOnly];
