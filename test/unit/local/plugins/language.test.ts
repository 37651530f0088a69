import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ProgramInfo, RunRequest } from '@pulumi/pulumi/proto/language_pb';
import { Children } from '../../../../local/plugins/language-nodejs/children';
import { installedPackages, packageRoot, requiredPlugins } from '../../../../local/plugins/language-nodejs/packages';
import {
  configEnvironment,
  outcome,
  runArguments,
  runProgram,
  runtimeOptions,
  sdkEntry,
  splitArguments,
} from '../../../../local/plugins/language-nodejs/program';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-language-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

const install = (folder: string, manifest: object): void => {
  fs.mkdirSync(path.join(directory, folder), { recursive: true });
  fs.writeFileSync(path.join(directory, folder, 'package.json'), JSON.stringify(manifest));
};

describe('required plugins', () => {
  beforeEach(() => {
    install('.', {
      dependencies: { '@pulumi/random': '*', library: '*', missing: '*' },
      devDependencies: { dev: '*' },
    });
    install('node_modules/@pulumi/random', {
      name: '@pulumi/random',
      version: '4.0.0',
      pulumi: { resource: true, version: '4.0.1' },
    });
    install('node_modules/library', {
      name: 'library',
      version: '1.0.0',
      dependencies: { '@other/thing': '*', dev: '*' },
    });
    install('node_modules/library/node_modules/@other/thing', {
      name: '@other/thing',
      version: '2.0.0',
      pulumi: { resource: true, server: 'https://plugins.example' },
      peerDependencies: { library: '*' },
    });
    install('node_modules/dev', { name: 'dev', version: '3.0.0', pulumi: { resource: false } });
    install('node_modules/stray', { name: 'stray', version: '9.0.0', pulumi: { resource: true } });
  });

  test('are those of direct and transitive packages, not of what merely lies there', () => {
    expect(requiredPlugins(directory)).toEqual([
      { name: 'random', version: 'v4.0.1', server: '' },
      { name: 'other/thing', version: 'v2.0.0', server: 'https://plugins.example' },
    ]);
  });

  test('come from the package that the program lies in', () => {
    fs.mkdirSync(path.join(directory, 'stacks', 'deep'), { recursive: true });
    expect(packageRoot(path.join(directory, 'stacks', 'deep'))).toBe(directory);
    expect(installedPackages(path.join(directory, 'stacks')).map(({ name, direct }) => [name, direct])).toEqual([
      ['@pulumi/random', true],
      ['library', true],
      ['dev', true],
      ['@other/thing', false],
    ]);
  });

  test('of this project are exactly the three that it uses', () => {
    expect(
      requiredPlugins(process.cwd())
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['docker', 'kubernetes', 'random']);
  });
});

describe('a run', () => {
  const request = (): RunRequest => {
    const info = new ProgramInfo().setRootDirectory('/root').setProgramDirectory(directory).setEntryPoint('.');
    const made = new RunRequest()
      .setProject('p')
      .setStack('dev')
      .setPwd(directory)
      .setMonitorAddress('m:1')
      .setParallel(4);
    return made.setDryrun(true).setOrganization('o').setInfo(info).setArgsList(['a', 'b']);
  };

  test('passes everything that the SDK reads, options before the program', () => {
    const expected = `--monitor m:1 --engine e:2 --organization o --project p --root-directory /root --stack dev --pwd ${directory} --parallel 4 --dry-run . a b`;
    expect(runArguments(request(), 'e:2').join(' ')).toBe(expected);
  });

  test('gives the configuration in the environment, the secret keys named', () => {
    const made = request().setConfigsecretkeysList(['p:password']);
    made.getConfigMap().set('p:password', 'canary').set('p:size', '3');
    const environment = configEnvironment(made);
    expect(JSON.parse(environment['PULUMI_CONFIG'] ?? '')).toEqual({ 'p:password': 'canary', 'p:size': '3' });
    expect(JSON.parse(environment['PULUMI_CONFIG_SECRET_KEYS'] ?? '')).toEqual(['p:password']);
    expect(runArguments(made, undefined).join(' ')).not.toContain('canary');
  });

  test('without an installed SDK says what to run', async () => {
    const { error, bail } = await runProgram(request(), undefined, new Children());
    expect(error).toMatch(/SDK is not installed.*npm install/s);
    expect(bail).toBe(false);
    fs.writeFileSync(path.join(directory, 'package-lock.json'), '{}');
    expect((await runProgram(request(), undefined, new Children())).error).toMatch(/npm ci/);
  });

  test.each([
    [
      { code: 0, signal: null },
      { error: '', bail: false },
    ],
    [
      { code: 32, signal: null },
      { error: '', bail: true },
    ],
    [
      { code: 3, signal: null },
      { error: 'Program exited with non-zero exit code: 3', bail: false },
    ],
    [
      { code: null, signal: 'SIGKILL' as const },
      { error: 'Program was ended by SIGKILL', bail: false },
    ],
  ])('that ends with %j', (ending, expected) => {
    expect(outcome(ending)).toEqual(expected);
  });

  test('takes the SDK of the program itself', () => {
    expect(sdkEntry(process.cwd(), 'run')).toBe(path.resolve('node_modules/@pulumi/pulumi/cmd/run/index.js'));
    expect(sdkEntry(directory, 'run')).toBeUndefined();
  });
});

test('runtime options of Pulumi.yaml, whatever their spelling', () => {
  expect(runtimeOptions({})).toEqual({ nodeargs: [], typescript: true, tsconfig: undefined, packagemanager: 'npm' });
  const given = { typescript: 'false', tsconfig: 'x.json', packagemanager: 'pnpm', nodeargs: '--a --b="c d"' };
  expect(runtimeOptions(given)).toEqual({
    nodeargs: ['--a', '--b=c d'],
    typescript: false,
    tsconfig: 'x.json',
    packagemanager: 'pnpm',
  });
  expect(splitArguments(`one 'two three' --x="y z" `)).toEqual(['one', 'two three', '--x=y z']);
});

describe('children', () => {
  const quiet = { cwd: process.cwd(), env: process.env, onStdout: () => undefined, onStderr: () => undefined };

  test('pass their output on and tell how they ended', async () => {
    const chunks: string[] = [];
    const take = (chunk: Buffer): number => chunks.push(chunk.toString());
    const script = 'process.stdout.write("out"); process.stderr.write("err"); process.exitCode = 7';
    const ending = await new Children().run(process.execPath, ['-e', script], {
      ...quiet,
      onStdout: take,
      onStderr: take,
    });
    expect(ending).toEqual({ code: 7, signal: null });
    expect(chunks.sort()).toEqual(['err', 'out']);
  });

  test('end when they are asked to', async () => {
    const children = new Children();
    const running = children.run(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")'], {
      ...quiet,
      onStdout: () => children.stop(),
    });
    expect(await running).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test('end when their caller hangs up', async () => {
    const hangUp = new AbortController();
    const running = new Children().run(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")'], {
      ...quiet,
      signal: hangUp.signal,
      onStdout: () => hangUp.abort(),
    });
    expect(await running).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test('that can’t be started reject', async () => {
    await expect(new Children().run('no-such-program', [], quiet)).rejects.toThrow(/ENOENT/);
  });
});
