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
        expect(times.progressDeadlineSeconds).toBeGreaterThan(times.minReadySeconds);
        expect(times.proxyTimeoutSeconds).toBeGreaterThan(times.longestRequestSeconds);
        expect(times.awaitSeconds(n, true)).toBe(times.awaitSeconds(n) + (n - 1) * times.graceSeconds);
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
    { progressDeadline: Duration.seconds(174) },
    'lifecycle.progressDeadline (174 s) must be at least start-up, grace and minReady together (175 s)',
  ],
  [
    'a wait shorter than the progress deadline',
    { rolloutTimeout: Duration.seconds(294) },
    'lifecycle.rolloutTimeout (294 s) must be at least the progress deadline (295 s)',
  ],
  [
    'a quiet window shorter than the start',
    { scaleDownWindow: Duration.seconds(119) },
    'lifecycle.scaleDownWindow (119 s) must be at least the start-up (120 s), or pods would go before they have served',
  ],
  [
    'a load time that is no number',
    { loadTime: Duration.seconds(Number.NaN), progressDeadline: Duration.hours(1), scaleDownWindow: Duration.hours(1) },
    'lifecycle.loadTime must be a time from 0 s to 86400 s, got NaN s',
  ],
  [
    'a minReady beyond a day',
    { minReady: Duration.days(2) },
    'lifecycle.minReady must be a time from 0 s to 86400 s, got 172800 s',
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

test('the time to load lengthens the start and all that waits for it', () => {
  const props = { loadTime: Duration.minutes(10), minReady: Duration.seconds(30) };
  const times = new Lifecycle(Duration.minutes(2), props);
  expect(times.startupSeconds).toBe(720);
  expect(times.progressDeadlineSeconds).toBe(720 + 50 + 30 + 120);
  expect(times.scaleDownWindowSeconds).toBe(1440);
  expect(times.awaitSeconds(3)).toBe(920 + 2 * 750);
  expect(times.awaitSeconds(3, true)).toBe(920 + 2 * 800);
});

test('parts of a second count as a whole one', () => {
  const times = new Lifecycle(Duration.millis(500), { longestRequest: Duration.millis(1500) });
  expect([times.startupSeconds, times.longestRequestSeconds]).toEqual([5, 2]);
});

test('no drain is possible where nothing stands in front', () => {
  expect(given({ loadBalancerPropagation: Duration.seconds(0) })).toEqual([]);
});
