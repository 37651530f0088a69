import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { LocalError } from '../errors';
import { root, state } from '../paths';
import type { EngineEvent } from './events';
import { RUN_MARK, runMark } from './recovery';

/** One run of the CLI that is followed by its events. */
export interface FollowedRun {
  readonly pulumi: string;
  /** Verb and options. */
  readonly args: readonly string[];
  /** As `engineEnv` made it; added to this process's own. */
  readonly env: Record<string, string>;
  /** The folder with Pulumi.yaml. @default - the clone's */
  readonly folder?: string;
  /** Ends the run in order as soon as it is aborted. @default - none */
  readonly signal?: AbortSignal;
  /** Receives what happened since the last call, several times a second and at the end. */
  readonly onEvents: (events: readonly EngineEvent[]) => void;
}

/** How a run ended. */
export interface FollowedEnd {
  readonly code: number;
  /** All that it printed. */
  readonly said: string;
  /** Whether a signal to this process ended it. */
  readonly interrupted: boolean;
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
function start({ pulumi, args, env, folder }: FollowedRun, events: string): ReturnType<typeof spawn> {
  return spawn(pulumi, [...args, '--event-log', events], {
    cwd: folder ?? root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    // The event log is one of the CLI's debug commands; nothing else of them is used, and none prints a secret.
    env: { ...process.env, ...env, PULUMI_DEBUG_COMMANDS: 'true', [RUN_MARK]: runMark() },
  });
}

/** Runs the CLI. Interrupted once, the engine finishes what it began, writes its state and gives its lock back. */
export async function followed(run: FollowedRun): Promise<FollowedEnd> {
  fs.mkdirSync(state('logs'), { recursive: true });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-up-'));
  const events = path.join(folder, 'events');
  fs.writeFileSync(events, '', { mode: 0o600 });
  const child = start(run, events);
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => said.push(chunk));
  const { read, close } = follow(events);
  const look = (): void => run.onEvents(read().map(parseEvent));
  const timer = setInterval(look, 200);
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    child.kill('SIGINT');
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const giveUp = (): void => void child.kill('SIGINT');
  run.signal?.addEventListener('abort', giveUp);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', (cause) => reject(new LocalError(`pulumi can't be started: ${cause.message}`, { cause })));
      child.once('close', (exit, name) => resolve(exit ?? 128 + (name === null ? 0 : os.constants.signals[name])));
    });
    look();
    return { code, said: said.join(''), interrupted };
  } finally {
    clearInterval(timer);
    run.signal?.removeEventListener('abort', giveUp);
    close();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
