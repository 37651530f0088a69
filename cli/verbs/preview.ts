import { spawn } from 'node:child_process';
import { prepareEngine, prepareRehearsal, rehearsalStatus, root, type Rehearsal } from '../../local/index';
import { CliError, EXIT } from '../exit';
import { rehearsalAsked } from '../rehearsal';

export interface PreviewOptions {
  readonly stack: string;
  readonly diff?: boolean;
  /** Against the rehearsal, not the environment. @default false */
  readonly simulate?: boolean;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** @throws CliError where the simulated cluster doesn't run: a preview asks it */
async function rehearsed(rehearsal: Rehearsal): ReturnType<typeof prepareRehearsal> {
  const { state } = await rehearsalStatus(rehearsal);
  if (state === 'running') return prepareRehearsal(rehearsal, say);
  throw new CliError(
    `The simulated cluster does not run.\n  To mend it: ./trellis up -s ${rehearsal.environment} --simulate`,
  );
}

/** `pulumi preview` as typed, after the engine was made ready; its own output and colours. */
export async function preview({ stack, diff, simulate }: PreviewOptions): Promise<void> {
  const rehearsal = rehearsalAsked(stack, simulate);
  const { pulumi, env } = rehearsal === undefined ? await prepareEngine(say) : await rehearsed(rehearsal);
  const config = rehearsal === undefined ? [] : ['--config-file', rehearsal.configFile];
  const args = ['preview', '-s', stack, ...config, ...(diff === true ? ['--diff'] : [])];
  const child = spawn(pulumi, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  // An interrupt from the terminal reaches the engine by itself; we wait for its end.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => resolve(exit ?? EXIT.interrupted));
  });
  if (code !== 0) process.exitCode = code === EXIT.interrupted ? code : EXIT.failed;
}
