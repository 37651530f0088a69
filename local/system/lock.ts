import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from '../errors';
import { isAlive, readRecord, recordOf } from '../process';
import type { ProcessRecord } from '../process';
import type { Report } from '../report';

export interface LockOptions {
  /** What the holder does, for the message of those who wait: "builds pulumi". */
  readonly what: string;
  readonly report: Report;
  /** How long to wait for a living holder, in milliseconds. @default - without limit */
  readonly waitMs?: number;
}

/** Breaking a lock takes microseconds; a breaker's mark older than this was left by a killed process. */
const BREAKER_MS = 10_000;

/** Creates the lock with its whole content in one step, so that nobody reads it half written. */
function create(file: string, record: ProcessRecord): boolean {
  const temporary = `${file}.${process.pid}.new`;
  fs.writeFileSync(temporary, JSON.stringify(record));
  try {
    fs.linkSync(temporary, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

const holder = (file: string): ProcessRecord | undefined => readRecord(file);

/**
 * Removes the lock of a dead process. Only one process at a time may try: between another's look and its removal
 * a third could have taken the lock anew.
 */
function breakStale(file: string): void {
  const breaker = `${file}.breaking`;
  try {
    fs.closeSync(fs.openSync(breaker, 'wx'));
  } catch {
    const age = Date.now() - (fs.statSync(breaker, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > BREAKER_MS) fs.rmSync(breaker, { force: true });
    return;
  }
  try {
    const current = holder(file);
    if (current === undefined || !isAlive(current)) fs.rmSync(file, { force: true });
  } finally {
    fs.rmSync(breaker, { force: true });
  }
}

/**
 * Runs `work` while holding a lock file that names this process. A lock whose process is dead is broken; a living
 * one's never is: its end is waited for.
 *
 * @throws LocalError when a living process still holds the lock after `waitMs`
 */
export async function withLock<T>(file: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const own = recordOf(options.what, process.pid, process.argv);
  if (own === undefined) throw new LocalError('This process has no entry in /proc.');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const since = Date.now();
  let told = false;
  while (!create(file, own)) {
    const other = holder(file);
    if (other === undefined || !isAlive(other)) {
      breakStale(file);
      continue;
    }
    if (options.waitMs !== undefined && Date.now() - since >= options.waitMs) {
      throw new LocalError(`Process ${other.pid} ${other.name} and holds ${file}.`, {
        fix: 'wait until it has ended, then run this again',
      });
    }
    if (!told) options.report(`waiting for process ${other.pid}, which ${other.name}`);
    told = true;
    await sleep(250);
  }
  try {
    return await work();
  } finally {
    fs.rmSync(file, { force: true });
  }
}
