import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { LocalError } from '../errors';
import { root, state } from '../paths';
import { formatErrors, Progress, type EngineEvent } from './events';
import { RUN_MARK, runMark } from './recovery';

export interface UpdateOptions {
  readonly verb: 'up' | 'destroy' | 'refresh';
  readonly stack: string;
  readonly pulumi: string;
  /** As `engineEnv` made it; added to this process's own. */
  readonly env: Record<string, string>;
  /** Resources of the last state, for the figure of progress. @default 0 */
  readonly expected?: number;
  /** Receives a line of progress whenever it changes. */
  readonly onProgress?: (line: string) => void;
  /** Ask the cluster first what was changed by hand. @default false */
  readonly refresh?: boolean;
  /** The folder with Pulumi.yaml. @default - the clone's */
  readonly folder?: string;
  /** The stack's configuration. @default - `Pulumi.<stack>.yaml` in the folder */
  readonly configFile?: string;
  /** What a user types to go on after an interruption. @default `./trellis up -s <stack>` */
  readonly again?: string;
  /** Ends the update in order as soon as it is aborted; its reason is thrown. @default - none */
  readonly signal?: AbortSignal;
}

export interface UpdateResult {
  readonly summary: string;
  readonly unchanged: boolean;
}

/** The update was interrupted; the engine has ended in order. */
export class InterruptedError extends LocalError {
  public constructor(stack: string, again = `./trellis up -s ${stack}`) {
    super(`The update of ${stack} was interrupted. Its state is whole: ${again} goes on from there.`);
    this.name = 'InterruptedError';
  }
}

/**
 * Reads the whole lines that were added to a file since the last call. The engine's events hold its debug messages, secrets
 * among them: the file loses its name as soon as the engine has opened it, so that a killed run leaves nothing to read.
 */
function follow(file: string): { readonly read: () => readonly string[]; readonly close: () => void } {
  const handle = fs.openSync(file, 'r');
  let offset = 0;
  let rest = '';
  const read = (): readonly string[] => {
    const { size, nlink } = fs.fstatSync(handle);
    if (size <= offset) return [];
    if (nlink > 0) fs.rmSync(file, { force: true });
    const buffer = Buffer.alloc(size - offset);
    offset += fs.readSync(handle, buffer, 0, buffer.length, offset);
    // A character of several bytes may be cut at the end: it lies in the last, unfinished line, which is read as bytes again.
    const lines = (rest + buffer.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    return lines.map((line) => Buffer.from(line, 'latin1').toString('utf8'));
  };
  return { read, close: () => fs.closeSync(handle) };
}

function parseEvent(line: string): EngineEvent {
  try {
    return JSON.parse(line) as EngineEvent;
  } catch {
    return {};
  }
}

/** Starts the CLI in a group of its own: what comes from the terminal reaches it once, through us. */
function start(options: UpdateOptions, events: string): ReturnType<typeof spawn> {
  const args = [
    options.verb,
    '--yes',
    '--skip-preview',
    '--non-interactive',
    '--suppress-outputs',
    '-s',
    options.stack,
    ...(options.refresh === true ? ['--refresh'] : []),
    ...(options.configFile === undefined ? [] : ['--config-file', options.configFile]),
  ];
  return spawn(options.pulumi, [...args, '--event-log', events], {
    cwd: options.folder ?? root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    // The event log is one of the CLI's debug commands; nothing else of them is used, and none prints a secret.
    env: { ...process.env, ...options.env, PULUMI_DEBUG_COMMANDS: 'true', [RUN_MARK]: runMark() },
  });
}

/**
 * Runs an update of a stack. Interrupted once, the engine finishes what it began, writes its state and gives its lock back.
 *
 * @throws LocalError with the resources' own diagnostics, and nothing else of the output
 */
export async function runUpdate(options: UpdateOptions): Promise<UpdateResult> {
  fs.mkdirSync(state('logs'), { recursive: true });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-up-'));
  const events = path.join(folder, 'events');
  fs.writeFileSync(events, '', { mode: 0o600 });
  const progress = new Progress(options.expected ?? 0);
  const child = start(options, events);
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => said.push(chunk));
  const { read, close } = follow(events);
  let last = '';
  const look = (): void => {
    for (const line of read()) progress.add(parseEvent(line));
    if (progress.line() !== last) options.onProgress?.((last = progress.line()));
  };
  const timer = setInterval(look, 200);
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    child.kill('SIGINT');
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const giveUp = (): void => void child.kill('SIGINT');
  options.signal?.addEventListener('abort', giveUp);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', (cause) => reject(new LocalError(`pulumi can't be started: ${cause.message}`, { cause })));
      child.once('close', (exit, name) => resolve(exit ?? 128 + (name === null ? 0 : os.constants.signals[name])));
    });
    look();
    if (code === 0) return { summary: progress.summary(), unchanged: progress.unchanged };
    if (interrupted) throw new InterruptedError(options.stack, options.again);
    options.signal?.throwIfAborted();
    throw failure(options, code, progress, said.join(''));
  } finally {
    clearInterval(timer);
    options.signal?.removeEventListener('abort', giveUp);
    close();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function failure(options: UpdateOptions, code: number, progress: Progress, said: string): LocalError {
  const errors = formatErrors(progress.errors);
  const head = `pulumi ${options.verb} -s ${options.stack} ended with code ${code}`;
  // Before the first event there are no diagnostics: a wrong passphrase, a missing plugin, a lock.
  const lines = said.trim().split('\n').slice(-20).join('\n');
  return new LocalError(`${head}.\n${errors === '' ? lines : errors}`);
}
