import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from '../errors';
import {
  isAlive,
  ownProcesses,
  readRecord,
  startDetached,
  stop,
  stopRecorded,
  tail,
  writeAtomic,
  type ProcessRecord,
} from '../process';
import type { Report } from '../report';
import type { Layout } from './layout';

/** Gives the path of an executable, making or installing it where it is missing. */
export type Resolve = (tool: string) => Promise<string>;

/** A long-running program of the cluster. */
export interface Program {
  /** Names its record and its log. */
  readonly name: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly netns?: string | undefined;
  /** Content that it reads once at start: a change restarts it. */
  readonly reads?: readonly string[];
  readonly ready: () => Promise<boolean>;
  /** How long it may take to become ready, in seconds. @default 60 */
  readonly readySeconds?: number;
}

/**
 * Environment of a program in Go: it tidies up when its heap has grown threefold, as long as all of it stays below half a GiB. An API server that
 * takes the custom resources of a new machine needs 5.6 s of processor time and 550 MiB at its start this way, and 9.5 s and 350 MiB where the
 * heap may grow by half.
 */
export const GO_HEAP = { GOGC: '200', GOMEMLIMIT: '500MiB' } as const;

export const recordFile = (layout: Layout, name: string): string => path.join(layout.run, `${name}.json`);
export const logFile = (layout: Layout, name: string): string => path.join(layout.logs, `${name}.log`);
const stampFile = (layout: Layout, name: string): string => path.join(layout.run, `${name}.stamp`);

/** A log that grew over this size in bytes is set aside once, at the next start of its program. */
const LOG_LIMIT = 20 * 1024 * 1024;

const stampOf = (program: Program): string =>
  createHash('sha256')
    .update(JSON.stringify([program.argv, program.env, program.netns, program.reads]))
    .digest('hex');

/** Whether the program runs now, as far as its record says. */
export function runs(layout: Layout, name: string): boolean {
  const record = readRecord(recordFile(layout, name));
  return record !== undefined && isAlive(record);
}

/** Waits until `condition` holds. @returns false after `seconds`, or as soon as `meanwhile` fails */
export async function until(
  condition: () => Promise<boolean>,
  seconds: number,
  meanwhile: () => boolean = () => true,
): Promise<boolean> {
  const deadline = Date.now() + seconds * 1000;
  for (let pause = 50; ; pause = Math.min(pause * 1.3, 500)) {
    if (await condition()) return true;
    if (!meanwhile() || Date.now() > deadline) return false;
    await sleep(pause);
  }
}

/** A process whose record was lost because the run that started it was killed at that very moment. */
const orphanOf = (program: Program): ProcessRecord | undefined =>
  ownProcesses().find((process) => process.argv.join('\0') === program.argv.join('\0'));

function setLogAside(file: string): void {
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT) fs.renameSync(file, `${file}.1`);
}

/**
 * Leaves a program alone that runs as it should; else starts it, and waits until it is ready.
 *
 * @returns whether it had to be started
 * @throws LocalError with the end of its log when it ends, or isn't ready in time
 */
export async function ensure(layout: Layout, program: Program, report: Report): Promise<boolean> {
  const record = recordFile(layout, program.name);
  const stamp = stampOf(program);
  const current = fs.existsSync(stampFile(layout, program.name))
    ? fs.readFileSync(stampFile(layout, program.name), 'utf8')
    : undefined;
  const keep = runs(layout, program.name) && current === stamp;
  if (!keep) {
    await stopRecorded(record);
    const orphan = orphanOf(program);
    if (orphan !== undefined) await stop(orphan);
    setLogAside(logFile(layout, program.name));
    report(`starting ${program.name}`);
    await startDetached(program.name, program.argv, {
      logFile: logFile(layout, program.name),
      recordFile: record,
      ...(program.env === undefined ? {} : { env: program.env }),
      ...(program.netns === undefined ? {} : { netns: program.netns }),
    });
    writeAtomic(stampFile(layout, program.name), stamp);
  }
  const seconds = program.readySeconds ?? 60;
  if (await until(program.ready, seconds, () => runs(layout, program.name))) return !keep;
  const log = logFile(layout, program.name);
  const what = runs(layout, program.name) ? `is not ready after ${seconds} seconds` : 'ended';
  throw new LocalError(`${program.name} ${what}. Its log ends with:\n${tail(log)}`, { fix: `read ${log}` });
}

/** Ends a program, if it runs. @returns whether it ran */
export async function end(layout: Layout, name: string, graceMs = 10_000): Promise<boolean> {
  fs.rmSync(stampFile(layout, name), { force: true });
  return stopRecorded(recordFile(layout, name), { graceMs });
}
