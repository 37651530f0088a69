import { spawn } from 'node:child_process';
import { prepareEngine, root } from '../../local/index';
import { EXIT } from '../exit';

export interface PreviewOptions {
  readonly stack: string;
  readonly diff?: boolean;
}

/** `pulumi preview` as typed, after the engine was made ready; its own output and colours. */
export async function preview({ stack, diff }: PreviewOptions): Promise<void> {
  const { pulumi, env } = await prepareEngine((line) => void process.stderr.write(`${line}\n`));
  const args = ['preview', '-s', stack, ...(diff === true ? ['--diff'] : [])];
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
