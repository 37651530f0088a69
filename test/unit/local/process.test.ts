import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from '../../../local/errors';
import {
  isAlive,
  MARK,
  ownProcesses,
  readRecord,
  recordOf,
  run,
  runOrThrow,
  startDetached,
  stop,
  stopRecorded,
  tail,
} from '../../../local/process';
import type { ProcessRecord } from '../../../local/process';

let directory: string;
const started: ProcessRecord[] = [];

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-process-'));
});
afterEach(async () => {
  for (const record of started.splice(0)) await stop(record, { graceMs: 100 });
  fs.rmSync(directory, { recursive: true, force: true });
});

const files = (name = 'x') => ({
  logFile: path.join(directory, `${name}.log`),
  recordFile: path.join(directory, `${name}.json`),
});

async function start(...argv: string[]): Promise<ProcessRecord> {
  const record = await startDetached('x', argv, files());
  started.push(record);
  return record;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition() && Date.now() < deadline) await sleep(20);
  expect(condition()).toBe(true);
}

describe('a detached process', () => {
  test('is recorded, leads a session of its own, writes to its log and is ended by its record', async () => {
    const record = await start('sh', '-c', 'echo begun; exec sleep 60');
    expect(readRecord(files().recordFile)).toEqual(record);
    expect(record.argv).toEqual(['sh', '-c', 'echo begun; exec sleep 60']);
    await until(() => tail(files().logFile) === 'begun');
    expect(isAlive(record)).toBe(true);
    const session = fs.readFileSync(`/proc/${record.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3];
    expect(session).toBe(String(record.pid));
    expect(await stopRecorded(files().recordFile)).toBe(true);
    expect(isAlive(record)).toBe(false);
    expect(fs.existsSync(files().recordFile)).toBe(false);
  });

  test('that ignores SIGTERM is killed with its group', async () => {
    const record = await start('sh', '-c', 'trap "" TERM; sleep 60 & echo $!; wait; wait');
    await until(() => /^\d+$/.test(tail(files().logFile)));
    const child = recordOf('child', Number(tail(files().logFile)));
    expect(child).toBeDefined();
    expect(await stop(record, { graceMs: 200 })).toBe(true);
    await until(() => child !== undefined && !isAlive(child));
  });

  test('is not confused with another one that has the same id', async () => {
    const record = await start('sleep', '60');
    const earlier = { ...record, startTime: '1' };
    const beforeBoot = { ...record, bootId: 'another boot' };
    expect([isAlive(record), isAlive(earlier), isAlive(beforeBoot)]).toEqual([true, false, false]);
    expect(await stop(earlier)).toBe(false);
    expect(await stop(beforeBoot)).toBe(false);
    expect(isAlive(record)).toBe(true);
  });

  test('is found by its mark when its record was lost', async () => {
    const record = await startDetached('x', ['sleep', '61'], { ...files(), env: { OTHER: '1' } });
    started.push(record);
    fs.rmSync(files().recordFile);
    const own = ownProcesses().find((each) => each.pid === record.pid);
    expect(own).toEqual({ ...record, name: 'sleep' });
    expect(ownProcesses('/nowhere').map((each) => each.pid)).not.toContain(record.pid);
    expect(fs.readFileSync(`/proc/${record.pid}/environ`, 'utf8')).toContain(`${MARK}=`);
  });

  test('is not started twice', async () => {
    await start('sleep', '60');
    await expect(startDetached('x', ['sleep', '60'], files())).rejects.toThrow(/x runs already, as process \d+/);
  });

  test('that does not exist is an error that names it', async () => {
    await expect(startDetached('ghost', ['no-such-program'], files('ghost'))).rejects.toThrow(/ghost can't be started/);
    expect(fs.existsSync(files('ghost').recordFile)).toBe(false);
  });

  test('a record that a killed run cut short names nothing', () => {
    fs.writeFileSync(files().recordFile, '{"name":"x","pid":1');
    expect(readRecord(files().recordFile)).toBeUndefined();
  });
});

describe('run', () => {
  test('gives code, stdout, stderr, and passes on input, lines and the log', async () => {
    const lines: string[] = [];
    const logFile = path.join(directory, 'run.log');
    const result = await run(['sh', '-c', 'cat; printf "a\\nb" >&2; exit 3'], {
      input: 'in\n',
      onLine: (line) => lines.push(line),
      logFile,
    });
    expect(result).toEqual({ code: 3, stdout: 'in\n', stderr: 'a\nb' });
    expect(lines.sort()).toEqual(['a', 'b', 'in']);
    expect(fs.readFileSync(logFile, 'utf8')).toHaveLength('in\na\nb'.length);
  });

  test('tells a missing program, a signal, a time-out and an abort apart', async () => {
    expect((await run(['no-such-program'])).code).toBe(127);
    expect((await run(['sh', '-c', 'kill -9 $$'])).code).toBe(137);
    expect((await run(['sh', '-c', 'sleep 30'], { timeoutMs: 100 })).code).toBe(124);
    expect((await run(['sh', '-c', 'sleep 30 & sleep 30'], { timeoutMs: 100 })).code).toBe(124);
    expect((await run(['sleep', '30'], { signal: AbortSignal.timeout(100) })).code).toBe(124);
  });

  test('finds system programs whatever PATH says', async () => {
    const former = process.env.PATH;
    process.env.PATH = '/nowhere';
    try {
      expect((await run(['sh', '-c', 'command -v ip'])).stdout.trim()).toMatch(/\/ip$/);
    } finally {
      process.env.PATH = former;
    }
  });

  test('runOrThrow tells the command, its code and its last lines', async () => {
    const failure = runOrThrow(['sh', '-c', 'seq 1 40; echo broken >&2; exit 2'], { fix: 'mend it' });
    await expect(failure).rejects.toThrow(LocalError);
    await expect(failure).rejects.toThrow(/ended with code 2\.\n27\n[\s\S]*40\nbroken\n {2}To mend it: mend it$/);
  });
});
