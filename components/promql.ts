import type { Duration } from 'cdk8s';
import { Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** Namespace that the pods of a construct run in; nothing where the chart leaves it open. */
export const namespaceOf = (scope: IConstruct): string | undefined => Chart.of(scope).namespace;

/** A string of PromQL. */
export const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/**
 * Matchers of one job's series, without braces. Where the chart leaves its namespace open every namespace fits, which is said outright
 * so that no expression forgets it.
 */
export function jobSelector(scope: IConstruct, job: string): string {
  const namespace = namespaceOf(scope);
  return namespace === undefined ? `namespace=~".+",job=${quoted(job)}` : jobMatchers(namespace, job);
}

/** Matchers of the series of one job in one namespace, without braces. */
export const jobMatchers = (namespace: string, job: string): string =>
  `namespace=${quoted(namespace)},job=${quoted(job)}`;

/** Text that is safe within a regular expression between quotes of PromQL. */
export const regex = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\\\$&');

/** A duration as Prometheus writes it, in the largest unit that divides it. */
export function prometheusDuration(duration: Duration): string {
  const seconds = duration.toSeconds();
  const [unit, length] = UNITS.find(([, each]) => seconds % each === 0) ?? ['s', 1];
  return `${seconds / length}${unit}`;
}

/** A name in kebab-case as the begin of an alert's name: `noodle-runtime` becomes `NoodleRuntime`. */
export const camelCase = (name: string): string =>
  name
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
