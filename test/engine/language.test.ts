import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Engine } from '../support/engine';

jest.setTimeout(180_000);

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

  const write = (file: string, content: string): void => fs.writeFileSync(path.join(engine.folder, file), content);
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

  test('swc transpiles the program where the tsconfig says so, as the platform’s does', async () => {
    write('Pulumi.yaml', 'name: test\nruntime: nodejs\n');
    write('package.json', '{"name":"test","main":"index.ts"}');
    const tsconfig = fs.readFileSync(path.join(__dirname, '../../stacks/tsconfig.json'), 'utf8');
    write('tsconfig.json', tsconfig.replace('"../tsconfig.json"', JSON.stringify(path.resolve('tsconfig.json'))));
    write(
      'index.ts',
      `export const swc: boolean = Object.keys(require.cache).some((file) => file.includes('@swc/core'));`,
    );
    await engine.up();
    expect((await engine.ok('stack', 'output', 'swc')).stdout.trim()).toBe('true');
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
