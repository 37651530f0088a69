import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FETCH_SCRIPT } from '../../../components/model-download-script';

jest.setTimeout(60_000);

const CONTENT = Buffer.from('weights '.repeat(10_000));
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The Job's script, run by this machine's own shell in a folder of its own. */
describe('the script of the download', () => {
  let cache: string;
  let server: http.Server;
  let address: string;
  let asked: { readonly url: string; readonly authorization: string; readonly range: string }[];
  /** Bytes after which the next answers break off. */
  let breakAfter: number | undefined;

  beforeAll(async () => {
    server = http.createServer(({ url = '', headers }, response) => {
      asked.push({ url, authorization: headers.authorization ?? '', range: headers.range ?? '' });
      const [, from = '0'] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
      const rest = CONTENT.subarray(Number(from));
      response.writeHead(headers.range === undefined ? 200 : 206, {
        'content-length': rest.length,
        'content-range': `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}`,
      });
      if (breakAfter === undefined) response.end(rest);
      else response.write(rest.subarray(0, breakAfter), () => setTimeout(() => response.destroy(), 50));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    cache = fs.mkdtempSync(join(tmpdir(), 'models-'));
    asked = [];
    breakAfter = undefined;
  });
  afterEach(() => fs.rmSync(cache, { recursive: true }));

  const run = (model: string, sum = sha256(CONTENT), env: NodeJS.ProcessEnv = {}) => {
    const script = FETCH_SCRIPT.replace('cd /cache', `cd ${cache}`).replaceAll('/tmp/header', join(cache, '.header'));
    const files = `${sum} model.gguf ${address}/model.gguf\n${sum} deep/more.bin ${address}/deep/more.bin`;
    const child = spawn('/bin/sh', ['-euc', script], {
      env: { PATH: process.env.PATH, MODEL: model, MODEL_FILES: files, PROTOCOL: 'http', ...env },
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    return new Promise<{ code: number | null; output: string }>((resolve) => {
      child.on('close', (code) => resolve({ code, output }));
    });
  };
  const entries = (): readonly string[] => fs.readdirSync(cache).sort();

  test('fetches every file, and shows the model once it is whole', async () => {
    expect(await run('one')).toMatchObject({ code: 0, output: expect.stringContaining('complete: one') as string });
    expect(entries()).toEqual(['one']);
    expect(fs.readFileSync(join(cache, 'one', 'deep', 'more.bin')).equals(CONTENT)).toBe(true);
  });

  test('fetches nothing that is there already, after it was verified', async () => {
    await run('one');
    asked = [];
    expect(await run('one')).toMatchObject({ code: 0, output: expect.stringContaining('present: one') as string });
    expect(asked).toEqual([]);
  });

  test('fetches anew what was damaged on the volume', async () => {
    await run('one');
    fs.writeFileSync(join(cache, 'one', 'model.gguf'), 'spoilt');
    const { code, output } = await run('one');
    expect(code).toBe(0);
    expect(output).toContain('damaged: one');
    expect(fs.readFileSync(join(cache, 'one', 'model.gguf')).equals(CONTENT)).toBe(true);
  });

  test('a wrong checksum ends with 65, says both sums, and shows nothing', async () => {
    const { code, output } = await run('one', '0'.repeat(64));
    expect(code).toBe(65);
    expect(output).toContain(
      `wrong checksum: ${address}/model.gguf has the SHA-256 ${sha256(CONTENT)}, expected was ${'0'.repeat(64)}`,
    );
    expect(entries()).not.toContain('one');
  });

  test('continues what was cut short', async () => {
    breakAfter = 30_000;
    expect((await run('one')).code).not.toBe(0);
    expect(entries()).toEqual(['.partial-one']);
    breakAfter = undefined;
    asked = [];
    expect((await run('one')).code).toBe(0);
    expect(asked[0]?.range).toMatch(/^bytes=[1-9]\d*-$/);
    expect(entries()).toEqual(['one']);
  });

  test('sends the token from its file', async () => {
    const file = join(cache, '.token');
    fs.writeFileSync(file, 'canary');
    const { output } = await run('one', sha256(CONTENT), { TOKEN_FILE: file });
    expect(asked[0]?.authorization).toBe('Bearer canary');
    expect(output).not.toContain('canary');
  });

  test('keeps the model before this one, and no older', async () => {
    for (const [index, name] of ['one', 'two', 'three'].entries()) {
      await run(name);
      // Folders made within one tick of the clock could not be told apart.
      fs.utimesSync(join(cache, name), new Date(), new Date(Date.now() - (3 - index) * 10_000));
    }
    const { output } = await run('four');
    expect(entries()).toEqual(['four', 'three']);
    expect(output).toContain('pruned: ');
  });
});
