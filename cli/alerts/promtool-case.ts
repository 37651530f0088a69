import { NAMESPACE } from './samples';

/** Whether an alert fires with the series of a case. */
export interface AlertCase {
  readonly alert: string;
  /** What is the case, in a few words. */
  readonly title: string;
  readonly fires: boolean;
  /** When it is looked at, counted from the first sample, such as `20m`. */
  readonly at: string;
  /** Values by series, one a minute, in promtool's notation. */
  readonly series: Readonly<Record<string, string>>;
  /** Job that the alert names. */
  readonly job: string;
}

/** What a case looks at. */
export type Series = AlertCase['series'];

/** Constant for two days at most; promtool takes what it needs. */
export const steady = (value: number, minutes = 60): string => `${value}+0x${minutes}`;
/** Grows by `step` a minute. */
export const growing = (step: number, minutes = 60, start = 0): string => `${start}+${step}x${minutes}`;

/** The series of one job's metric. */
export function series(job: string, metric: string, labels: Readonly<Record<string, string>> = {}): string {
  const all = { namespace: NAMESPACE, job, pod: `${job}-0`, ...labels };
  return `${metric}{${Object.entries(all)
    .map(([key, value]) => `${key}="${value}"`)
    .join(',')}}`;
}

/** One case in which the alert fires, and one in which it does not. */
export const pair = (
  alert: string,
  job: string,
  at: string,
  firing: readonly [title: string, series: Series],
  quiet: readonly [title: string, series: Series],
): readonly AlertCase[] => [
  { alert, job, at, fires: true, title: firing[0], series: firing[1] },
  { alert, job, at, fires: false, title: quiet[0], series: quiet[1] },
];
