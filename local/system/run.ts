import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import type { Readable } from 'node:stream';
import { LocalError } from '../errors';
import { fullPath } from './which';

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's own environment. */
  readonly env?: Record<string, string>;
  /** Written to stdin; without it stdin is empty. */
  readonly input?: string | Buffer;
  /** The program is killed after so many milliseconds; its code is then 124. @default - no limit */
  readonly timeoutMs?: number;
  /** Ends the program as a time-out does. */
  readonly signal?: AbortSignal;
  /** Name of a network namespace under `/run/netns`. */
  readonly netns?: string;
  /** Also appended to this file while the program runs. */
  readonly logFile?: string;
  /** Called with each whole line of stdout and stderr as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface RunResult {
  /** Exit code; 127 where the program isn't found, 124 after a time-out, 128 + n after signal n. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `argv` as it is started inside a namespace. Not `ip netns exec`, which mounts a fresh /sys over the cgroups. */
export const inNamespace = (argv: readonly string[], netns: string | undefined): readonly string[] =>
  netns === undefined ? argv : ['nsenter', `--net=/run/netns/${netns}`, '--', ...argv];

/** Calls `onLine` with whole lines, whatever the chunks. */
function lineSplitter(onLine: (line: string) => void): { push(chunk: string): void; end(): void } {
  let rest = '';
  return {
    push(chunk) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(onLine);
    },
    end() {
      if (rest !== '') onLine(rest);
    },
  };
}

/** Collects what one stream of a program says, and passes it on line by line. */
function collect(stream: Readable, options: RunOptions, log: number | undefined): () => string {
  let text = '';
  const lines = options.onLine === undefined ? undefined : lineSplitter(options.onLine);
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    lines?.push(chunk);
    if (log !== undefined) fs.writeSync(log, chunk);
  });
  stream.on('end', () => lines?.end());
  return () => text;
}

/** Runs a program to its end. Never rejects because of what the program does: look at `code`. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [command, ...rest] = inNamespace(argv, options.netns);
  if (command === undefined) return Promise.resolve({ code: 127, stdout: '', stderr: 'no command was given' });
  return new Promise((resolve) => {
    const log = options.logFile === undefined ? undefined : fs.openSync(options.logFile, 'a', 0o600);
    const child = spawn(command, rest, {
      env: { ...process.env, PATH: fullPath(), ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const stdout = collect(child.stdout, options, log);
    const stderr = collect(child.stderr, options, log);
    let givenUp = false;
    const giveUp = (): void => {
      givenUp = true;
      child.kill('SIGKILL');
      // A grandchild may hold the pipes open; the time limit is ours all the same.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(giveUp, options.timeoutMs);
    options.signal?.addEventListener('abort', giveUp);
    let finished = false;
    const finish = (code: number, why = ''): void => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', giveUp);
      if (log !== undefined) fs.closeSync(log);
      resolve({ code, stdout: stdout(), stderr: stderr() + why });
    };
    child.stdin.on('error', () => undefined); // EPIPE where the program ends without reading
    child.stdin.end(options.input);
    child.on('error', (error) => {
      if (child.pid === undefined) finish(127, error.message);
    });
    child.on('close', (code, name) => {
      finish(givenUp ? 124 : (code ?? 128 + (name === null ? 0 : os.constants.signals[name])));
    });
  });
}

/**
 * `run`, for programs that must succeed.
 *
 * @throws LocalError with the last lines of what the program wrote; so no secret may stand in `argv`
 */
export async function runOrThrow(
  argv: readonly string[],
  options: RunOptions & { readonly fix?: string } = {},
): Promise<RunResult> {
  const result = await run(argv, options);
  if (result.code === 0) return result;
  const said = `${result.stdout.trimEnd()}\n${result.stderr.trimEnd()}`.trim().split('\n').slice(-15).join('\n');
  const why = result.code === 124 ? `took longer than ${options.timeoutMs ?? 0} ms` : `ended with code ${result.code}`;
  throw new LocalError(`${argv.join(' ')} ${why}.${said === '' ? '' : `\n${said}`}`, {
    ...(options.fix === undefined ? {} : { fix: options.fix }),
  });
}
