import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { livingRun, LockedError, runHolder, takeRunLock, type RunHolder } from '../../../local/engine/run-lock';
import { recordOf } from '../../../local/process';
import { typescript } from '../../../local/paths';

const ROOT = path.resolve(__dirname, '../../..');
const children: ChildProcess[] = [];
let folder: string;
let file: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-lock-'));
  file = path.join(folder, 'up.lock');
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  fs.rmSync(folder, { recursive: true, force: true });
});

async function sleeper(): Promise<ChildProcess> {
  const child = spawn('sleep', ['60']);
  children.push(child);
  await once(child, 'spawn');
  return child;
}

function writeHolder(child: ChildProcess, changes: Partial<RunHolder> = {}): RunHolder {
  const record = recordOf('trellis', child.pid ?? 0);
  const holder = { ...record, host: os.hostname(), since: '2026-01-02T03:04:05.000Z', verb: 'up -s dev', ...changes };
  fs.writeFileSync(file, JSON.stringify(holder));
  return holder as RunHolder;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

test('a free lock is taken, names this process, and is gone after its release', async () => {
  const lock = await takeRunLock({ verb: 'up -s dev', file });
  expect(lock.former).toBeUndefined();
  expect(runHolder(file)).toMatchObject({ pid: process.pid, host: os.hostname(), verb: 'up -s dev' });
  lock.release();
  expect(fs.existsSync(file)).toBe(false);
});

test('a living holder keeps its lock; the error says who holds it and since when', async () => {
  const child = await sleeper();
  writeHolder(child);
  const error = await takeRunLock({ verb: 'up -s dev', file }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(LockedError);
  expect((error as Error).message).toContain(`process ${child.pid}`);
  expect((error as Error).message).toContain('2026-01-02T03:04:05.000Z');
  expect(livingRun(file)?.pid).toBe(child.pid);
});

test('a living holder is waited for, and the lock is taken when it has ended', async () => {
  const child = await sleeper();
  writeHolder(child);
  setTimeout(() => child.kill('SIGKILL'), 300);
  const lines: string[] = [];
  const lock = await takeRunLock({ verb: 'up', file, waitMs: 20_000, report: (line) => lines.push(line) });
  expect(lines).toEqual([expect.stringContaining(`process ${child.pid}`)]);
  expect(lock.former?.pid).toBe(child.pid);
  lock.release();
});

test('the lock of a dead holder is taken over and named', async () => {
  const child = await sleeper();
  const holder = writeHolder(child);
  await end(child);
  expect(livingRun(file)).toBeUndefined();
  const lock = await takeRunLock({ verb: 'up', file });
  expect(lock.former).toEqual(holder);
  lock.release();
});

test('a process that merely has the id of the holder does not hold the lock', async () => {
  const child = await sleeper();
  writeHolder(child, { startTime: '1' });
  const lock = await takeRunLock({ verb: 'up', file });
  expect(runHolder(file)?.pid).toBe(process.pid);
  lock.release();
});

test('a lock of another host is never broken, since its process can not be seen from here', async () => {
  const child = await sleeper();
  writeHolder(child, { host: 'another-host' });
  await end(child);
  const error = await takeRunLock({ verb: 'up', file }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(LockedError);
  expect((error as LockedError).fix).toContain(file);
  expect(runHolder(file)?.host).toBe('another-host');
});

test.each(['', '{"pid":', 'null', '{"pid":1}'])('a lock file without a holder (%j) is taken over', async (content) => {
  fs.writeFileSync(file, content);
  const lock = await takeRunLock({ verb: 'up', file });
  expect(runHolder(file)?.pid).toBe(process.pid);
  lock.release();
});

test('a release leaves a lock that is no longer ours', async () => {
  const lock = await takeRunLock({ verb: 'up', file });
  const child = await sleeper();
  writeHolder(child);
  lock.release();
  expect(runHolder(file)?.pid).toBe(child.pid);
});

test('of several processes that find the same dead holder, one at a time has the lock', async () => {
  const dead = await sleeper();
  writeHolder(dead);
  await end(dead);
  const log = path.join(folder, 'log');
  const script = path.join(folder, 'taker.ts');
  fs.writeFileSync(
    script,
    `import * as fs from 'node:fs';
     import { takeRunLock } from ${JSON.stringify(path.join(ROOT, 'local/engine/run-lock'))};
     void takeRunLock({ verb: 'up', file: ${JSON.stringify(file)}, waitMs: 60_000 }).then(async (lock) => {
       fs.appendFileSync(${JSON.stringify(log)}, 'in ' + process.pid + '\\n');
       await new Promise((resolve) => setTimeout(resolve, 200));
       fs.appendFileSync(${JSON.stringify(log)}, 'out ' + process.pid + '\\n');
       lock.release();
     });`,
  );
  const takers = [1, 2, 3].map(() => spawn(process.execPath, [...typescript, script], { cwd: ROOT }));
  children.push(...takers);
  const codes = await Promise.all(takers.map(async (taker) => (await once(taker, 'exit'))[0] as number));
  expect(codes).toEqual([0, 0, 0]);
  const lines = fs.readFileSync(log, 'utf8').trim().split('\n');
  expect(lines).toHaveLength(6);
  for (let at = 0; at < lines.length; at += 2) expect(lines[at + 1]).toBe(lines[at]?.replace('in', 'out'));
});
