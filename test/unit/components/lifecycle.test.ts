import { Duration } from 'cdk8s';
import fc from 'fast-check';
import type { LifecycleProps } from '../../../components/lifecycle';
import { Lifecycle, STARTUP_PERIOD_SECONDS } from '../../../components/lifecycle';
import { Problems } from '../../../components/validation';
import { problemsOf } from '../../support/service-props';

const problems = (lifecycle: Lifecycle): readonly string[] =>
  problemsOf(() => {
    const found = new Problems('here');
    lifecycle.check(found);
    found.raise();
  });
const given = (props: LifecycleProps, startup = Duration.minutes(2)): readonly string[] =>
  problems(new Lifecycle(startup, props));

const seconds = (max: number) => fc.integer({ min: 1, max }).map((amount) => Duration.seconds(amount));

test('whatever is known, the derived times never contradict each other', () => {
  fc.assert(
    fc.property(
      seconds(7200),
      seconds(3600),
      seconds(300),
      fc.integer({ min: 1, max: 50 }),
      (start, request, gone, n) => {
        const times = new Lifecycle(start, { longestRequest: request, loadBalancerPropagation: gone });
        expect(problems(times)).toEqual([]);
        expect(times.startupSeconds).toBeGreaterThanOrEqual(start.toSeconds());
        expect(times.startupSeconds % STARTUP_PERIOD_SECONDS).toBe(0);
        expect(times.graceSeconds).toBeGreaterThan(times.preStopSeconds + times.longestRequestSeconds);
        expect(times.progressDeadlineSeconds).toBeGreaterThanOrEqual(times.startupSeconds + times.graceSeconds);
        expect(times.awaitSeconds(n)).toBeGreaterThanOrEqual(times.progressDeadlineSeconds);
        expect(times.awaitSeconds(n + 1)).toBeGreaterThan(times.awaitSeconds(n));
        expect(times.scaleDownWindowSeconds).toBeLessThanOrEqual(3600);
        expect(times.scaleDownWindowSeconds).toBeGreaterThanOrEqual(300);
      },
    ),
  );
});

test('a given grace is accepted exactly when it is longer than drain and request together', () => {
  fc.assert(
    fc.property(seconds(600), seconds(600), seconds(60), (grace, request, gone) => {
      const found = given({ grace, longestRequest: request, loadBalancerPropagation: gone });
      expect(found.length === 0).toBe(grace.toSeconds() > request.toSeconds() + gone.toSeconds());
    }),
  );
});

test.each<readonly [string, LifecycleProps, string]>([
  [
    'a progress deadline shorter than one pod takes',
    { progressDeadline: Duration.seconds(169) },
    'lifecycle.progressDeadline (169 s) must be at least start-up and grace together (170 s)',
  ],
  [
    'a wait shorter than the progress deadline',
    { rolloutTimeout: Duration.seconds(289) },
    'lifecycle.rolloutTimeout (289 s) must be at least the progress deadline (290 s)',
  ],
  [
    'a quiet window beyond what the API server takes',
    { scaleDownWindow: Duration.hours(2) },
    'lifecycle.scaleDownWindow must be a time from 0 s to 3600 s, got 7200 s',
  ],
  [
    'a request that takes no time',
    { longestRequest: Duration.seconds(0) },
    'lifecycle.longestRequest must be a time from 1 s to 86400 s, got 0 s',
  ],
  [
    'a propagation that is no number',
    { loadBalancerPropagation: Duration.seconds(Number.NaN) },
    'lifecycle.loadBalancerPropagation must be a time from 0 s to 86400 s, got NaN s',
  ],
  [
    'a grace that is no number',
    { grace: Duration.seconds(Number.NaN) },
    'lifecycle.grace must be a time from 1 s to 86400 s, got NaN s',
  ],
])('%s is refused', (_, props, expected) => {
  expect(given(props)).toEqual([expected]);
});

test('a start-up that takes no time is refused', () => {
  expect(given({}, Duration.seconds(0))).toEqual(['startupDeadline must be a time from 1 s to 86400 s, got 0 s']);
});

test('parts of a second count as a whole one', () => {
  const times = new Lifecycle(Duration.millis(500), { longestRequest: Duration.millis(1500) });
  expect([times.startupSeconds, times.longestRequestSeconds]).toEqual([5, 2]);
});

test('no drain is possible where nothing stands in front', () => {
  expect(given({ loadBalancerPropagation: Duration.seconds(0) })).toEqual([]);
});
