import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, EXIT, type ExitCode } from '../exit';
import { duration, runSteps, type Report, type Step, type StepsOptions } from '../steps';
import type { Gate, Verdict } from './gate';

/** Time, as the controller sees it. */
export interface Clock {
  now(): number;
  /** @throws where the signal is aborted */
  sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<unknown>;
}

const CLOCK: Clock = {
  now: Date.now,
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, signal === undefined ? {} : { signal }),
};

export interface CanaryRun {
  /** As it is shown: `noodleCore.runtime`. */
  readonly name: string;
  /** Weights in percent, rising. */
  readonly steps: readonly number[];
  /** How long each weight is watched. */
  readonly stepMs: number;
  /** How often the gate is asked meanwhile. @default 15 000 */
  readonly lookMs?: number;
  /** Gives the canary so many percent of the requests, and waits until it has them. */
  readonly weigh: (percent: number, progress: Report) => Promise<void>;
  readonly gate: Gate;
  /** Ends the watching: the canary goes back to 0. @default - never */
  readonly signal?: AbortSignal;
  /** @default - the machine's */
  readonly clock?: Clock;
  /** @default - stderr */
  readonly show?: StepsOptions;
}

/** The canary was taken back to 0, and why. */
export class CanaryFailed extends CliError {
  public constructor(name: string, percent: number, why: string, code: ExitCode = EXIT.failed) {
    super(`The canary of ${name} was taken back to 0 at ${percent} %: ${why}`, code);
    this.name = 'CanaryFailed';
  }
}

/**
 * Watches a weight for its time.
 *
 * @returns the last verdict, which is good
 * @throws CanaryFailed as soon as the budget burns, and at the end of the time where nothing could be said
 */
export async function watch(run: CanaryRun, percent: number, progress: Report): Promise<Verdict> {
  const { name, stepMs, lookMs = 15_000, gate, signal, clock = CLOCK } = run;
  const interrupted = (): never => {
    throw new CanaryFailed(name, percent, 'it was interrupted', EXIT.interrupted);
  };
  const end = clock.now() + stepMs;
  for (;;) {
    await clock.sleep(Math.max(0, Math.min(lookMs, end - clock.now())), signal).catch(interrupted);
    if (signal?.aborted === true) interrupted();
    const verdict = await gate.look();
    progress(`${verdict.detail}; ${duration(Math.max(0, end - clock.now()))} left`);
    if (verdict.state === 'burning') throw new CanaryFailed(name, percent, verdict.detail);
    if (clock.now() < end) continue;
    if (verdict.state === 'good') return verdict;
    throw new CanaryFailed(name, percent, verdict.detail);
  }
}

const weightStep = (run: CanaryRun, percent: number): Step => ({
  title: `${percent} % of the requests for the canary of ${run.name}`,
  run: async ({ progress }) => {
    await run.weigh(percent, progress);
    return (await watch(run, percent, progress)).detail;
  },
});

const backStep = (run: CanaryRun): Step => ({
  title: `Back to 0 % for the canary of ${run.name}`,
  run: async ({ progress }) => run.weigh(0, progress),
});

/**
 * Raises the weight of a canary in steps, each watched by the gate for its time. Whatever goes wrong, an interrupt too, it goes back to 0.
 *
 * @throws CanaryFailed, or the error of an update; where not even the way back succeeds, both
 */
export async function raiseInSteps(run: CanaryRun): Promise<void> {
  try {
    await runSteps(
      run.steps.map((percent) => weightStep(run, percent)),
      run.show,
    );
  } catch (cause) {
    await runSteps([backStep(run)], run.show).catch((error: unknown) => {
      throw new CliError(
        `${String(cause instanceof Error ? cause.message : cause)}\nThe canary may still get requests, since the way back failed: ${String(error instanceof Error ? error.message : error)}`,
      );
    });
    throw cause;
  }
}
