import { CanaryFailed, raiseInSteps, watch, type CanaryRun } from '../../../../cli/canary/controller';
import type { Gate, Verdict } from '../../../../cli/canary/gate';
import { EXIT, exitCodeOf } from '../../../../cli/exit';
import { FakeClock } from './support';

const GOOD: Verdict = { state: 'good', detail: 'burns at 0.1' };
const BURNING: Verdict = { state: 'burning', detail: 'burns at 20' };
const UNKNOWN: Verdict = { state: 'unknown', detail: 'no request was seen' };

interface Scene {
  readonly run: CanaryRun;
  readonly weights: number[];
  readonly clock: FakeClock;
  readonly output: () => string;
}

/** A run whose gate judges by the weight that the canary has and by the time since the start. */
function scene(judge: (percent: number, now: number) => Verdict, changes: Partial<CanaryRun> = {}): Scene {
  const weights: number[] = [];
  const written: string[] = [];
  const clock = new FakeClock();
  const gate: Gate = { look: () => Promise.resolve(judge(weights.at(-1) ?? 0, clock.now())) };
  const run: CanaryRun = {
    ...{ name: 'noodleCore.runtime', steps: [10, 25, 50], stepMs: 300_000, gate, clock },
    weigh: (percent) => {
      weights.push(percent);
      return Promise.resolve();
    },
    show: { stream: { write: (text) => written.push(text) }, quietMs: 0 },
    ...changes,
  };
  return { run, weights, clock, output: () => written.join('') };
}

const failureOf = (run: CanaryRun): Promise<Error> =>
  raiseInSteps(run).then(
    () => new Error('it did not fail'),
    (error: unknown) => error as Error,
  );

test('a canary that does well gets each weight for its time, and keeps the last', async () => {
  const { run, weights, clock, output } = scene(() => GOOD);
  await raiseInSteps(run);
  expect(weights).toEqual([10, 25, 50]);
  expect(clock.now()).toBe(900_000);
  expect(output()).toMatch(/✔ 50 % of the requests for the canary of noodleCore.runtime .*: burns at 0.1/);
  expect(output()).not.toContain('\t');
});

test('the gate is asked every 15 s, and at the end of the time', async () => {
  const { run, clock } = scene(() => GOOD, { stepMs: 40_000 });
  await watch(run, 10, () => undefined);
  expect(clock.sleeps).toEqual([15_000, 15_000, 10_000]);
});

test('one that burns its budget goes back to 0 at once, long before its time is over', async () => {
  const { run, weights, clock, output } = scene((percent, now) => (percent === 25 && now >= 360_000 ? BURNING : GOOD));
  const error = await failureOf(run);
  expect(error).toBeInstanceOf(CanaryFailed);
  expect(error.message).toBe('The canary of noodleCore.runtime was taken back to 0 at 25 %: burns at 20');
  expect(exitCodeOf(error)).toBe(EXIT.failed);
  expect(weights).toEqual([10, 25, 0]);
  expect(clock.now()).toBe(360_000);
  expect(output()).toMatch(/✖ 25 % .*\n.*▸ Back to 0 %.*\n.*✔ Back to 0 %/);
});

test('one of which nothing is known may begin, but is not given more', async () => {
  const silent = scene(() => UNKNOWN);
  expect((await failureOf(silent.run)).message).toContain('taken back to 0 at 10 %: no request was seen');
  expect(silent.weights).toEqual([10, 0]);
  expect(silent.clock.now()).toBe(300_000);
  const late = scene((_, now) => (now < 60_000 ? UNKNOWN : GOOD));
  await raiseInSteps(late.run);
  expect(late.weights).toEqual([10, 25, 50]);
});

test('a weight that can’t be given is taken back, and the update’s own error is told', async () => {
  const weights: number[] = [];
  const weigh = (percent: number): Promise<void> => {
    weights.push(percent);
    return percent === 25 ? Promise.reject(new Error('image r/app:2 can’t be pulled')) : Promise.resolve();
  };
  const { run } = scene(() => GOOD, { weigh });
  expect((await failureOf(run)).message).toBe('image r/app:2 can’t be pulled');
  expect(weights).toEqual([10, 25, 0]);
});

test('an interrupt takes it back too, and ends with its own code', async () => {
  const controller = new AbortController();
  const { run, weights } = scene(
    (percent) => {
      if (percent === 25) controller.abort();
      return GOOD;
    },
    { signal: controller.signal },
  );
  const error = await failureOf(run);
  expect(error.message).toContain('taken back to 0 at 25 %: it was interrupted');
  expect(exitCodeOf(error)).toBe(EXIT.interrupted);
  expect(weights).toEqual([10, 25, 0]);
});

test('where the way back fails too, both are told, and that requests may still go wrong', async () => {
  const weigh = (percent: number): Promise<void> =>
    percent === 0 ? Promise.reject(new Error('the API server is away')) : Promise.resolve();
  const { run } = scene(() => BURNING, { weigh });
  const { message } = await failureOf(run);
  expect(message).toContain('taken back to 0 at 10 %: burns at 20');
  expect(message).toContain('The canary may still get requests, since the way back failed: the API server is away');
});
