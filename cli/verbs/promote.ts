import { confirm } from '../ask';
import { connect, unreachable } from '../cluster/client';
import { promoteDatabase } from '../cluster/promote';
import { CliError } from '../exit';
import { readNamespaces } from '../stack-program';

export interface PromoteOptions {
  readonly stack: string;
  readonly yes?: boolean;
}

/** Systems by the names that users have for them, and where their settings are. */
export const SYSTEMS = { 'noodle-core': 'noodleCore', 'noa-server': 'noaServer' } as const;
export type SystemName = keyof typeof SYSTEMS;

/** Name of each system's StatefulDatabase. */
const DATABASE = 'postgres';

/** Makes a system's standby its primary, and says what is left to do by hand. */
export async function promote(system: SystemName, { stack, yes }: PromoteOptions): Promise<void> {
  const key = SYSTEMS[system];
  const namespace = (await readNamespaces(stack))[key];
  await confirm(
    `The database of ${system} in stack ${stack} becomes a primary and can't follow again. Is the old primary gone, or fenced off?`,
    yes,
  );
  const connection = await connect(stack);
  const said = await promoteDatabase(connection, namespace, DATABASE).catch((error: unknown) => {
    throw error instanceof CliError ? error : unreachable(connection.context, error);
  });
  process.stdout.write(
    [
      `${namespace}/${DATABASE}: ${said}`,
      '',
      'So that it lasts:',
      `  1. in Pulumi.${stack}.yaml set trellis:${key}.postgres.recovery.role to primary`,
      `  2. ./trellis up -s ${stack}`,
      '',
    ].join('\n'),
  );
}
