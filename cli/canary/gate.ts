import { burnGate, burnRate, restrictedTo } from '../../components/burn-rate';
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

/** The service level objective of a second version: of its pods alone, by their names. */
export function canaryObjective(namespace: string, workload: string, objective: number): ServiceLevelObjective {
  // Names of workloads have no character that a regular expression would take for something else.
  const selector = `namespace="${namespace}",pod=~"${workload}-[a-z0-9]+-[a-z0-9]+"`;
  return {
    ...{ name: workload, objective, selector },
    bad: `sum(rate(http_request_duration_seconds_count{${selector},status=~"5.."}[$window]))`,
    total: `sum(rate(http_request_duration_seconds_count{${selector}}[$window]))`,
    summary: `${workload} fails too many requests`,
    runbook: '',
  };
}

/** Shortest window of the alert that pages: how fast the budget burns now. */
const NOW = '5m';

/** Asks Prometheus with the rule of the alert that pages, for the canary's requests alone. */
export class BurnRateGate implements Gate {
  private readonly burning: string;
  private readonly rate: string;

  /** @param objective whose `selector` names the canary's series */
  public constructor(
    private readonly query: Query,
    objective: ServiceLevelObjective,
  ) {
    const selector = objective.selector ?? '';
    this.burning = burnGate(objective, selector, Severity.PAGE);
    this.rate = burnRate(restrictedTo(objective, selector), NOW);
  }

  public async look(): Promise<Verdict> {
    try {
      const [burning, [rate]] = await Promise.all([this.query(this.burning), this.query(this.rate)]);
      if (rate === undefined || Number.isNaN(rate))
        return { state: 'unknown', detail: `Prometheus has seen no request of the canary within ${NOW}` };
      const detail = `its error budget burns at ${rate.toFixed(1)} times the allowed rate`;
      return { state: burning.length > 0 ? 'burning' : 'good', detail };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { state: 'unknown', detail: `Prometheus does not answer: ${why.split('\n')[0] ?? ''}` };
    }
  }
}
