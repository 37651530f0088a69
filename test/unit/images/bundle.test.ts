import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bundleReferenceService } from '../../../images/reference-service/bundle';

describe('the bundle of the reference service', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is the same each time, and names no place of this machine', async () => {
    const one = readFileSync(await bundleReferenceService(join(folder, 'one.js')), 'utf8');
    const two = readFileSync(await bundleReferenceService(join(folder, 'deep', 'two.js')), 'utf8');
    expect(one === two).toBe(true);
    expect(one.includes(resolve(__dirname, '../../..'))).toBe(false);
  });

  test('starts by itself, and refuses a wrong environment with code 78 in one line', async () => {
    const file = await bundleReferenceService(join(folder, 'server.js'));
    const environment = { PORT: 'x', SECRET_KEY: 'canary' };
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { env: environment, encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 78, stdout: '' });
    expect(stderr.trim().split('\n')).toHaveLength(1);
    const line = JSON.parse(stderr) as { level: string; msg: string };
    expect(line).toMatchObject({ level: 'FATAL', fatal: 'configuration' });
    expect(line.msg).toMatch(/PORT: found "x".*\n.*SECRET_KEY/);
    expect(stderr).not.toContain('canary');
  });
});
