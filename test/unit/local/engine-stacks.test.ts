import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { checkpointFile, readCheckpoint, restoreCheckpoint } from '../../../local/engine/checkpoint';
import { ensureStacks, hideSaltFromGit, removeSalts, withoutSalt, withSalt } from '../../../local/engine/stacks';

const CONFIG = '# Comment.\nconfig:\n  trellis:replicas: 1   # a number\n';
const SALT = 'v1:Pt2lK99lMCQ=:v1:Y822QtXHYs+SkUmq:funz3dhjcdmyWHzvfD56r5xL+nH76w==';

let folder: string;
let backend: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-stacks-'));
  backend = path.join(folder, '.trellis/pulumi/state');
  fs.writeFileSync(path.join(folder, 'Pulumi.dev.yaml'), CONFIG);
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const config = (): string => fs.readFileSync(path.join(folder, 'Pulumi.dev.yaml'), 'utf8');
const state = (latest: object): string => JSON.stringify({ version: 3, checkpoint: { stack: 'x', latest } });

function writeState(text: string, suffix = ''): string {
  const file = checkpointFile('dev', backend);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}${suffix}`, text);
  return file;
}

/** Stands in for the CLI: makes the stack's state, as `pulumi stack init` does, and notes how it was called. */
function fakePulumi(salt: string): string {
  const file = path.join(folder, 'pulumi');
  const text = state({ secrets_providers: { type: 'passphrase', state: { salt } } });
  const target = checkpointFile('dev', backend);
  fs.writeFileSync(
    file,
    `#!/bin/sh\necho "$PWD $*" >> ${folder}/calls\nmkdir -p ${path.dirname(target)}\necho '${text}' > ${target}\n`,
    { mode: 0o755 },
  );
  return file;
}

const options = (salt = SALT) => ({
  pulumi: fakePulumi(salt),
  env: {},
  environment: { HOME: folder },
  folder,
  backend,
  scratch: path.join(folder, 'scratch'),
});

describe('the salt line', () => {
  test('is added and removed without a change to anything else', () => {
    const line = fc.stringMatching(/^[ -~äß]{0,30}$/).filter((text) => !text.startsWith('encryptionsalt:'));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const text = lines.map((each) => `${each}\n`).join('');
        expect(withoutSalt(withSalt(text, SALT))).toBe(text);
        expect(withSalt(withSalt(text, 'old'), SALT)).toBe(withSalt(text, SALT));
      }),
    );
  });

  test('starts a line of its own where the file lacks a line end', () => {
    expect(withSalt('a: 1', SALT)).toBe(`a: 1\nencryptionsalt: ${SALT}\n`);
  });
});

