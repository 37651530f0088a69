import * as fs from 'node:fs';
import { checkpointFile, engineEnv, engineFiles, ownBackend, run, which, type Rehearsal } from '../../local/index';
import { CliError } from '../exit';

interface Resource {
  readonly type: string;
  readonly id?: string;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** What a stack's state says of what was deployed. Secrets in it stay encrypted. */
export interface Deployment {
  readonly namespaces: readonly string[];
  /** The stack's outputs. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** ISO 8601. */
  readonly updated: string | undefined;
  readonly resources: number;
}

interface State {
  readonly manifest?: { readonly time?: string };
  readonly resources?: readonly Resource[];
}

/** The back end of this clone is read without the CLI, which may not be there yet. */
async function stateOf(stack: string, rehearsal: Rehearsal | undefined): Promise<State | undefined> {
  if (rehearsal !== undefined || ownBackend(process.env) === undefined) {
    const file = checkpointFile(stack, rehearsal?.backend);
    if (!fs.existsSync(file)) return undefined;
    return (JSON.parse(fs.readFileSync(file, 'utf8')) as { checkpoint: { latest?: State } }).checkpoint.latest;
  }
  const linked = `${engineFiles.bin}/pulumi`;
  const pulumi = fs.existsSync(linked) ? linked : which('pulumi');
  if (pulumi === undefined) throw new CliError('There is no pulumi on this machine yet: run ./trellis env once.');
  const env = await engineEnv();
  const { code, stdout, stderr } = await run([pulumi, 'stack', 'export', '-s', stack, '--non-interactive'], { env });
  if (code !== 0) throw new CliError(`The state of ${stack} can't be read: ${stderr.trim()}`);
  return (JSON.parse(stdout) as { deployment?: State }).deployment;
}

/** @returns undefined where the stack was never deployed, or never rehearsed */
export async function deploymentOf(stack: string, rehearsal?: Rehearsal): Promise<Deployment | undefined> {
  const state = await stateOf(stack, rehearsal);
  const resources = state?.resources ?? [];
  if (resources.length === 0) return undefined;
  const namespaces = resources.filter(({ type }) => type === 'kubernetes:core/v1:Namespace').map(({ id }) => id ?? '');
  const outputs = resources.find(({ type }) => type === 'pulumi:pulumi:Stack')?.outputs ?? {};
  return { namespaces, outputs, updated: state?.manifest?.time, resources: resources.length };
}
