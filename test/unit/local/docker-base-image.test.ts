import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type * as BaseImage from '../../../local/docker/base-image';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-base-'));
const at = (...parts: string[]): string => path.join(directory, ...parts);
const formerPath = process.env.PATH;

// The cache is where the environment said when the module was loaded.
process.env.TRELLIS_CACHE_DIR = at('cache');
const { ensureBaseImage } = jest.requireActual<typeof BaseImage>('../../../local/docker/base-image');

function executable(name: string, body: string): string {
  fs.mkdirSync(at('bin'), { recursive: true });
  fs.writeFileSync(at('bin', name), `#!/bin/sh\necho "${name} $*" >> ${at('calls')}\n${body}\n`, { mode: 0o755 });
  return at('bin', name);
}

const calls = (program: string): readonly string[] =>
  fs
    .readFileSync(at('calls'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${program} `));

/** An engine that has the image once it was imported, and whose registry does what \`pull\` does. */
const engine = (pull: string): { cli: string; dockerHost: string } => ({
  cli: executable(
    'docker',
    `case "$1" in
  image) [ -f ${at('has')} ] && echo 74492547 ;;
  pull) ${pull} ;;
  import) cat "$4" > ${at('has')} ;;
esac`,
  ),
  dockerHost: 'unix:///nowhere',
});

const REFUSED = 'echo "Error response from daemon: no such host" >&2; exit 1';

beforeEach(() => {
  process.env.PATH = `${at('bin')}:/usr/bin:/bin`;
  executable('mmdebstrap', 'for target; do :; done; echo "I: creating tarball..." >&2; echo tar > "$target"');
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));
afterAll(() => {
  process.env.PATH = formerPath;
  delete process.env.TRELLIS_CACHE_DIR;
});

test('that can’t be pulled is made from packages, kept for other clones, and imported under the same name', async () => {
  const lines: string[] = [];
  const report = (line: string): void => void lines.push(line);
  await expect(ensureBaseImage(engine(REFUSED), report)).resolves.toBe(74492547);
  expect(lines).toContain('base image: creating tarball...');
  expect(lines.join()).not.toContain('Error');
  expect(calls('mmdebstrap')[0]).toMatch(/--variant=minbase .*--include=usr-is-merged .* bookworm \S+\.tar\.part$/);
  expect(calls('docker').at(-1)).toMatch(/^docker image inspect/);
  expect(fs.readFileSync(at('has'), 'utf8')).toBe('tar\n');
  expect(fs.readdirSync(at('cache', 'images'))).toEqual([
    expect.stringMatching(/^debian-bookworm-slim-[0-9a-f]{16}\.tar$/),
  ]);

  fs.rmSync(at('has'));
  await ensureBaseImage(engine(REFUSED), report);
  expect(calls('mmdebstrap')).toHaveLength(1);
  expect(calls('docker').filter((call) => call.startsWith('docker import'))).toHaveLength(2);
});

test('whose packages can’t be had tells why, and leaves no half archive', async () => {
  executable('mmdebstrap', 'for target; do :; done; echo half > "$target"; echo "E: mirror is down" >&2; exit 1');
  await expect(ensureBaseImage(engine(REFUSED), () => undefined)).rejects.toThrow(
    /ended with code 1\.\nE: mirror is down/,
  );
  expect(fs.readdirSync(at('cache', 'images'))).toEqual([]);
});

test('is not waited for where the registry says nothing', async () => {
  const since = Date.now();
  await ensureBaseImage(engine('exec sleep 60'), () => undefined);
  expect(Date.now() - since).toBeLessThan(10_000);
});
