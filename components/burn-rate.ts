import type { Duration } from 'cdk8s';
import { ValidationError } from './errors';
import type { AlertRule, RecordingRule, ServiceLevelObjective } from './monitoring';
import { Severity } from './monitoring';
import { camelCase, quoted } from './promql';

/**
 * Alerts on how fast an objective's error budget burns, over two windows at once: the long one says that it matters, the short one that
 * it still goes on, so that an alert ends soon after its cause. Windows and factors are those of the Site Reliability Workbook,
 * chapter 5, "Alerting on SLOs", table 5-8, for a budget of 30 days.
 */
interface BurnCondition {
  readonly severity: Severity;
  /** Times the rate at which the budget would last exactly 30 days. */
  readonly factor: number;
  readonly long: BurnWindow;
  readonly short: BurnWindow;
}

/** Ranges over which the error ratio is recorded. */
export const BURN_WINDOWS = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'] as const;
export type BurnWindow = (typeof BURN_WINDOWS)[number];

const CONDITIONS: readonly BurnCondition[] = [
  // 2 % of the budget within an hour.
  { severity: Severity.PAGE, factor: 14.4, long: '1h', short: '5m' },
  // 5 % within six hours.
  { severity: Severity.PAGE, factor: 6, long: '6h', short: '30m' },
  // 10 % within a day.
  { severity: Severity.TICKET, factor: 3, long: '1d', short: '2h' },
  // 10 % within three days.
  { severity: Severity.TICKET, factor: 1, long: '3d', short: '6h' },
];
const FASTEST = Math.max(...CONDITIONS.map(({ factor }) => factor));

/** How an alert that pages, and one that makes a ticket, end their names. */
const SUFFIX: Readonly<Record<Severity, string>> = {
  [Severity.PAGE]: 'BurnsFast',
  [Severity.TICKET]: 'BurnsSlowly',
};

/** Name of the recorded error ratio. */
const recordOf = (window: BurnWindow): string => `slo:error_ratio:rate${window}`;

/** Share of events that may be bad; without the dust of binary fractions. */
export const errorBudget = ({ objective }: ServiceLevelObjective): number => Number((1 - objective).toPrecision(9));

/**
 * Share of bad events over `window`, from 0 to 1: 0 while there are good ones only, and no series while there are none at all.
 * @param window any range of PromQL, such as `10m`
 */
export function errorRatio({ bad, total }: ServiceLevelObjective, window: string): string {
  const [failed, all] = [bad, total].map((rate) => rate.replaceAll('$window', window)) as [string, string];
  // Without a bad event yet there is no series of them.
  return `((${failed}) or 0 * (${all})) / ((${all}) > 0)`;
}

/** How many times faster than allowed the budget burns over `window`; at 1 it lasts exactly 30 days. */
export const burnRate = (objective: ServiceLevelObjective, window: string): string =>
  `(${errorRatio(objective, window)}) / ${errorBudget(objective)}`;

/**
 * The same objective for other series, such as a canary's.
 * @param selector matchers without braces, such as `namespace="shop",job="api-canary"`
 * @throws ValidationError where the objective does not say what it selects by, or does not select by it
 */
export function restrictedTo(objective: ServiceLevelObjective, selector: string): ServiceLevelObjective {
  const { name, selector: own, bad, total } = objective;
  if (own === undefined || !bad.includes(own) || !total.includes(own)) {
    throw new ValidationError(name, ['selector must stand in both expressions, or they cannot be restricted']);
  }
  return { ...objective, selector, bad: bad.replaceAll(own, selector), total: total.replaceAll(own, selector) };
}

/**
 * An expression that yields a series exactly while the alert of this severity would fire for what `selector` names: the gate of a canary.
 * It needs no recorded series, so it counts from the first scrape on.
 *
 * @param longest how far back it looks at most: what another canary did before counts against nobody. @default - as far as the alert
 */
export const burnGate = (
  objective: ServiceLevelObjective,
  selector: string,
  severity = Severity.PAGE,
  longest?: Duration,
): string => {
  const restricted = restrictedTo(objective, selector);
  return burning(restricted, severity, (window) => errorRatio(restricted, windowAtMost(window, longest)));
};

const UNIT_SECONDS = { m: 60, h: 3600, d: 86_400 } as const;

/** A range as PromQL has it, no longer than `longest`. */
export function windowAtMost(window: BurnWindow, longest: Duration | undefined): string {
  const seconds = Number.parseInt(window, 10) * UNIT_SECONDS[window.slice(-1) as keyof typeof UNIT_SECONDS];
  if (longest === undefined || longest.toSeconds() >= seconds) return window;
  return `${longest.toSeconds()}s`;
}

/** The error ratio over each window, as `slo:error_ratio:rate<window>` with the label `objective`. */
export function burnRecordings(objective: ServiceLevelObjective): readonly RecordingRule[] {
  checkObjective(objective);
  return BURN_WINDOWS.map((window) => ({
    record: recordOf(window),
    expr: errorRatio(objective, window),
    labels: { objective: objective.name },
  }));
}

/** Two alerts, `<Name>BurnsFast` which pages and `<Name>BurnsSlowly` which makes a ticket, over the recorded ratios. */
export function burnAlerts(objective: ServiceLevelObjective): readonly AlertRule[] {
  checkObjective(objective);
  const { name, summary, runbook } = objective;
  return [Severity.PAGE, Severity.TICKET].map((severity) => ({
    alert: `${camelCase(name)}${SUFFIX[severity]}`,
    expr: burning(objective, severity, (window) => recorded(objective, window)),
    severity,
    summary,
    description:
      severity === Severity.PAGE
        ? 'Of the requests, {{ $value | humanizePercentage }} fail the objective: at this rate its budget of 30 days is gone within days.'
        : 'Of the requests, {{ $value | humanizePercentage }} fail the objective: at this rate its budget will not last 30 days.',
    runbook,
  }));
}

/** Selects the recorded error ratio of an objective. */
export function recorded({ name, selector }: ServiceLevelObjective, window: BurnWindow): string {
  const matchers = [...(selector === undefined ? [] : [selector]), `objective=${quoted(name)}`];
  return `${recordOf(window)}{${matchers.join(',')}}`;
}

function burning(objective: ServiceLevelObjective, severity: Severity, ratio: (window: BurnWindow) => string): string {
  const budget = errorBudget(objective);
  const over = (window: BurnWindow, factor: number): string => `(${ratio(window)}) > ${factor} * ${budget}`;
  return CONDITIONS.filter((one) => one.severity === severity)
    .map(({ factor, long, short }) => `(${over(long, factor)} and ${over(short, factor)})`)
    .join(' or ');
}

function checkObjective({ name, objective, bad, total }: ServiceLevelObjective): void {
  const problems = [
    ...(/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) ? [] : [`name must be in kebab-case, got '${name}'`]),
    // With a larger budget even nothing but errors would not burn it fast enough for the first page.
    ...(objective < 1 && FASTEST * (1 - objective) < 1
      ? []
      : [`objective must be below 1 and above ${(1 - 1 / FASTEST).toFixed(3)}, got ${objective}`]),
    ...Object.entries({ bad, total })
      .filter(([, rate]) => !rate.includes('$window'))
      .map(([key]) => `${key} must have $window where the range is`),
  ];
  if (problems.length > 0) throw new ValidationError(name, problems);
}
