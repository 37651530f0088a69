import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from '../errors';
import { root } from '../paths';
import { isAlive, recordOf, runOrThrow, stop, type ProcessRecord } from '../process';
import { silent, type Report } from '../report';
import { readCheckpoint, restoreCheckpoint } from './checkpoint';
import { engineFiles } from './owner';
import { classifyPulumiLock, pulumiLocks } from './pulumi-lock';

/** Engines that a `./trellis` started carry this variable, and so do their plugins. Its value names the run's process. */
export const RUN_MARK = 'TRELLIS_RUN';

/** What an engine that this process starts gets as `RUN_MARK`. */
export const runMark = (ofRoot: string = root): string => `${ofRoot}#${process.pid}`;

/** Engines and plugins of runs of this clone that have ended: those of a killed `./trellis`. */
export function orphans(ofRoot: string = root): readonly ProcessRecord[] {
  const found: ProcessRecord[] = [];
  for (const entry of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const environment = fs.readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0');
      const mark = environment.find((line) => line.startsWith(`${RUN_MARK}=${ofRoot}#`));
      if (mark === undefined || Number(entry) === process.pid) continue;
      const owner = Number(mark.slice(mark.lastIndexOf('#') + 1));
      if (owner === process.pid) continue;
      const argv = fs.readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').slice(0, -1);
      const record = recordOf(path.basename(argv[0] ?? entry), Number(entry), argv);
      if (record !== undefined && isAlive(record)) found.push(record);
    } catch {
      // It ended while we looked, or belongs to someone else.
    }
  }
  return found;
}

/**
 * Ends the engines and plugins that a killed run left. An engine is interrupted first and given time, since it then
 * writes its state and gives its lock back; its plugins end with it.
 *
 * @param graceMs how long an engine may take, in milliseconds
 * @returns how many were ended
 */
export async function endOrphans(report: Report = silent, graceMs = 60_000, ofRoot: string = root): Promise<number> {
  const left = orphans(ofRoot);
  const engines = left.filter(({ name }) => name === 'pulumi');
  for (const engine of engines) {
    report(`an engine of a killed run still works (process ${engine.pid}): it is interrupted and may write its state`);
    process.kill(engine.pid, 'SIGINT');
  }
  const deadline = Date.now() + graceMs;
  while (engines.some(isAlive) && Date.now() < deadline) await sleep(100);
  for (const record of left) await stop(record, { graceMs: 5_000 });
  return left.length;
}

/**
 * Removes Pulumi's locks of processes that have ended on this host, and those without readable content, which make
 * every command fail. A living holder's is never touched.
 *
 * @returns what was done, for the user
 * @throws LocalError when a living process, or one of another host, holds the stack
 */
export function clearPulumiLocks(stack: string, backend?: string): readonly string[] {
  const done: string[] = [];
  for (const lock of pulumiLocks(stack, backend)) {
    const state = classifyPulumiLock(lock);
    const who = `process ${lock.pid ?? '?'} of ${lock.username ?? '?'} on ${lock.hostname ?? '?'} since ${lock.timestamp ?? '?'}`;
    if (state === 'living' || state === 'elsewhere') {
      throw new LocalError(`Stack ${stack} is being worked on by ${who}.`, {
        fix:
          state === 'living'
            ? 'wait until it has ended, then run this again'
            : `make sure that it has ended there, then: pulumi cancel -s ${stack}`,
      });
    }
    fs.rmSync(lock.file, { force: true });
    fs.rmSync(`${lock.file}.attrs`, { force: true });
    done.push(state === 'dead' ? `lock of ${who}, which has ended, removed` : 'lock without content removed');
  }
  return done;
}

export interface RecoverOptions {
  readonly stack: string;
  readonly pulumi: string;
  readonly env: Record<string, string>;
  readonly report?: Report;
  /** The file back end. @default - the clone's */
  readonly backend?: string;
  /** The stack's configuration. @default - `Pulumi.<stack>.yaml` of the clone */
  readonly configFile?: string;
}

/**
 * Makes a stack workable after a killed run: ends what it left running, removes its locks, puts the backup in the
 * place of a state that was cut short, and forgets creations that were begun and not ended (their objects have names
 * of their own, so that the next `up` takes them over). Only for the clone's own back end.
 *
 * @throws LocalError when a living process works on the stack, or its state is lost
 */
export async function recover(options: RecoverOptions): Promise<readonly string[]> {
  const report = options.report ?? silent;
  const backend = options.backend ?? engineFiles.backend;
  const ended = await endOrphans(report);
  const done = ended === 0 ? [] : [`${ended} processes of a killed run ended`];
  done.push(...clearPulumiLocks(options.stack, backend));
  const restored = restoreCheckpoint(options.stack, backend);
  if (restored !== undefined) done.push(restored);
  const pending = readCheckpoint(options.stack, backend)?.pending ?? 0;
  if (pending > 0) {
    report(`${pending} operations of ${options.stack} were cut off: the state is compared with the cluster`);
    await runOrThrow(
      [options.pulumi, 'refresh', '--yes', '--skip-preview', '--clear-pending-creates', '--non-interactive'].concat(
        '--suppress-outputs',
        '-s',
        options.stack,
        ...(options.configFile === undefined ? [] : ['--config-file', options.configFile]),
      ),
      { cwd: root, env: options.env },
    );
    done.push(`${pending} cut-off operations cleared`);
  }
  return done;
}
