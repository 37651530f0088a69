import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { classifyPulumiLock, pulumiLocks, readPulumiLock } from '../../../local/engine/pulumi-lock';
import { clearPulumiLocks, endOrphans, orphans, RUN_MARK } from '../../../local/engine/recovery';

let backend: string;
let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  backend = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-backend-'));
  folder = path.join(backend, '.pulumi/locks/organization/trellis/dev');
  fs.mkdirSync(folder, { recursive: true });
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  fs.rmSync(backend, { recursive: true, force: true });
});

async function start(command: string, args: readonly string[], env = {}): Promise<ChildProcess> {
  const child = spawn(command, args, { env: { ...process.env, ...env } });
  children.push(child);
  await once(child, 'spawn');
  return child;
}

async function deadPid(): Promise<number> {
  const child = await start('true', []);
  if (child.exitCode === null) await once(child, 'exit');
  return child.pid ?? 0;
}

function write(content: unknown, name = '3f9c.json'): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  fs.writeFileSync(`${file}.attrs`, '{}');
  return file;
}

const lockOf = (pid: number, changes = {}): object => ({
  pid,
  username: 'root',
  hostname: os.hostname(),
  timestamp: new Date().toISOString(),
  ...changes,
});

test('a lock is living while the process that wrote it runs', async () => {
  const child = await start('sleep', ['60']);
  expect(classifyPulumiLock(readPulumiLock(write(lockOf(child.pid ?? 0))))).toBe('living');
});

test('a lock is dead after its process has ended', async () => {
  expect(classifyPulumiLock(readPulumiLock(write(lockOf(await deadPid()))))).toBe('dead');
});

test('a lock is dead where a younger process has the id of the one that wrote it', async () => {
  const child = await start('sleep', ['60']);
  const file = write(lockOf(child.pid ?? 0, { timestamp: '2020-01-01T00:00:00.123456789Z' }));
  expect(classifyPulumiLock(readPulumiLock(file))).toBe('dead');
});

test('a lock of another host is not judged from here', async () => {
  expect(classifyPulumiLock(readPulumiLock(write(lockOf(await deadPid(), { hostname: 'ci-7' }))))).toBe('elsewhere');
});

test.each(['', '{', 'null', '{"hostname":"x"}'])('a lock with the content %j is broken', (content) => {
  expect(classifyPulumiLock(readPulumiLock(write(content)))).toBe('broken');
});

test('dead and broken locks are removed with their attributes, and told', async () => {
  const pid = await deadPid();
  write(lockOf(pid), 'a.json');
  write('', 'b.json');
  expect(clearPulumiLocks('dev', backend)).toEqual([
    expect.stringContaining(`process ${pid} of root`),
    'lock without content removed',
  ]);
  expect(fs.readdirSync(folder)).toEqual([]);
});

test('a living lock is never removed', async () => {
  const child = await start('sleep', ['60']);
  const file = write(lockOf(child.pid ?? 0));
  expect(() => clearPulumiLocks('dev', backend)).toThrow(`process ${child.pid} of root`);
  expect(fs.existsSync(file)).toBe(true);
});

test('a lock of another host is never removed, and the message says how to do it by hand', async () => {
  const file = write(lockOf(await deadPid(), { hostname: 'ci-7' }));
  expect(() => clearPulumiLocks('dev', backend)).toThrow('pulumi cancel -s dev');
  expect(fs.existsSync(file)).toBe(true);
});

test('locks of another stack are left alone', async () => {
  write(lockOf(await deadPid()));
  expect(clearPulumiLocks('prod', backend)).toEqual([]);
  expect(pulumiLocks('dev', backend)).toHaveLength(1);
});

test('processes of a killed run are found by their mark and ended; others are not', async () => {
  const root = path.join(backend, 'clone');
  const owner = await deadPid();
  const mark = (value: string): Record<string, string> => ({ [RUN_MARK]: value });
  const mine = await start('sleep', ['60'], mark(`${root}#${process.pid}`));
  const orphan = await start('sleep', ['60'], mark(`${root}#${owner}`));
  const stubborn = await start(
    'bash',
    ['-c', 'trap "" TERM; echo on; sleep 60 & wait; wait'],
    mark(`${root}#${owner}`),
  );
  await once(stubborn.stdout ?? process, 'data');
  const foreign = await start('sleep', ['60'], mark(`${root}-2#${owner}`));
  const found = orphans(root).map(({ pid }) => pid);
  expect(found).toEqual(expect.arrayContaining([orphan.pid, stubborn.pid]));
  expect(found).not.toContain(mine.pid);
  expect(found).not.toContain(foreign.pid);
  expect(await endOrphans(() => undefined, 1_000, root)).toBe(found.length);
  expect(orphans(root)).toEqual([]);
  expect(mine.exitCode ?? mine.signalCode).toBeNull();
  expect(foreign.exitCode ?? foreign.signalCode).toBeNull();
}, 30_000);
