import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { fetchRelease, reachable } from '../../../local/toolchain/release';

const PROGRAM = '#!/bin/sh\necho released\n';
const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

let directory: string;
let server: http.Server;
let base: string;
let requests = 0;
const served = new Map<string, Buffer | string>();

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-release-'));
  requests = 0;
  server = http.createServer((request, response) => {
    requests += 1;
    const content = served.get(request.url ?? '');
    if (request.url === '/moved') response.writeHead(302, { location: '/tool' }).end();
    else if (content === undefined) response.writeHead(404).end();
    else response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  served.set('/tool', PROGRAM);
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  fs.rmSync(directory, { recursive: true, force: true });
});

async function fetched(
  url: string,
  hash: string,
  member?: string,
): Promise<{ file: string | undefined; lines: string[] }> {
  const lines: string[] = [];
  const release = { url: `${base}${url}`, sha256: hash, ...(member === undefined ? {} : { member }) };
  return { file: await fetchRelease('tool', release, directory, (line) => void lines.push(line)), lines };
}

test.each(['/tool', '/moved'])('with its checksum becomes an executable (%s)', async (url) => {
  const { file } = await fetched(url, sha256(PROGRAM));
  expect(file).toBe(path.join(directory, 'tool'));
  expect(execFileSync(file ?? '').toString()).toBe('released\n');
  expect(fs.readdirSync(directory)).toEqual(['tool']);
});

test('is taken out of its archive', async () => {
  const tree = path.join(directory, 'tree', 'vendor');
  fs.mkdirSync(tree, { recursive: true });
  fs.writeFileSync(path.join(tree, 'program'), PROGRAM);
  const archive = execFileSync('tar', ['-czf', '-', '-C', path.dirname(tree), 'vendor']);
  served.set('/tool.tar.gz', archive);
  const { file } = await fetched('/tool.tar.gz', sha256(archive), 'vendor/program');
  expect(execFileSync(file ?? '').toString()).toBe('released\n');
});

test('with another checksum is told, and not used', async () => {
  const { file, lines } = await fetched('/tool', sha256('something else'));
  expect(file).toBeUndefined();
  expect(lines).toContain(`tool: the release does not have its checksum and is not used (${sha256(PROGRAM)})`);
  expect(fs.readdirSync(directory)).toEqual([]);
});

test('that is not there ends the trust in its host for the run', async () => {
  expect((await fetched('/gone', sha256(PROGRAM))).file).toBeUndefined();
  expect((await fetched('/tool', sha256(PROGRAM))).lines).toEqual([]);
  expect(requests).toBe(1);
});

test('of a vendor that can’t be reached is given up at once, quietly, and asked for once', async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const since = Date.now();
  expect(await fetched('/tool', sha256(PROGRAM))).toEqual({ file: undefined, lines: [] });
  expect(Date.now() - since).toBeLessThan(1_000);
  const again = http.createServer();
  await new Promise<void>((resolve) => again.listen(Number(new URL(base).port), '127.0.0.1', resolve));
  expect(await reachable(base)).toBe(false);
  await new Promise((resolve) => again.close(resolve));
  server = http.createServer().listen(0);
});

test('of a host without a name is given up within the limit', async () => {
  const since = Date.now();
  expect(await reachable('https://no-such-host.invalid/x')).toBe(false);
  expect(Date.now() - since).toBeLessThan(3_500);
});
