import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { performance } from 'node:perf_hooks';

/** A process that is measured as a whole. */
export interface Command {
  readonly argv: readonly string[];
  readonly cwd?: string;
  /** Added to this process' environment. @default - nothing */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Measured {
  /** From the spawn to the end, in seconds. */
  readonly seconds: number;
  /** Most memory that the process itself held, in MiB; 0 where the system does not tell. */
  readonly mebibytes: number;
  /** What it wrote to standard output, at most its last 64 KiB. */
  readonly output: string;
}

/** A measured program failed, so its time says nothing. */
export class BenchError extends Error {
  public override readonly name = 'BenchError';
}

const TAIL = 64 * 1024;
const SAMPLE_MS = 10;

/** The kernel's own high-water mark, so that only the last moments before the end can be missed. */
function peakOf(pid: number): number {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** Runs a command once. @throws BenchError where it fails, with what it said */
export function measure({ argv, cwd, env }: Command): Promise<Measured> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let [output, errors, mebibytes] = ['', '', 0];
    child.stdout.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-TAIL)));
    child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-TAIL)));
    const timer = setInterval(() => (mebibytes = Math.max(mebibytes, peakOf(child.pid ?? 0))), SAMPLE_MS);
    child.once('error', (error) => {
      clearInterval(timer);
      reject(new BenchError(`${program}: ${error.message}`));
    });
    child.once('close', (code) => {
      clearInterval(timer);
      const seconds = (performance.now() - started) / 1000;
      if (code === 0) resolve({ seconds, mebibytes, output });
      else reject(new BenchError(`${argv.join(' ')} ended with code ${String(code)}:\n${errors || output}`));
    });
  });
}
