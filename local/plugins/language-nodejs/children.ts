import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** How a child ended: its exit code, or the signal that ended it. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SpawnOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly onStdout: (chunk: Buffer) => void;
  readonly onStderr: (chunk: Buffer) => void;
  /** Ends the child when aborted. */
  readonly signal?: AbortSignal;
}

/** Output that grandchildren still hold open is not waited for longer than this after the child's end. */
const DRAIN_MS = 1_000;
/** How long a child may take to end after it was asked to. */
const KILL_MS = 4_000;

/** The processes that this host started and that must not outlive it. */
export class Children {
  private readonly running = new Set<ChildProcess>();

  /** Runs a command to its end, its output passed on as it comes. Rejects where it can't be started. */
  public run(command: string, args: readonly string[], options: SpawnOptions): Promise<Ending> {
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: ['ignore', 'pipe', 'pipe'] });
      this.running.add(child);
      child.stdout.on('data', options.onStdout);
      child.stderr.on('data', options.onStderr);
      const abort = (): void => this.end(child);
      options.signal?.addEventListener('abort', abort, { once: true });
      child.on('error', (error) => {
        this.running.delete(child);
        reject(error);
      });
      child.on('exit', (code, signal) => {
        this.running.delete(child);
        options.signal?.removeEventListener('abort', abort);
        const timer = setTimeout(() => resolve({ code, signal }), DRAIN_MS);
        child.on('close', () => {
          clearTimeout(timer);
          resolve({ code, signal });
        });
      });
    });
  }

  /** Asks every child to end, and ends those that don't. */
  public stop(): void {
    for (const child of this.running) this.end(child);
  }

  private end(child: ChildProcess): void {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), KILL_MS).unref();
  }

  /** Ends every child at once. */
  public kill(): void {
    for (const child of this.running) child.kill('SIGKILL');
  }
}
