import { burnGate, burnRate } from '../../components/burn-rate';
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

interface Question {
  readonly name: string;
  readonly burning: string;
  readonly rate: string;
}

function questionOf(objective: ServiceLevelObjective): Question {
  const { name, selector = '' } = objective;
  return { name, burning: burnGate(objective, selector, Severity.PAGE), rate: burnRate(objective, NOW) };
}

/** Asks Prometheus with the rule of the alerts that page, one for each objective of the canary. */
export class BurnRateGate implements Gate {
  private readonly questions: readonly Question[];

  /** @param objectives those of the canary alone, at least one */
  public constructor(
    private readonly query: Query,
    objectives: readonly ServiceLevelObjective[],
  ) {
    this.questions = objectives.map(questionOf);
  }

  public async look(): Promise<Verdict> {
    try {
      return worst(await Promise.all(this.questions.map((question) => this.ask(question))));
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
