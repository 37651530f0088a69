import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { recordOf } from '../../../local/process';
import { silent } from '../../../local/report';
import { withLock } from '../../../local/system';

let directory: string;
let file: string;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-lock-'));
  file = path.join(directory, 'a', 'x.lock');
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

const lock = (what = 'tests', report = silent) => ({ what, report });

async function sleeper(): Promise<{ pid: number; end: () => Promise<void> }> {
  const child = spawn('sleep', ['60']);
  await new Promise((resolve) => child.once('spawn', resolve));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  return {
    pid: child.pid ?? -1,
    end: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

test('one at a time, and the file is gone afterwards', async () => {
  let inside = 0;
  let most = 0;
  const work = async (): Promise<number> => {
    inside += 1;
    most = Math.max(most, inside);
    await sleep(20);
    inside -= 1;
    return most;
  };
  const results = await Promise.all([1, 2, 3].map(() => withLock(file, lock(), work)));
  expect(results).toEqual([1, 1, 1]);
  expect(fs.readdirSync(path.dirname(file))).toEqual([]);
});

test('is released when the work fails', async () => {
  await expect(withLock(file, lock(), () => Promise.reject(new TypeError('failed')))).rejects.toThrow('failed');
  expect(fs.existsSync(file)).toBe(false);
});

test('of a living process is waited for, told once, never broken', async () => {
  const other = await sleeper();
  fs.mkdirSync(path.dirname(file));
  fs.writeFileSync(file, JSON.stringify(recordOf('builds kubelet', other.pid)));
  const told: string[] = [];
  const refused = withLock(file, { ...lock('tests', (line) => told.push(line)), waitMs: 600 }, () => Promise.resolve());
  await expect(refused).rejects.toThrow(new RegExp(`Process ${other.pid} builds kubelet and holds .*x\\.lock`));
  expect(told).toEqual([`waiting for process ${other.pid}, which builds kubelet`]);
  expect(fs.existsSync(file)).toBe(true);

  const waiting = withLock(file, lock(), () => Promise.resolve('had it'));
  await other.end();
  await expect(waiting).resolves.toBe('had it');
});

test.each([
  ['a dead process', JSON.stringify({ name: 'was killed', pid: 999_999_999, startTime: '1', bootId: 'x', argv: [] })],
  ['another process with the same id', JSON.stringify({ ...recordOf('was killed', process.pid), startTime: '1' })],
  ['nobody, cut short', '{"name":'],
])('of %s is broken at once', async (_, content) => {
  fs.mkdirSync(path.dirname(file));
  fs.writeFileSync(file, content);
  const since = Date.now();
  await expect(withLock(file, lock(), () => Promise.resolve('had it'))).resolves.toBe('had it');
  expect(Date.now() - since).toBeLessThan(200);
  expect(fs.readdirSync(path.dirname(file))).toEqual([]);
});
