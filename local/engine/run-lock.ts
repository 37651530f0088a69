import * as fs from 'node:fs';
import * as os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from '../errors';
import { state } from '../paths';
import { isAlive, recordOf, writeAtomic, type ProcessRecord } from '../process';
import { silent, type Report } from '../report';
import { withLock } from '../system';

/** Only one `up` or `down` works on a clone at a time; this file says which. */
export const runLockFile = state('up.lock');

/** Who holds the lock. */
export interface RunHolder extends ProcessRecord {
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
  /** As typed: `up -s dev`. */
  readonly verb: string;
}

/** Another run holds the clone's lock and lives, or can't be judged from here. */
export class LockedError extends LocalError {
  public constructor(
    public readonly holder: RunHolder,
    file: string,
  ) {
    const elsewhere = holder.host !== os.hostname();
    super(
      `'./trellis ${holder.verb}' runs since ${holder.since} as process ${holder.pid} on ${holder.host} and holds the lock.`,
      {
        fix: elsewhere
          ? `make sure that it has ended there, then remove ${file}`
          : 'wait until it has ended (--wait MINUTES waits longer), then run this again',
      },
    );
    this.name = 'LockedError';
  }
}

export interface RunLockOptions {
  readonly verb: string;
  /** How long to wait for a living holder, in milliseconds. @default 0 */
  readonly waitMs?: number;
  readonly report?: Report;
  /** @default `.trellis/up.lock` */
  readonly file?: string;
}

export interface HeldLock {
  /** The dead run whose lock was taken over, if there was one. */
  readonly former: RunHolder | undefined;
  release(): void;
}

/** The lock's content; undefined where there is none, or where a killed machine left a part of one. */
export function runHolder(file: string = runLockFile): RunHolder | undefined {
  try {
    const holder = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<RunHolder>;
    return typeof holder.pid === 'number' && typeof holder.host === 'string' ? (holder as RunHolder) : undefined;
  } catch {
    return undefined;
  }
}

/** A process of another host can't be seen from here, so its lock is taken for living. */
const holds = (holder: RunHolder): boolean => holder.host !== os.hostname() || isAlive(holder);

/** The run that works on this clone now; undefined where there is none, or where it was killed. */
export function livingRun(file: string = runLockFile): RunHolder | undefined {
  const holder = runHolder(file);
  return holder !== undefined && holds(holder) ? holder : undefined;
}

/**
 * Takes the clone's lock, over a dead holder if need be. A living holder is waited for and never disturbed.
 *
 * @throws LockedError when a living process, or one of another host, still holds it after `waitMs`
 */
export async function takeRunLock(options: RunLockOptions): Promise<HeldLock> {
  const file = options.file ?? runLockFile;
  const report = options.report ?? silent;
  const record = recordOf('trellis', process.pid, process.argv.slice(2));
  if (record === undefined) throw new LocalError('This process has no entry in /proc.');
  const mine: RunHolder = { ...record, host: os.hostname(), since: new Date().toISOString(), verb: options.verb };
  const deadline = Date.now() + (options.waitMs ?? 0);
  let told = false;
  for (;;) {
    // The guard is held for the look and the writing alone: two that find the same dead holder can't both take over.
    const found = await withLock(`${file}.guard`, { what: 'takes the lock', report }, () => {
      const holder = runHolder(file);
      const living = holder !== undefined && holds(holder);
      if (!living) writeAtomic(file, `${JSON.stringify(mine)}\n`);
      return Promise.resolve({ holder, living });
    });
    const { holder } = found;
    if (!found.living || holder === undefined) return { former: holder, release: () => release(file, mine) };
    if (Date.now() >= deadline) throw new LockedError(holder, file);
    if (!told) report(`waiting for './trellis ${holder.verb}' (process ${holder.pid}, since ${holder.since})`);
    told = true;
    await sleep(Math.min(500, Math.max(1, deadline - Date.now())));
  }
}

function release(file: string, mine: RunHolder): void {
  const holder = runHolder(file);
  if (holder?.pid === mine.pid && holder.startTime === mine.startTime) fs.rmSync(file, { force: true });
}
