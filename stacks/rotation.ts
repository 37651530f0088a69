import type { Settings } from './schema';
import type { PasswordSettings } from './schema-fields';

/** Which passwords servers accept and clients use, by `SYSTEM.STORE`. An output of the stack, so that the next deployment knows. */
export type Rotations = Readonly<Record<string, PasswordSettings>>;

const SYSTEMS = ['noodleCore', 'noaServer'] as const;
const STORES = ['postgres', 'redis'] as const;
/** What holds where an earlier deployment says nothing: there was one password then. */
const FIRST: PasswordSettings = { accepted: [1], used: 1 };

/** What an operator does to one password by one edit. */
export type Step = 'stage' | 'switch' | 'retire';

/** The edit that comes next. */
export function nextStep({ accepted, used }: PasswordSettings): {
  readonly step: Step;
  readonly password: PasswordSettings;
} {
  const newest = Math.max(...accepted);
  if (accepted.length === 1) return { step: 'stage', password: { accepted: [newest, newest + 1], used } };
  if (used !== newest) return { step: 'switch', password: { accepted, used: newest } };
  return { step: 'retire', password: { accepted: [newest], used } };
}

/** The numbers of every password that rotates. */
export const rotationsOf = (settings: Settings): Rotations =>
  Object.fromEntries(
    SYSTEMS.flatMap((system) =>
      STORES.map((store) => [`${system}.${store}`, settings[system][store].password] as const),
    ),
  );

/**
 * What would leave a client without a password that its server accepts, one sentence each.
 * @param before after the last deployment; nothing before the first one
 */
export function rotationProblems(before: Rotations | undefined, now: Rotations): readonly string[] {
  if (before === undefined) return [];
  return Object.entries(now).flatMap(([name, password]) =>
    stepProblems(before[name] ?? FIRST, password).map(
      ([key, message]) => `trellis:${name}.password.${key}: ${message}`,
    ),
  );
}

function stepProblems(before: PasswordSettings, now: PasswordSettings): readonly (readonly [string, string])[] {
  const problems: [string, string][] = [];
  const newest = Math.max(...before.accepted);
  const retired = now.accepted.filter((number) => number < newest && !before.accepted.includes(number));
  if (!now.accepted.includes(before.used)) {
    problems.push([
      'accepted',
      `must hold ${before.used} as long as clients use it, got ${list(now.accepted)}; deploy used: ${newest} with accepted: ${list(before.accepted)} before it is retired`,
    ]);
  }
  if (!before.accepted.includes(now.used)) {
    problems.push([
      'used',
      `must be a password that servers accept since the last deployment (${list(before.accepted)}), got ${now.used}; deploy it as accepted first`,
    ]);
  }
  if (retired.length > 0) {
    problems.push(['accepted', `must not go back to ${list(retired)}: what follows ${newest} is ${newest + 1}`]);
  }
  return problems;
}

const list = (numbers: readonly number[]): string => `[${numbers.join(', ')}]`;
