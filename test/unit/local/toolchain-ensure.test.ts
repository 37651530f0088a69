import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { silent } from '../../../local/report';
import { LAZY_WORD_LISTS } from '../../../local/toolchain/edits';
import type * as Ensure from '../../../local/toolchain/ensure';
import type * as Plugins from '../../../local/toolchain/plugins';
import type * as Go from '../../../local/toolchain/go';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-toolchain-'));
const at = (...parts: string[]): string => path.join(directory, ...parts);
const environment = { ...process.env };

// The cache is where the environment said when the module was loaded.
process.env.TRELLIS_CACHE_DIR = at('cache');
const { cachedPath, ensureTool, ensureTools, missingTools } = jest.requireActual<typeof Ensure>(
  '../../../local/toolchain/ensure',
);
const { findGo, needGo } = jest.requireActual<typeof Go>('../../../local/toolchain/go');
const { vendorPlugin } = jest.requireActual<typeof Plugins>('../../../local/toolchain/plugins');

function executable(file: string, script: string): string {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

/** A Go that notes how it was called, and writes the program it is asked for. */
const FAKE_GO = (build: string): string => `
if [ "$1" = version ]; then echo "go version go1.26.8 linux/amd64"; exit; fi
if [ "$1" = mod ]; then echo '{"Dir":"${at('module')}"}'; exit; fi
echo "$CGO_ENABLED $GOWORK [$GOFLAGS] $*" >> ${at('calls')}
while [ "$1" != -o ]; do shift; done
${build}`;

/** What the edits of any module look for. */
function writeModule(): void {
  const files = new Map<string, string>();
  for (const { module, file, from } of LAZY_WORD_LISTS) {
    if (module === LAZY_WORD_LISTS[0]?.module) files.set(file, `${files.get(file) ?? ''}${from}`);
  }
  for (const [file, text] of files) {
    fs.mkdirSync(path.dirname(at('module', file)), { recursive: true });
    fs.writeFileSync(at('module', file), text);
  }
}

const calls = (): readonly string[] =>
  fs.existsSync(at('calls')) ? fs.readFileSync(at('calls'), 'utf8').trim().split('\n') : [];

beforeAll(() => {
  // These tests write programs that only pretend; nowhere near a real cache.
  expect(cachedPath('pulumi')).toMatch(new RegExp(`^${directory}/`));
});
beforeEach(() => {
  process.env.PATH = `${at('go')}:/usr/bin:/bin`;
  executable(at('go', 'go'), FAKE_GO('sleep 0.3; printf "#!/bin/sh\\necho made\\n" > "$2"; chmod +x "$2"'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));
afterAll(() => {
  process.env = environment;
});

describe('a tool', () => {
  test('comes from PATH where its version fits', async () => {
    executable(at('old', 'pulumi'), 'echo v3.200.0');
    const users = executable(at('new', 'pulumi'), '[ "$1" = version ] && echo v3.260.1');
    await expect(ensureTool('pulumi', silent, { directories: [at('old'), at('new')] })).resolves.toBe(users);
    expect(calls()).toEqual([]);
  });

  test.each([
    ['is too old', 'echo v3.200.0'],
    ['fails', 'echo v3.260.0 | grep x'],
    ['tells no version', 'echo hello'],
  ])('on PATH is not taken where it %s', async (_, script) => {
    executable(at('bin', 'pulumi'), script);
    writeModule();
    await expect(ensureTool('pulumi', silent, { directories: [at('bin')] })).resolves.toBe(cachedPath('pulumi'));
    expect(calls()).toHaveLength(1);
    expect(calls()[0]).toContain(' -modfile ');
  });

  test('whose module has another version than its edits is not built, and says so', async () => {
    writeModule();
    fs.appendFileSync(at('module', 'matching', 'matching.go'), 'range frequency.Lists {');
    await expect(ensureTool('pulumi', silent, { directories: [] })).rejects.toThrow(
      /zxcvbn-go\/matching\/matching\.go can't be edited/,
    );
    expect(calls()).toEqual([]);
    expect(fs.readdirSync(at('cache', 'tools'))).toEqual([]);
  });

  test('is built once when two ask at the same time, from its pinned module, whatever GOFLAGS says', async () => {
    process.env.GOFLAGS = '-mod=mod';
    const none = { directories: [] };
    const [first, second] = await Promise.all([
      ensureTool('kubeconform', silent, none),
      ensureTool('kubeconform', silent, none),
    ]);
    delete process.env.GOFLAGS;
    expect(first).toBe(second);
    expect(first).toMatch(/cache\/tools\/kubeconform-[0-9a-f]{16}\/kubeconform$/);
    expect(calls()).toHaveLength(1);
    expect(calls()[0]).toMatch(
      /^0 off \[\] build -trimpath -buildvcs=false -mod=readonly -ldflags -s -w -o \S+ github.com\/yannh/,
    );
    expect(fs.readdirSync(at('cache', 'tools'))).toEqual([path.basename(path.dirname(first))]);
    expect(fs.readdirSync(at('cache', 'locks'))).toEqual([]);
  });

  test('that can’t be built tells the last lines and leaves nothing', async () => {
    executable(at('go', 'go'), FAKE_GO('echo "go: some.module@v1: dial tcp: no route" >&2; exit 1'));
    const failed = ensureTool('kube-score', silent, { directories: [] });
    await expect(failed).rejects.toThrow(
      /kube-score could not be built \(Go ended with code 1\):\ngo: some\.module@v1: dial/,
    );
    await expect(failed).rejects.toThrow(/To mend it: look at \.trellis\/logs\/build-kube-score\.log/);
    expect(fs.readdirSync(at('cache', 'tools'))).toEqual([]);
  });

  test('half made by a killed run is made anew', async () => {
    const final = path.dirname(cachedPath('kube-score'));
    fs.mkdirSync(at('cache', 'tools', `.tmp-${path.basename(final)}-killed`), { recursive: true });
    await ensureTool('kube-score', silent, { directories: [] });
    expect(fs.readdirSync(at('cache', 'tools'))).toEqual([path.basename(final)]);
  });

  test('of several is announced with the time that all will take, then not missing any more', async () => {
    const lines: string[] = [];
    const names = ['kube-score', 'psa-check'] as const;
    const paths = await ensureTools(names, (line) => void lines.push(line), { directories: [] });
    expect(lines[0]).toBe('2 to build: kube-score, psa-check (about 2 min on two cores)');
    expect(lines).toContainEqual(expect.stringMatching(/^psa-check: built in \d+ s$/));
    expect(paths).toEqual({ 'kube-score': cachedPath('kube-score'), 'psa-check': cachedPath('psa-check') });
    await expect(missingTools(names, { directories: [] })).resolves.toEqual([]);
  });
});

describe('Go', () => {
  test('missing: says what needs it and the command that installs it', async () => {
    await expect(findGo([at('nowhere')])).resolves.toBeUndefined();
    await expect(needGo('pulumi, kubelet', [at('nowhere')])).rejects.toThrow(
      /^pulumi, kubelet is built from source here, and there is no Go .*\n {2}To mend it: curl .* \| tar -xz -C \/usr\/local$/,
    );
  });

  test('of Debian 12 is too old', async () => {
    executable(at('debian', 'go'), 'echo go version go1.19.8 linux/amd64');
    await expect(needGo('pulumi', [at('debian')])).rejects.toThrow(/Go 1\.19\.8 \(.*debian\/go\) is too old/);
  });

  test('may have a version of two numbers', async () => {
    executable(at('first', 'go'), 'echo go version go1.26 linux/amd64');
    await expect(findGo([at('first')])).resolves.toEqual({ command: at('first', 'go'), version: '1.26.0' });
  });
});

describe('the vendor’s plugin', () => {
  const version = (sdk: string): string =>
    (JSON.parse(fs.readFileSync(`node_modules/${sdk}/package.json`, 'utf8')) as { version: string }).version;

  test('is found on PATH, then where the user’s Pulumi installed exactly the version of the SDK', async () => {
    process.env.PULUMI_HOME = at('home');
    const name = 'pulumi-resource-random';
    const none = { directories: [] };
    executable(at('home', 'plugins', 'resource-random-v1.0.0', name), '');
    await expect(vendorPlugin(name, none)).resolves.toBeUndefined();
    const installed = executable(at('home', 'plugins', `resource-random-v${version('@pulumi/random')}`, name), '');
    await expect(vendorPlugin(name, none)).resolves.toBe(installed);
    const onPath = executable(at('bin', name), '');
    await expect(vendorPlugin(name, { directories: [at('bin')] })).resolves.toBe(onPath);
    const host = executable(at('home', 'bin', 'pulumi-language-nodejs'), '');
    await expect(vendorPlugin('pulumi-language-nodejs', none)).resolves.toBe(host);
    delete process.env.PULUMI_HOME;
  });
});
