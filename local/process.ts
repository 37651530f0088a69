import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from './errors';
import { root } from './paths';
import { inNamespace } from './system/run';
import { fullPath } from './system/which';

export { run, runOrThrow } from './system/run';
export type { RunOptions, RunResult } from './system/run';

/** Every process that is started here carries this variable, so that one whose record was lost is still found. */
export const MARK = 'TRELLIS_CLONE';

/** A process that outlives the command that started it. `pid` alone could be another process by now; the three together can't. */
export interface ProcessRecord {
  readonly name: string;
  readonly pid: number;
  /** Field 22 of `/proc/PID/stat`: clock ticks from boot to the start of the process. */
  readonly startTime: string;
  /** `/proc/sys/kernel/random/boot_id`: ticks count from boot, so a record of an earlier boot names nothing. */
  readonly bootId: string;
  readonly argv: readonly string[];
}

export interface DetachedOptions {
  /** Receives stdout and stderr; appended to. */
  readonly logFile: string;
  /** Where the record is written, as JSON. */
  readonly recordFile: string;
  /** Added to this process's own environment. */
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** Name of a network namespace under `/run/netns`. */
  readonly netns?: string;
}

const bootId = (): string => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** State letter and start time of a process, or nothing where there is none. The command name may hold spaces and brackets. */
function procStat(pid: number): { readonly state: string; readonly startTime: string } | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTime] = [fields[0], fields[19]];
    return state === undefined || startTime === undefined ? undefined : { state, startTime };
  } catch {
    return undefined;
  }
}

/** The record of a process that runs now, or nothing. */
export function recordOf(name: string, pid: number, argv: readonly string[] = []): ProcessRecord | undefined {
  const stat = procStat(pid);
  return stat === undefined ? undefined : { name, pid, startTime: stat.startTime, bootId: bootId(), argv };
}

/** Threads of a process that have not ended; they hold its files and ports, though the first of them is a zombie already. */
function threads(pid: number): number {
  try {
    return fs.readdirSync(`/proc/${pid}/task`).length;
  } catch {
    return 0;
  }
}

/** Whether the very process of the record still runs; a zombie doesn't, once all its threads have ended. */
export function isAlive(record: ProcessRecord): boolean {
  const stat = procStat(record.pid);
  if (stat === undefined || stat.startTime !== record.startTime || record.bootId !== bootId()) return false;
  return stat.state !== 'Z' || threads(record.pid) > 1;
}

/** The record in a file; nothing where the file is missing or was cut short by a killed run. */
export function readRecord(recordFile: string): ProcessRecord | undefined {
  try {
    const record = JSON.parse(fs.readFileSync(recordFile, 'utf8')) as Partial<ProcessRecord>;
    const whole = typeof record.pid === 'number' && record.startTime !== undefined && record.bootId !== undefined;
    return whole ? (record as ProcessRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Writes a file so that a reader sees the old content or the new, never a part. */
export function writeAtomic(file: string, content: string, mode = 0o644): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, content, { mode });
  fs.renameSync(temporary, file);
}

/** The last lines of a text file, for error messages; empty where there is no file. */
export function tail(file: string, lines = 15): string {
  try {
    return fs.readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

/**
 * Starts a program that outlives this command, in a session of its own, and records it at once.
 *
 * @throws LocalError when the record's process still runs, or when the program can't be started
 */
export async function startDetached(
  name: string,
  argv: readonly string[],
  options: DetachedOptions,
): Promise<ProcessRecord> {
  const former = readRecord(options.recordFile);
  if (former !== undefined && isAlive(former)) throw new LocalError(`${name} runs already, as process ${former.pid}.`);
  const [command, ...rest] = inNamespace(argv, options.netns);
  if (command === undefined) throw new LocalError(`${name}: no command was given.`);
  fs.mkdirSync(path.dirname(options.logFile), { recursive: true });
  const log = fs.openSync(options.logFile, 'a', 0o600);
  try {
    const child = spawn(command, rest, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, PATH: fullPath(), ...options.env, [MARK]: root },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const spawned = new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    // Recorded before anything is awaited: a run killed here would else leave a process that nobody knows.
    const record = child.pid === undefined ? undefined : recordOf(name, child.pid, argv);
    if (record !== undefined) writeAtomic(options.recordFile, `${JSON.stringify(record, undefined, 2)}\n`);
    await spawned;
    child.unref();
    if (record === undefined)
      throw new LocalError(`${name} ended as soon as it was started.\n${tail(options.logFile)}`);
    return record;
  } catch (error) {
    if (error instanceof LocalError) throw error;
    throw new LocalError(`${name} can't be started: ${(error as Error).message}`, { cause: error });
  } finally {
    fs.closeSync(log);
  }
}

/** Sends a signal; a process that is gone already is what was wanted. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function ended(record: ProcessRecord, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (isAlive(record)) {
    if (Date.now() >= deadline) return false;
    await sleep(50);
  }
  return true;
}

/**
 * Ends the very process of the record: SIGTERM, a wait, then SIGKILL to its group. Never touches a process that merely has the same id.
 *
 * @param options.graceMs how long it may take to end by itself, in milliseconds; @default 10 000
 * @returns whether it was running
 * @throws LocalError when it survives SIGKILL (a process in uninterruptible sleep)
 */
export async function stop(record: ProcessRecord, options: { readonly graceMs?: number } = {}): Promise<boolean> {
  if (!isAlive(record)) return false;
  signal(record.pid, 'SIGTERM');
  if (await ended(record, options.graceMs ?? 10_000)) return true;
  const groupLeader = fs.readFileSync(`/proc/${record.pid}/stat`, 'utf8').split(') ').pop()?.split(' ')[2];
  if (isAlive(record)) signal(groupLeader === String(record.pid) ? -record.pid : record.pid, 'SIGKILL');
  if (await ended(record, 5_000)) return true;
  throw new LocalError(`${record.name} (process ${record.pid}) does not end.`, { fix: `kill -9 ${record.pid}` });
}

/** `stop` for what a record file names; removes the file. @returns whether it was running */
export async function stopRecorded(recordFile: string, options: { readonly graceMs?: number } = {}): Promise<boolean> {
  const record = readRecord(recordFile);
  const was = record !== undefined && (await stop(record, options));
  fs.rmSync(recordFile, { force: true });
  return was;
}

/** Live processes that this clone started, directly or through another one, and that kept their environment. */
export function ownProcesses(ofRoot: string = root): readonly ProcessRecord[] {
  const found: ProcessRecord[] = [];
  for (const entry of fs.readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const environment = fs.readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0');
      if (!environment.includes(`${MARK}=${ofRoot}`)) continue;
      const argv = fs.readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').slice(0, -1);
      const record = recordOf(path.basename(argv[0] ?? entry), pid, argv);
      if (record !== undefined && isAlive(record)) found.push(record);
    } catch {
      // It ended while we looked, or belongs to someone else.
    }
  }
  return found;
}
