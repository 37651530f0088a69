import * as pulumi from '@pulumi/pulumi';
import type { Settings } from './schema';
import type { PasswordSettings } from './schema-fields';
import { ConfigurationError } from './validate';

/** Which passwords servers accept and clients use, by `SYSTEM.STORE`. An output of the stack, so that the next deployment knows. */
export type Rotations = Readonly<Record<string, PasswordSettings>>;

const SYSTEMS = ['noodleCore', 'noaServer'] as const;
const STORES = ['postgres', 'redis'] as const;
/** What holds where an earlier deployment says nothing: there was one password then. */
const FIRST: PasswordSettings = { accepted: [1], used: 1 };

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

/**
 * Refuses a step for which the deployment before it is missing.
 * @throws ConfigurationError before any resource is made
 */
export async function checkRotations(now: Rotations): Promise<void> {
  const problems = rotationProblems(await lastRotations(), now);
  if (problems.length > 0) throw new ConfigurationError(`Pulumi.${pulumi.getStack()}.yaml`, problems);
}

interface StackOutputs {
  readonly outputs?: { readonly rotation?: Rotations };
}

/** What the last deployment that ended well left among the stack's outputs. */
async function lastRotations(): Promise<Rotations | undefined> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  // What a StackReference asks, without its place in the state.
  const { outputs = {} } = (await pulumi.runtime.invoke('pulumi:pulumi:readStackOutputs', { name })) as StackOutputs;
  return Object.keys(outputs).length === 0 ? undefined : (outputs.rotation ?? {});
}
