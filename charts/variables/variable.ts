import type { VariableType } from './type';

/** Who says what a variable holds. */
export type Origin =
  /** Its default, or the environment's file where that says otherwise. */
  | 'setting'
  /** The chart, from what it knows of the service. */
  | 'chart'
  /** A connection that the chart declares. */
  | 'connection'
  /** A Secret. */
  | 'secret';

/** One environment variable of a system's services. */
export interface Variable {
  readonly name: string;
  readonly type: VariableType;
  readonly origin: Origin;
  /** Services that have it. */
  readonly services: readonly string[];
  /** Text of a setting that no file changes; nothing for what is no setting. */
  readonly default: string | undefined;
  /** Whether its value must not be shown. */
  readonly secret: boolean;
  /** What it does, for the page of variables. */
  readonly doc: string;
}

/** Variables with one subject. */
export interface Category {
  readonly name: string;
  readonly variables: readonly Variable[];
}

interface Given {
  readonly name: string;
  readonly type: VariableType;
  readonly services: readonly string[];
  readonly doc: string;
}

/** A variable that the environments' files may change. */
export const setting = (
  name: string,
  type: VariableType,
  value: string,
  services: readonly string[],
  doc: string,
): Variable => ({ name, type, origin: 'setting', services, default: value, secret: false, doc });

const fixed =
  (origin: Exclude<Origin, 'setting'>, secret: boolean) =>
  (name: string, type: VariableType, services: readonly string[], doc: string): Variable => ({
    ...({ name, type, services, doc } satisfies Given),
    origin,
    default: undefined,
    secret,
  });

/** A variable that follows from the definition. */
export const derived = fixed('chart', false);
/** An address that a connection brings. */
export const connected = fixed('connection', false);
/** The same, where an environment may have no such connection: it is then not set. */
export const maybeConnected = (...args: Parameters<typeof connected>): Variable => ({
  ...connected(...args),
  default: '',
});
/** An address or key that a connection brings from a Secret. */
export const connectedSecret = fixed('connection', true);
/** A key from a Secret. */
export const secret = fixed('secret', true);

/**
 * What is wrong with the settings of a file, by variable: a name that is none, or a value that does not fit.
 * @param given text by name
 */
export function settingProblems(
  categories: readonly Category[],
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const known = new Map(categories.flatMap(({ variables }) => variables).map((one) => [one.name, one]));
  const problems = Object.entries(given).flatMap(([name, text]) => {
    const variable = known.get(name);
    if (variable === undefined) return [[name, 'is not a known variable']];
    if (variable.origin !== 'setting') return [[name, `cannot be set, since it comes from ${ORIGIN[variable.origin]}`]];
    const problem = variable.type.problem(text);
    return problem === undefined ? [] : [[name, problem]];
  });
  return Object.fromEntries(problems) as Record<string, string>;
}

/** Where a value comes from, in words. */
export const ORIGIN: Readonly<Record<Origin, string>> = {
  setting: 'the environment’s file',
  chart: 'the chart',
  connection: 'a connection',
  secret: 'a Secret',
};

/** The settings of one service: defaults, and what the file says instead. */
export function settingsOf(
  categories: readonly Category[],
  service: string,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const own = categories
    .flatMap(({ variables }) => variables)
    .filter(({ origin, services }) => origin === 'setting' && services.includes(service));
  return Object.fromEntries(own.map(({ name, default: value }) => [name, given[name] ?? value ?? '']));
}
