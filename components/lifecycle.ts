import { Duration } from 'cdk8s';
import type { Problems } from './validation';

/** Seconds between two questions of a start-up probe. */
export const STARTUP_PERIOD_SECONDS = 5;

// Time for the scheduler, the volume and the pull of an image of some hundred megabytes, before a container's own start counts.
const PLACEMENT_SECONDS = 120;
// The API server refuses a longer stabilisation window.
const LONGEST_WINDOW_SECONDS = 3600;

/** What is known about a workload's times; all other times follow from it. */
export interface LifecycleProps {
  /** Longest request that must still be answered when the pod goes. @default Duration.seconds(30) */
  readonly longestRequest?: Duration;
  /**
   * Time until every proxy and load balancer has forgotten a pod that is told to stop; it keeps serving for that long.
   * Five seconds were reported as too short behind ingress controllers.
   * @default Duration.seconds(15)
   */
  readonly loadBalancerPropagation?: Duration;
  /** From the request to stop until the kill. @default - propagation + longest request + 5 s to end the process */
  readonly grace?: Duration;
  /** A rollout without progress for that long has failed. @default - start-up + grace + 2 min for placement and image pull */
  readonly progressDeadline?: Duration;
  /** How long a deployment engine waits for the whole rollout. @default - progress deadline + one start-up for each further pod */
  readonly rolloutTimeout?: Duration;
  /** How long the load must stay low before pods are taken away. @default - 5 min, or twice the start-up if that is longer */
  readonly scaleDownWindow?: Duration;
}

/**
 * The times of one workload, derived together so that none contradicts another:
 * `grace > preStop + longest request` and `rollout wait ≥ progress deadline ≥ start-up + grace`.
 * All figures are whole seconds.
 */
export class Lifecycle {
  /** The pod keeps serving for so long after it was told to stop. */
  public readonly preStopSeconds: number;
  public readonly longestRequestSeconds: number;
  public readonly graceSeconds: number;
  /** Budget of the start-up probe: a multiple of its period. */
  public readonly startupSeconds: number;
  public readonly progressDeadlineSeconds: number;
  public readonly scaleDownWindowSeconds: number;

  /** @param startup longest time from the start of the container until it serves */
  public constructor(
    startup: Duration,
    private readonly props: LifecycleProps = {},
  ) {
    this.startupSeconds = Math.ceil(wholeSeconds(startup) / STARTUP_PERIOD_SECONDS) * STARTUP_PERIOD_SECONDS;
    this.preStopSeconds = wholeSeconds(props.loadBalancerPropagation ?? Duration.seconds(15));
    this.longestRequestSeconds = wholeSeconds(props.longestRequest ?? Duration.seconds(30));
    this.graceSeconds = orElse(props.grace, this.preStopSeconds + this.longestRequestSeconds + 5);
    this.progressDeadlineSeconds = orElse(
      props.progressDeadline,
      this.startupSeconds + this.graceSeconds + PLACEMENT_SECONDS,
    );
    this.scaleDownWindowSeconds = orElse(
      props.scaleDownWindow,
      Math.min(LONGEST_WINDOW_SECONDS, Math.max(300, 2 * this.startupSeconds)),
    );
  }

  public get grace(): Duration {
    return Duration.seconds(this.graceSeconds);
  }

  /** How long a deployment engine must wait for a rollout of `waves` pods one after the other. */
  public awaitSeconds(waves: number): number {
    return orElse(this.props.rolloutTimeout, this.progressDeadlineSeconds + (waves - 1) * this.startupSeconds);
  }

  /** Adds what does not fit together. */
  public check(problems: Problems): void {
    this.checkAmounts(problems);
    const { preStopSeconds, longestRequestSeconds, graceSeconds, startupSeconds, progressDeadlineSeconds } = this;
    const busy = preStopSeconds + longestRequestSeconds;
    problems.require(
      !(graceSeconds <= busy),
      `lifecycle.grace (${graceSeconds} s) must be longer than load-balancer propagation and longest request together (${busy} s)`,
    );
    const turnover = startupSeconds + graceSeconds;
    problems.require(
      !(progressDeadlineSeconds < turnover),
      `lifecycle.progressDeadline (${progressDeadlineSeconds} s) must be at least start-up and grace together (${turnover} s)`,
    );
    const wait = this.awaitSeconds(1);
    problems.require(
      !(wait < progressDeadlineSeconds),
      `lifecycle.rolloutTimeout (${wait} s) must be at least the progress deadline (${progressDeadlineSeconds} s)`,
    );
  }

  private checkAmounts(problems: Problems): void {
    const amount = (prop: string, seconds: number, min: number, max = 86_400): void => {
      problems.require(
        seconds >= min && seconds <= max,
        `${prop} must be a time from ${min} s to ${max} s, got ${seconds} s`,
      );
    };
    amount('startupDeadline', this.startupSeconds, 1);
    amount('lifecycle.loadBalancerPropagation', this.preStopSeconds, 0);
    amount('lifecycle.longestRequest', this.longestRequestSeconds, 1);
    for (const name of ['grace', 'progressDeadline', 'rolloutTimeout'] as const) {
      const given = this.props[name];
      if (given !== undefined) amount(`lifecycle.${name}`, wholeSeconds(given), 1);
    }
    if (this.props.scaleDownWindow !== undefined) {
      amount('lifecycle.scaleDownWindow', this.scaleDownWindowSeconds, 0, LONGEST_WINDOW_SECONDS);
    }
  }
}

/** Seconds of a duration, rounded up; `toSeconds()` alone throws where they are no whole number. */
export const wholeSeconds = (duration: Duration): number => Math.ceil(duration.toSeconds({ integral: false }));

const orElse = (given: Duration | undefined, derived: number): number =>
  given === undefined ? derived : wholeSeconds(given);