describe('stacks of the clone’s own back end', () => {
  test('are made elsewhere, so that the configuration keeps every other character', async () => {
    expect(await ensureStacks(options())).toEqual(['dev']);
    expect(config()).toBe(`${CONFIG}encryptionsalt: ${SALT}\n`);
    const calls = fs.readFileSync(path.join(folder, 'calls'), 'utf8');
    expect(calls).toContain('stack init organization/trellis/dev --no-select --non-interactive');
    expect(calls.startsWith(path.join(folder, 'scratch'))).toBe(true);
  });

  test('are made once', async () => {
    await ensureStacks(options());
    expect(await ensureStacks(options('v1:another'))).toEqual([]);
    expect(config()).toContain(SALT);
    expect(fs.readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n')).toHaveLength(1);
  });

  test('get their salt back where the configuration lost it, and replace one of another state', async () => {
    await ensureStacks(options());
    for (const text of [CONFIG, withSalt(CONFIG, 'v1:stale')]) {
      fs.writeFileSync(path.join(folder, 'Pulumi.dev.yaml'), text);
      await ensureStacks(options());
      expect(config()).toBe(withSalt(CONFIG, SALT));
    }
  });

  test('never lock away values that were encrypted with another passphrase', async () => {
    const text = withSalt(`${CONFIG}  trellis:token:\n    secure: AAAB\n`, 'v1:theirs');
    fs.writeFileSync(path.join(folder, 'Pulumi.dev.yaml'), text);
    await expect(ensureStacks(options())).rejects.toThrow('another passphrase');
    expect(config()).toBe(text);
  });

  test('are not touched in a back end of the user', async () => {
    const environment = { HOME: folder, PULUMI_BACKEND_URL: 's3://states' };
    expect(await ensureStacks({ ...options(), environment })).toEqual([]);
    expect(config()).toBe(CONFIG);
  });

  test('leave no salt behind when their state is removed', async () => {
    await ensureStacks(options());
    removeSalts(folder);
    expect(config()).toBe(CONFIG);
  });
});

describe('git', () => {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      encoding: 'utf8',
    });

  beforeEach(() => {
    git('init', '-q');
    fs.writeFileSync(path.join(folder, '.gitattributes'), 'Pulumi.*.yaml filter=trellis-salt\n');
    fs.writeFileSync(path.join(folder, '.gitignore'), '.trellis/\ncalls\npulumi\nscratch/\n');
    git('add', '.');
    git('commit', '-q', '-m', 'first');
  });

  test('shows a clone with stacks as clean, and commits no salt', async () => {
    await ensureStacks(options());
    expect(config()).toContain(SALT);
    expect(git('status', '--short')).toBe('');
    fs.writeFileSync(path.join(folder, 'Pulumi.dev.yaml'), config().replace('replicas: 1', 'replicas: 2'));
    git('commit', '-q', '-a', '-m', 'second');
    expect(git('show', 'HEAD:Pulumi.dev.yaml')).toBe(CONFIG.replace('replicas: 1', 'replicas: 2'));
    expect(git('status', '--short')).toBe('');
  });

  test('puts the salt back when it writes the file', async () => {
    await ensureStacks(options());
    fs.rmSync(path.join(folder, 'Pulumi.dev.yaml'));
    git('checkout', '--', 'Pulumi.dev.yaml');
    expect(config()).toBe(withSalt(CONFIG, SALT));
  });

  test('still shows, and does not stage, what the user changed', async () => {
    fs.writeFileSync(path.join(folder, 'Pulumi.dev.yaml'), CONFIG.replace('replicas: 1', 'replicas: 3'));
    await ensureStacks(options());
    expect(git('status', '--short')).toBe(' M Pulumi.dev.yaml\n');
    const changed = git('diff', '-U0')
      .split('\n')
      .filter((line) => /^[+-] /.test(line));
    expect(changed).toEqual(['-  trellis:replicas: 1   # a number', '+  trellis:replicas: 3   # a number']);
  });

  test('is left alone outside a repository', async () => {
    fs.rmSync(path.join(folder, '.git'), { recursive: true });
    await expect(hideSaltFromGit(folder)).resolves.toBeUndefined();
  });
});

describe('a state', () => {
  test('tells its resources and what was cut off', () => {
    writeState(state({ resources: [{}, {}], pending_operations: [{}], manifest: { time: '2026-01-01T00:00:00Z' } }));
    expect(readCheckpoint('dev', backend)).toMatchObject({ resources: 2, pending: 1, updated: '2026-01-01T00:00:00Z' });
    expect(readCheckpoint('prod', backend)).toBeUndefined();
  });

  test('of a stack that was only initialised is empty, and no error', () => {
    writeState('{"version":3,"checkpoint":{"stack":"x"}}');
    expect(readCheckpoint('dev', backend)).toMatchObject({ resources: 0, pending: 0 });
  });

  test.each(['', '{"version":3,"checkpo', 'null'])('that was cut short to %j names the way back', (text) => {
    const file = writeState(text);
    expect(() => readCheckpoint('dev', backend)).toThrow(`cp ${file}.bak ${file}`);
  });

  test('that was cut short is restored from its backup, and kept beside it', () => {
    const file = writeState('{"version":3,"che');
    writeState(state({ resources: [{}] }), '.bak');
    expect(restoreCheckpoint('dev', backend)).toContain('cut short');
    expect(readCheckpoint('dev', backend)?.resources).toBe(1);
    const aside = fs.readdirSync(path.dirname(file)).find((name) => name.includes('.broken-')) ?? '';
    expect(fs.readFileSync(path.join(path.dirname(file), aside), 'utf8')).toBe('{"version":3,"che');
  });

  test('that is whole is never exchanged for its backup', () => {
    writeState(state({ resources: [{}, {}] }));
    writeState(state({ resources: [] }), '.bak');
    expect(restoreCheckpoint('dev', backend)).toBeUndefined();
    expect(readCheckpoint('dev', backend)?.resources).toBe(2);
  });

  test('without a whole backup is not made up', () => {
    const file = writeState('');
    writeState('{', '.bak');
    expect(() => restoreCheckpoint('dev', backend)).toThrow('so was its backup');
    expect(fs.readFileSync(file, 'utf8')).toBe('');
  });
});
