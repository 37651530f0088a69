import * as os from 'node:os';
import * as path from 'node:path';
import { dockerLayout, usersEngine } from '../docker';
import { LocalError } from '../errors';
import { state } from '../paths';
import { ensurePlugins } from '../plugins';
import { silent, type Report } from '../report';
import { which, withLock } from '../system';
import { ensureTool, TOOLS, type ToolName } from '../toolchain';
import { engineEnv, linkProgram } from './environment';
import { ownBackend } from './owner';
import { ensureStacks } from './stacks';

/** Everything that a Pulumi command needs. */
export interface PreparedEngine {
  /** Path of the CLI. */
  readonly pulumi: string;
  /** To be added to the environment of this process. */
  readonly env: Record<string, string>;
  /** Plugins that are this clone's own, since the vendor's can't be had here; empty where none is. */
  readonly embedded: readonly string[];
  /** Why the user's own backend is used; undefined where the clone's is. */
  readonly backend: string | undefined;
}

const isTool = (name: string): name is ToolName => TOOLS.has(name as ToolName);

/**
 * Path of a program of the local cluster: from the toolchain, else from the system's packages.
 *
 * @throws LocalError where neither has it
 */
export const resolveProgram =
  (report: Report = silent) =>
  async (name: string): Promise<string> => {
    if (isTool(name)) return ensureTool(name, report);
    const found = which(name);
    if (found === undefined) throw new LocalError(`There is no ${name} on this machine.`, { fix: './trellis up' });
    return found;
  };

/** CLI, plugins, back end and stacks, made where they are missing. */
export async function prepareEngine(report: Report = silent): Promise<PreparedEngine> {
  const pulumi = await ensureTool('pulumi', report);
  linkProgram('pulumi', pulumi);
  // Plugins lie in the home that commands will run with: the user's own, where the user's backend is used.
  const { PULUMI_HOME: home = process.env.PULUMI_HOME ?? path.join(os.homedir(), '.pulumi') } = await engineEnv();
  const { embedded } = await ensurePlugins(report, { pulumiHome: home });
  // Also where the clone's own Docker engine doesn't run yet: a shell that has this environment keeps it.
  const users = await usersEngine();
  const env = await engineEnv({
    embeddedPlugins: embedded.length > 0,
    ...(users === undefined ? { dockerHost: `unix://${dockerLayout().socket}` } : {}),
  });
  const lock = { what: 'makes the stacks', report };
  await withLock(state('locks', 'stacks.lock'), lock, () => ensureStacks({ pulumi, env, report }));
  return { pulumi, env, embedded, backend: ownBackend(process.env) };
}
