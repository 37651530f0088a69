import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { Engine } from '../support/engine';

jest.setTimeout(180_000);

const ROOT = path.resolve(__dirname, '../..');

/** Command lines of living processes that hold a text, save this one's. */
function commandLines(text: string): readonly string[] {
  return fs
    .readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((pid) => {
      try {
        const line = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return line.includes(text) ? [line] : [];
      } catch {
        return [];
      }
    });
}

describe('the embedded language host under the real engine', () => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await Engine.create();
  });
  afterEach(() => engine.dispose());

  const write = (name: string, content: string): void => {
    const file = path.join(engine.folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  };
  /** The node process of the program, by the folder it is told to run in. */
  const programs = (): readonly string[] => commandLines(`--pwd ${engine.folder} `);
  const until = async (condition: () => boolean, seconds: number): Promise<void> => {
    for (let left = seconds * 10; left > 0 && !condition(); left--) await sleep(100);
    expect(condition()).toBe(true);
  };

  test('passes on output, configuration and its secrets, and the stack’s name', async () => {
    await engine.ok('config', 'set', 'size', '3');
    await engine.ok('config', 'set', '--secret', 'token', 'canary-token');
    write(
      'index.js',
      `const pulumi = require('@pulumi/pulumi');
       const config = new pulumi.Config();
       console.log('out: ' + pulumi.getStack() + ' ' + config.requireNumber('size'));
       console.error('err: seen');
       exports.token = config.requireSecret('token');`,
    );
    const { output } = await engine.up();
    expect(output).toContain('out: test 3');
    expect(output).toContain('err: seen');
    expect(output).not.toContain('canary-token');
    expect(engine.filesWith('canary-token')).toEqual([]);
    expect((await engine.ok('stack', 'output', 'token', '--show-secrets')).stdout).toContain('canary-token');
  });

  test('a program that throws is reported once; one that exits tells its code', async () => {
    write('index.js', `throw new Error('it is broken');`);
    const thrown = await engine.run('preview');
    expect(thrown.code).not.toBe(0);
    expect(thrown.output).toContain('it is broken');
    expect(thrown.output).not.toContain('non-zero exit code');
    write('index.js', `process.exit(3);`);
    const exited = await engine.run('preview');
    expect(exited.code).not.toBe(0);
    expect(exited.output).toContain('Program exited with non-zero exit code: 3');
  });

  test('TypeScript is transpiled alone where the tsconfig says so', async () => {
    write('Pulumi.yaml', 'name: test\nruntime: nodejs\n');
    write('package.json', '{"name":"test","main":"index.ts"}');
    write(
      'tsconfig.json',
      '{"compilerOptions":{"noCheck":true,"module":"commonjs","moduleResolution":"node","target":"ES2022"}}',
    );
    write('index.ts', `const wrong: number = 'seen'; export const value = wrong;`);
    await engine.up();
    expect((await engine.ok('stack', 'output', 'value')).stdout.trim()).toBe('seen');
  });

  test('runs a program in TypeScript by the options of the platform’s own Pulumi.yaml', async () => {
    const platform = parse(fs.readFileSync(path.join(ROOT, 'Pulumi.yaml'), 'utf8')) as object;
    write('Pulumi.yaml', stringify({ ...platform, name: 'test' }));
    for (const file of ['package.json', 'local/register-typescript.js'])
      write(file, fs.readFileSync(path.join(ROOT, file), 'utf8'));
    write(
      'stacks/index.ts',
      `import './wrong'; export const loaded: string[] = Object.keys(require.cache).filter((file: string) => /ts-node/.test(file));`,
    );
    write(
      'stacks/wrong.ts',
      `export default function wrong() { const text: string = null!; throw new Error('line 1' + text); }`,
    );
    await engine.up();
    expect((await engine.ok('stack', 'output', 'loaded', '--json')).stdout.trim()).toBe('[]');
    write('stacks/index.ts', `import wrong from './wrong';\n\n\nconst value: number = 1;\nwrong();\nexport { value };`);
    const { output } = await engine.run('preview');
    expect(output).toContain('line 1null');
    expect(output).toMatch(/index\.ts:5:/);
  });

  test('what the SDK says of each object for its own diagnosis is left out of the platform’s program unless asked for', async () => {
    engine.program(`
      require('${ROOT}/local/register-typescript');
      require('${ROOT}/stacks/sdk-diagnostics');
      new random.RandomId('id', { byteLength: 4 });
      pulumi.log.info('said by the program');
      const promise = Promise.resolve();
      await require('@pulumi/pulumi/runtime/debuggable').debuggablePromise(promise, 'test');
      pulumi.log.info(promise._debugStackTrace.split('\\n').length + ' lines of stack');
    `);
    const said = async (env: Record<string, string>): Promise<string> =>
      (await engine.start(['preview', '--debug'], env).exited).output;
    const [quiet, loud] = [
      await said({}),
      await said({ TRELLIS_SDK_DEBUG: 'true', PULUMI_DEBUG_PROMISE_LEAKS: 'true' }),
    ];
    for (const output of [quiet, loud]) expect(output).toContain('said by the program');
    const prepared = 'RegisterResource RPC prepared: t=random:index/randomId:RandomId, name=id';
    expect([quiet, loud].map((output) => output.includes(prepared))).toEqual([false, true]);
    expect(quiet).toContain('1 lines of stack');
    expect(loud).toMatch(/([2-9]|\d\d) lines of stack/);
  });

  test('the SDK loads what serializes functions, and what starts the CLI, when a program does so, and not before', async () => {
    write(
      'index.js',
      `const pulumi = require('@pulumi/pulumi');
       const loaded = () => Object.entries(require.cache).filter(([file, { exports }]) =>
         /node_modules.(typescript.lib|@npmcli.arborist|normalize-package-data|js-yaml|execa|@opentelemetry.resources)./.test(file) &&
         !require('node:util').types.isProxy(exports)).map(([file]) => file);
       const before = loaded();
       const factor = 3;
       exports.text = pulumi.runtime.serializeFunction((value) => value * factor).then(({ text }) => text);
       exports.packages = pulumi.runtime.computeCodePaths({ extraIncludePackages: ['semver'] }).then((paths) => paths.size);
       process.env.PATH = \`${path.dirname(engine.prepared.pulumi)}:\${process.env.PATH}\`;
       const workspace = pulumi.automation.LocalWorkspace.create({ workDir: '.' });
       exports.project = workspace.then(async (one) => [one.pulumiVersion, (await one.projectSettings()).name]);
       exports.before = before;
       exports.short = Symbol.for('trellis.struct-fields') in require('google-protobuf/google/protobuf/struct_pb').Struct.prototype;
       exports.after = Promise.all([exports.text, exports.packages, exports.project]).then(loaded);`,
    );
    await engine.up();
    const output = async (name: string): Promise<unknown> =>
      JSON.parse((await engine.ok('stack', 'output', name, '--json')).stdout) as unknown;
    expect(await output('before')).toEqual([]);
    // Properties take the short way: `local/plugins/shared/structs.ts`.
    expect(await output('short')).toBe(true);
    expect(await output('text')).toContain('value * factor');
    expect(await output('packages')).toBeGreaterThan(0);
    expect(await output('project')).toEqual([expect.stringMatching(/^3\./), 'test']);
    const after = JSON.stringify(await output('after'));
    for (const name of ['typescript', 'arborist', 'normalize-package-data', 'js-yaml', 'execa'])
      expect(after).toContain(name);
  });

  test('tells the plugins that the program’s packages need, and about itself', async () => {
    write('package.json', '{"name":"test","main":"index.js","dependencies":{"@pulumi/random":"*"}}');
    write('index.js', '');
    const { stdout } = await engine.ok('plugin', 'ls', '--project', '--json');
    expect((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)).toContain('random');
    expect((await engine.ok('about')).output).toContain(process.version.slice(1));
  });

  test('no program and no host outlives an engine that was killed', async () => {
    write('index.js', `setInterval(() => undefined, 1000); exports.never = new Promise(() => undefined);`);
    const { child, exited } = engine.start(['preview']);
    await until(() => programs().length === 1, 30);
    child.kill('SIGKILL');
    await exited;
    await until(() => programs().length === 0, 10);
  });

  test('an interrupted engine ends its program and gives the lock back', async () => {
    write('index.js', `setInterval(() => undefined, 1000); exports.never = new Promise(() => undefined);`);
    const { child, exited } = engine.start(['up', '--yes', '--skip-preview']);
    await until(() => programs().length === 1, 30);
    child.kill('SIGINT');
    expect((await exited).code).not.toBe(0);
    await until(() => programs().length === 0, 10);
    write('index.js', `exports.done = true;`);
    await engine.up();
  });
});
