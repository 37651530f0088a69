import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { engineFiles } from './owner';

/** What Pulumi's file back end writes into a lock. */
export interface PulumiLock {
  readonly file: string;
  readonly pid?: number;
  readonly hostname?: string;
  readonly username?: string;
  readonly timestamp?: string;
}

/**
 * `living`: its process runs. `dead`: its process ended, on this host. `elsewhere`: another host's, which can't be judged from here.
 * `broken`: without readable content, so it names nobody; Pulumi itself can't read it either.
 */
export type LockState = 'living' | 'dead' | 'elsewhere' | 'broken';

/** Seconds since the epoch at which this machine started. */
function bootTime(): number {
  const line = fs
    .readFileSync('/proc/stat', 'utf8')
    .split('\n')
    .find((text) => text.startsWith('btime '));
  return Number(line?.split(' ')[1] ?? 0);
}

/** When a process started, in seconds since the epoch; undefined where there is none. Linux counts 100 ticks a second here. */
function startedAt(pid: number): number | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : bootTime() + Number(fields[19]) / 100;
  } catch {
    return undefined;
  }
}

export function readPulumiLock(file: string): PulumiLock {
  try {
    const content = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<PulumiLock> | null;
    return typeof content?.pid === 'number' ? { ...content, file } : { file };
  } catch {
    return { file };
  }
}

/** Judges a lock. A process that started after the lock was written merely has the id of the one that wrote it. */
export function classifyPulumiLock(lock: PulumiLock): LockState {
  if (lock.pid === undefined || lock.hostname === undefined) return 'broken';
  if (lock.hostname !== os.hostname()) return 'elsewhere';
  const started = startedAt(lock.pid);
  if (started === undefined) return 'dead';
  const written = Date.parse(lock.timestamp ?? '') / 1000;
  // Two seconds: btime is a whole number, and moves by one when the clock is adjusted.
  return Number.isFinite(written) && started > written + 2 ? 'dead' : 'living';
}

/** Locks of one stack in a file back end. */
export function pulumiLocks(stack: string, backend: string = engineFiles.backend): readonly PulumiLock[] {
  const folder = path.join(backend, '.pulumi', 'locks', 'organization', 'trellis', stack);
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readPulumiLock(path.join(folder, name)));
}
