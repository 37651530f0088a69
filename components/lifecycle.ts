import { Duration } from 'cdk8s';
import type { Problems } from './validation';

/** Seconds between two questions of a start-up probe. */
export const STARTUP_PERIOD_SECONDS = 5;

// Time for the scheduler, the volume and the pull of an image of some hundred megabytes, before a container's own start counts.
const PLACEMENT_SECONDS = 120;
// To end the process after its last answer, and for a proxy to hear a late one.
const MARGIN_SECONDS = 5;
// The API server refuses a longer stabilisation window.
const LONGEST_WINDOW_SECONDS = 3600;

/**
 * What is known about a workload's times; all other times follow from it: drain and grace, probes, timeouts of proxies in front,
 * roll-out and scaling.
 */
export interface LifecycleProps {
  /** Longest request that must still be answered when the pod goes. @default Duration.seconds(30) */
  readonly longestRequest?: Duration;
  /**
   * Time until every proxy and load balancer has forgotten a pod that is told to stop; it keeps serving for that long.
   * Five seconds were reported as too short behind ingress controllers.
   * @default Duration.seconds(15)
   */
  readonly loadBalancerPropagation?: Duration;
  /** Time to load what the process serves from, such as a model or a cache, after its own start. @default - none */
  readonly loadTime?: Duration;
  /**
   * A new pod must have been ready for so long, without a break, before a roll-out goes on to the next: one that fails with its first
   * requests ends the roll-out there.
   * @default - the period of the readiness probe, so that two answers in a row were good
   */
  readonly minReady?: Duration;
  /** From the request to stop until the kill. @default - propagation + longest request + 5 s to end the process */
  readonly grace?: Duration;
  /** A rollout without progress for that long has failed. @default - start-up + grace + minReady + 2 min for placement and image pull */
  readonly progressDeadline?: Duration;
  /** How long a deployment engine waits for the whole rollout. @default - progress deadline + start-up and minReady of each further pod */
  readonly rolloutTimeout?: Duration;
  /** How long the load must stay low before pods are taken away. @default - 5 min, or twice the start-up if that is longer */
  readonly scaleDownWindow?: Duration;
}

/**
 * The times of one workload, derived together so that none contradicts another:
 * `grace > preStop + longest request`, `proxy timeout > longest request`, `scale-down window ≥ start-up` and
 * `rollout wait ≥ progress deadline ≥ start-up + grace + minReady`. All figures are whole seconds.
 */
export class Lifecycle {
  /** The pod keeps serving for so long after it was told to stop. */
  public readonly preStopSeconds: number;
  public readonly longestRequestSeconds: number;
  public readonly graceSeconds: number;
  /** Budget of the start-up probe, load time included: a multiple of its period. */
  public readonly startupSeconds: number;
  /** A roll-out goes on when a new pod has been ready for so long. */
  public readonly minReadySeconds: number;
  public readonly progressDeadlineSeconds: number;
  public readonly scaleDownWindowSeconds: number;

  /** @param startup longest time from the start of the container until it serves, or begins to load */
  public constructor(
    private readonly startup: Duration,
    private readonly props: LifecycleProps = {},
  ) {
    const start = wholeSeconds(startup) + orElse(props.loadTime, 0);
    this.startupSeconds = Math.ceil(start / STARTUP_PERIOD_SECONDS) * STARTUP_PERIOD_SECONDS;
    this.minReadySeconds = orElse(props.minReady, STARTUP_PERIOD_SECONDS);
    this.preStopSeconds = wholeSeconds(props.loadBalancerPropagation ?? Duration.seconds(15));
    this.longestRequestSeconds = wholeSeconds(props.longestRequest ?? Duration.seconds(30));
    this.graceSeconds = orElse(props.grace, this.preStopSeconds + this.longestRequestSeconds + MARGIN_SECONDS);
    this.progressDeadlineSeconds = orElse(props.progressDeadline, this.turnoverSeconds + PLACEMENT_SECONDS);
    this.scaleDownWindowSeconds = orElse(
      props.scaleDownWindow,
      Math.min(LONGEST_WINDOW_SECONDS, Math.max(300, 2 * this.startupSeconds)),
    );
  }

  public get grace(): Duration {
    return Duration.seconds(this.graceSeconds);
  }

  /**
   * How long a proxy in front waits for an answer: a little longer than the longest request takes, so that it is the service that
   * says what went wrong.
   */
  public get proxyTimeoutSeconds(): number {
    return this.longestRequestSeconds + MARGIN_SECONDS;
  }

  /**
   * How long a deployment engine must wait for a rollout of `waves` pods one after the other.
   * @param inPlace whether each pod ends before its successor starts
   */
  public awaitSeconds(waves: number, inPlace = false): number {
    const wave = this.startupSeconds + this.minReadySeconds + (inPlace ? this.graceSeconds : 0);
    return orElse(this.props.rolloutTimeout, this.progressDeadlineSeconds + (waves - 1) * wave);
  }

  /** From the first second of a new pod to the last of the one that it replaces. */
  private get turnoverSeconds(): number {
    return this.startupSeconds + this.graceSeconds + this.minReadySeconds;
  }

  /** Adds what does not fit together. */
  public check(problems: Problems): void {
    this.checkAmounts(problems);
    const { preStopSeconds, longestRequestSeconds, graceSeconds, progressDeadlineSeconds } = this;
    const busy = preStopSeconds + longestRequestSeconds;
    problems.require(
      !(graceSeconds <= busy),
      `lifecycle.grace (${graceSeconds} s) must be longer than load-balancer propagation and longest request together (${busy} s)`,
    );
    const turnover = this.turnoverSeconds;
    problems.require(
      !(progressDeadlineSeconds < turnover),
      `lifecycle.progressDeadline (${progressDeadlineSeconds} s) must be at least start-up, grace and minReady together (${turnover} s)`,
    );
    const window = this.scaleDownWindowSeconds;
    problems.require(
      !(window < Math.min(this.startupSeconds, LONGEST_WINDOW_SECONDS)),
      `lifecycle.scaleDownWindow (${window} s) must be at least the start-up (${this.startupSeconds} s), or pods would go before they have served`,
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
    amount('startupDeadline', wholeSeconds(this.startup), 1);
    amount('lifecycle.loadBalancerPropagation', this.preStopSeconds, 0);
    amount('lifecycle.longestRequest', this.longestRequestSeconds, 1);
    for (const name of ['grace', 'progressDeadline', 'rolloutTimeout'] as const) {
      const given = this.props[name];
      if (given !== undefined) amount(`lifecycle.${name}`, wholeSeconds(given), 1);
    }
    for (const name of ['loadTime', 'minReady'] as const) {
      const given = this.props[name];
      if (given !== undefined) amount(`lifecycle.${name}`, wholeSeconds(given), 0);
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
