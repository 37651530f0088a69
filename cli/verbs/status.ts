import { clusterStatus, isLocalStack } from '../../local/index';
import { addresses } from '../cluster/addresses';
import { report, table } from '../cluster/report';
import { stackStatus } from '../cluster/stack-status';
import { EXIT } from '../exit';
import { rehearsalAsked, rehearsalReport } from '../rehearsal';

export interface StatusOptions {
  readonly stack: string;
  /** The rehearsal, not the environment. @default false */
  readonly simulate?: boolean;
}

/** The local cluster's programs. @returns whether all of them run and the API server answers */
async function localPart(): Promise<boolean> {
  const { state, programs } = await clusterStatus();
  const rows = programs.map(({ name, pid, memory }) => [
    pid === undefined ? '✖' : '✔',
    name,
    pid === undefined ? 'does not run' : `process ${pid}`,
    memory === undefined ? '' : `${memory} MiB`,
  ]);
  process.stdout.write(`Local cluster: ${state}\n${state === 'absent' ? '' : table(rows)}\n`);
  return state === 'running';
}

export async function status({ stack, simulate }: StatusOptions): Promise<void> {
  const rehearsal = rehearsalAsked(stack, simulate);
  if (rehearsal !== undefined) {
    if (!(await rehearsalReport(rehearsal))) process.exitCode = EXIT.failed;
    return;
  }
  if (isLocalStack(stack, process.env) && !(await localPart())) {
    process.stdout.write('To bring it up: ./trellis up\n');
    process.exitCode = EXIT.failed;
    return;
  }
  const found = await stackStatus({ stack });
  process.stdout.write(report(found));
  if (found.deployment !== undefined) process.stdout.write(await addresses(stack));
  if (!found.ready) process.exitCode = EXIT.failed;
}
