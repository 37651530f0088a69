import { Duration } from 'cdk8s';
import { burnGate, burnRate, windowAtMost } from '../../components/burn-rate';
import { Severity, type ServiceLevelObjective } from '../../components/monitoring';

/** What a gate says of a canary. */
export type Verdict =
  | { readonly state: 'good'; readonly detail: string }
  /** The alert that pages would fire for the canary alone. */
  | { readonly state: 'burning'; readonly detail: string }
  /** Nothing can be said: no requests were measured, or nobody answers. */
  | { readonly state: 'unknown'; readonly detail: string };

/** Decides whether a canary may get more requests. */
export interface Gate {
  look(): Promise<Verdict>;
}

/** A vector of an instant query: its values, none where there is no series. @throws where Prometheus doesn't answer, or refuses */
export type Query = (promql: string) => Promise<readonly number[]>;

/** Shortest window of the alert that pages: how fast the budget burns now. */
const NOW = '5m';

/** The least that is looked back: below it a window may hold no two scrapes. */
const LEAST_SECONDS = 60;

interface Question {
  readonly name: string;
  readonly burning: string;
  readonly rate: string;
}

function questionOf(objective: ServiceLevelObjective, longest: Duration): Question {
  const { name, selector = '' } = objective;
  return {
    name,
    burning: burnGate(objective, selector, Severity.PAGE, longest),
    rate: burnRate(objective, windowAtMost(NOW, longest)),
  };
}

/**
 * Asks Prometheus with the rule of the alerts that page, one for each objective of the canary, and no further back than the gate is there: the
 * errors of a canary that was taken back before are no longer anybody's.
 */
export class BurnRateGate implements Gate {
  private readonly since: number;

  /** @param objectives those of the canary alone, at least one. @param now milliseconds, as `Date.now` gives them */
  public constructor(
    private readonly query: Query,
    private readonly objectives: readonly ServiceLevelObjective[],
    private readonly now: () => number = Date.now,
  ) {
    this.since = now();
  }

  public async look(): Promise<Verdict> {
    const longest = Duration.seconds(Math.max(LEAST_SECONDS, Math.ceil((this.now() - this.since) / 1000)));
    const questions = this.objectives.map((objective) => questionOf(objective, longest));
    try {
      return worst(await Promise.all(questions.map((question) => this.ask(question))));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { state: 'unknown', detail: `Prometheus does not answer: ${why.split('\n')[0] ?? ''}` };
    }
  }

  private async ask({ name, burning, rate }: Question): Promise<Verdict> {
    const [found, [times]] = await Promise.all([this.query(burning), this.query(rate)]);
    if (times === undefined || Number.isNaN(times))
      return { state: 'unknown', detail: `Prometheus has seen no request of the canary within ${NOW} (${name})` };
    const detail = `the budget of ${name} burns at ${times.toFixed(1)} times the allowed rate`;
    return { state: found.length > 0 ? 'burning' : 'good', detail };
  }
}

/** One objective that burns is enough to go back, and one of which nothing is known not to go on. */
function worst(verdicts: readonly Verdict[]): Verdict {
  const of = (state: Verdict['state']): readonly Verdict[] => verdicts.filter((verdict) => verdict.state === state);
  const [burning, unknown] = [of('burning'), of('unknown')];
  const [first] = burning.length > 0 ? burning : unknown;
  return first ?? { state: 'good', detail: verdicts.map(({ detail }) => detail).join(', ') };
}
