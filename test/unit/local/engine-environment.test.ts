import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { engineEnv, ensurePassphrase, exportLines, linkProgram } from '../../../local/engine/environment';
import { contextOf, contextsIn, engineFiles, isLocalStack, own, ownBackend } from '../../../local/engine/owner';

let home: string;

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-home-'));
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

const kubeconfig = (file: string, ...contexts: string[]): string => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const list = contexts.map((name) => `- name: ${name}\n  context: { cluster: c, user: u }`).join('\n');
  fs.writeFileSync(file, `apiVersion: v1\nkind: Config\ncontexts:\n${list}\n`);
  return file;
};

describe('export lines', () => {
  test('any value comes out of bash as it went in', () => {
    const value = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), (values) => {
        const wanted = Object.fromEntries(values.map((text, index) => [`V${index}`, text]));
        const names = Object.keys(wanted);
        const print = `printf '%s\\0' ${names.map((name) => `"$${name}"`).join(' ')}`;
        const output = execFileSync('bash', ['-c', `eval "$1"\n${print}`, 'bash', exportLines(wanted)]);
        const expected = Buffer.concat(names.map((name) => Buffer.from(`${wanted[name] ?? ''}\0`)));
        expect(output.equals(expected)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('a value that looks like a command is not run', () => {
    const file = path.join(home, 'made');
    const text = exportLines({ A: `$(touch ${file})`, B: `\`touch ${file}\``, C: `'; touch ${file}; '` });
    execFileSync('sh', ['-c', 'eval "$1"', 'sh', text]);
    expect(fs.existsSync(file)).toBe(false);
  });

  test('a name that no shell takes, and a value with NUL, are refused', () => {
    expect(() => exportLines({ 'A;B': 'x' })).toThrow('A;B');
    expect(() => exportLines({ A: 'x\0y' })).toThrow('NUL');
  });
});

describe('a backend of the user', () => {
  test.each([
    ['PULUMI_BACKEND_URL', 's3://states'],
    ['PULUMI_ACCESS_TOKEN', 'pul-1'],
  ])('%s wins over the clone’s own', async (name, value) => {
    const environment = { HOME: home, PATH: '/bin', [name]: value };
    expect(ownBackend(environment)).toContain(name);
    const env = await engineEnv({ environment });
    for (const key of ['PULUMI_BACKEND_URL', 'PULUMI_HOME', 'PULUMI_CONFIG_PASSPHRASE_FILE'])
      expect(env).not.toHaveProperty(key);
  });

  test('a login in ~/.pulumi wins', async () => {
    fs.mkdirSync(path.join(home, '.pulumi'));
    fs.writeFileSync(path.join(home, '.pulumi/credentials.json'), '{"current":"https://api.example.com"}');
    expect(ownBackend({ HOME: home })).toContain(path.join(home, '.pulumi'));
    expect(await engineEnv({ environment: { HOME: home } })).not.toHaveProperty('PULUMI_BACKEND_URL');
  });

  test.each(['{"current":""}', '{}', 'null', '{'])('credentials %j are no login', (content) => {
    fs.mkdirSync(path.join(home, '.pulumi'));
    fs.writeFileSync(path.join(home, '.pulumi/credentials.json'), content);
    expect(ownBackend({ HOME: home })).toBeUndefined();
  });

  test('what another clone exported is not the user’s: two clones never share a state', async () => {
    const other = '/elsewhere/.trellis';
    const environment = {
      HOME: home,
      PATH: `${other}/bin:/bin`,
      PULUMI_BACKEND_URL: `file://${other}/pulumi/state`,
      PULUMI_HOME: `${other}/pulumi/home`,
      PULUMI_CONFIG_PASSPHRASE_FILE: `${other}/pulumi/passphrase`,
      KUBECONFIG: `${other}/cluster/kubeconfig`,
      DOCKER_HOST: `unix://${other}/docker/run/docker.sock`,
    };
    expect(ownBackend(environment)).toBeUndefined();
    expect(own(environment, 'DOCKER_HOST')).toBeUndefined();
    const env = await engineEnv({ environment, dockerHost: 'unix:///here.sock' });
    expect(Object.values(env).join('\n')).not.toContain('/elsewhere/');
    expect(env).toMatchObject({
      PULUMI_BACKEND_URL: `file://${engineFiles.backend}`,
      DOCKER_HOST: 'unix:///here.sock',
    });
  });

  test('a Docker engine of the user wins over the private one', async () => {
    const env = await engineEnv({ environment: { HOME: home, DOCKER_HOST: 'tcp://builder' }, dockerHost: 'unix:///x' });
    expect(env).not.toHaveProperty('DOCKER_HOST');
  });
});

describe('a passphrase', () => {
  test.each([
    { PULUMI_CONFIG_PASSPHRASE: '' },
    { PULUMI_CONFIG_PASSPHRASE: 'x' },
    { PULUMI_CONFIG_PASSPHRASE_FILE: '/p' },
  ])('of the user wins: %j', async (environment) => {
    const env = await engineEnv({ environment: { HOME: home, ...environment } });
    expect(env).not.toHaveProperty('PULUMI_CONFIG_PASSPHRASE_FILE');
    expect(env).toHaveProperty('PULUMI_BACKEND_URL');
  });

  test('is made once, random, and readable by its owner only', () => {
    const file = path.join(home, 'a/passphrase');
    ensurePassphrase(file);
    const first = fs.readFileSync(file, 'utf8');
    ensurePassphrase(file);
    expect(fs.readFileSync(file, 'utf8')).toBe(first);
    expect(first).toMatch(/^[0-9a-f]{64}\n$/);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(fs.readFileSync(ensurePassphrase(path.join(home, 'b')), 'utf8')).not.toBe(first);
    expect(fs.readdirSync(path.dirname(file))).toEqual(['passphrase']);
  });

  test('that was lost is not silently replaced', () => {
    const file = path.join(home, 'passphrase');
    fs.writeFileSync(file, '\n');
    expect(() => ensurePassphrase(file)).toThrow('is empty');
  });
});

describe('a kubeconfig', () => {
  test('of KUBECONFIG comes first where it has a context that a stack names', async () => {
    const file = kubeconfig(path.join(home, 'mine'), 'other', contextOf('prod'));
    const env = await engineEnv({ environment: { HOME: home, KUBECONFIG: file } });
    expect(env.KUBECONFIG).toBe(`${file}:${engineFiles.kubeconfig}`);
    expect(isLocalStack('prod', { HOME: home, KUBECONFIG: file })).toBe(false);
    expect(isLocalStack('dev', { HOME: home, KUBECONFIG: file })).toBe(true);
  });

  test('at ~/.kube/config counts as well', async () => {
    const file = kubeconfig(path.join(home, '.kube/config'), contextOf('staging'));
    expect((await engineEnv({ environment: { HOME: home } })).KUBECONFIG).toBe(`${file}:${engineFiles.kubeconfig}`);
  });

  test('without such a context is not read: its current context could be anyone’s', async () => {
    const file = kubeconfig(path.join(home, '.kube/config'), 'somewhere-else');
    expect(contextsIn(file)).toEqual(['somewhere-else']);
    expect((await engineEnv({ environment: { HOME: home } })).KUBECONFIG).toBe(engineFiles.kubeconfig);
  });

  test('a stack whose configuration names a context of its own is not local', () => {
    fs.writeFileSync(path.join(home, 'Pulumi.dev.yaml'), 'config:\n  trellis:cluster:\n    context: kind-kind\n');
    expect(contextOf('dev', home)).toBe('kind-kind');
    expect(isLocalStack('dev', { HOME: home }, home)).toBe(false);
    expect(contextOf('prod', home)).toBe('trellis-prod');
  });
});

test('the clone’s own programs come first on PATH, once, and other clones’ nowhere', async () => {
  const environment = { HOME: home, PATH: `/a:/x/.trellis/bin:${engineFiles.bin}:/b` };
  expect((await engineEnv({ environment })).PATH).toBe(`${engineFiles.bin}:/a:/b`);
});

test('a linked program is replaced when another is wanted, and no link points to itself', () => {
  const bin = path.join(home, 'bin');
  linkProgram('tool', '/bin/true', bin);
  linkProgram('tool', '/bin/false', bin);
  linkProgram('tool', path.join(bin, 'tool'), bin);
  expect(fs.realpathSync(path.join(bin, 'tool'))).toBe(fs.realpathSync('/bin/false'));
});
