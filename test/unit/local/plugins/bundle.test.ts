import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ensurePlugins, PLUGIN_NAMES } from '../../../../local/plugins';
import type { PluginName, Plugins } from '../../../../local/plugins';
import { bundleKey, bundlePlugins, EMBEDDED } from '../../../../local/plugins/bundle';
import { state } from '../../../../local/paths';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-bundle-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

describe('bundles', () => {
  let sources: string;
  let lockfile: string;
  const reported: string[] = [];
  const bundle = (): Promise<string> =>
    bundlePlugins({ sources, lockfile, target: path.join(directory, 'target'), report: (line) => reported.push(line) });
  beforeEach(() => {
    sources = path.join(directory, 'local', 'plugins');
    lockfile = path.join(directory, 'package-lock.json');
    reported.length = 0;
    fs.writeFileSync(lockfile, '{}');
    for (const folder of Object.values(EMBEDDED)) {
      fs.mkdirSync(path.join(sources, folder), { recursive: true });
      fs.writeFileSync(path.join(sources, folder, 'main.ts'), `const said: string = '${folder}'; console.log(said);`);
    }
  });

  test('are one file each that runs, and are made once', async () => {
    const folder = await bundle();
    const out = spawnSync(process.execPath, [path.join(folder, 'pulumi-resource-random.js')], {
      encoding: 'utf8',
    }).stdout;
    expect(out).toBe('random\n');
    expect(fs.readdirSync(folder).sort()).toEqual(PLUGIN_NAMES.map((name) => `${name}.js`).sort());
    expect(await bundle()).toBe(folder);
    expect(reported).toHaveLength(1);
  });

  test('are made again when a source or the lockfile changes, and the old ones go', async () => {
    const first = await bundle();
    fs.appendFileSync(path.join(sources, 'random', 'main.ts'), '\n// changed');
    const second = await bundle();
    expect(second).not.toBe(first);
    expect(fs.existsSync(first)).toBe(false);
    fs.writeFileSync(lockfile, '{ }');
    expect(path.join(directory, 'target', bundleKey(sources, lockfile))).not.toBe(second);
  });

  test('that don’t build are an error that names the place, and leave nothing', async () => {
    fs.writeFileSync(path.join(sources, 'docker', 'main.ts'), 'const = 1;');
    await expect(bundle()).rejects.toThrow(/docker\/main.ts:1.*To mend it: npm ci/s);
    expect(fs.readdirSync(path.join(directory, 'target')).filter((name) => !name.startsWith('.'))).toEqual([]);
  });
});

describe('plugins are placed', () => {
  // A home below the clone's own state is the clone's own.
  const home = state('test', `home-${process.pid}`);
  const reported: string[] = [];
  const ensure = (vendors: Partial<Record<PluginName, string>>, pulumiHome = home): Promise<Plugins> =>
    ensurePlugins((line) => reported.push(line), {
      pulumiHome,
      binDir: path.join(directory, 'bin'),
      searchPath: [path.join(directory, 'on-path')],
      vendorPlugin: (name) => Promise.resolve(vendors[name]),
      bundle: () => Promise.resolve('/bundles'),
    });
  const placed = (folder: string): string[] =>
    fs.existsSync(folder)
      ? fs
          .readdirSync(folder, { recursive: true, encoding: 'utf8' })
          .filter((file) => path.basename(file).startsWith('pulumi-'))
          .sort()
      : [];
  beforeEach(() => {
    reported.length = 0;
  });
  afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

  test('in the clone’s own home, where the CLI looks without a word, in the versions of the SDKs', async () => {
    const { embedded } = await ensure({});
    expect(embedded).toEqual(PLUGIN_NAMES);
    const version = (sdk: string): string =>
      (JSON.parse(fs.readFileSync(`node_modules/@pulumi/${sdk}/package.json`, 'utf8')) as { version: string }).version;
    expect(placed(path.join(home, 'plugins'))).toEqual([
      `language-nodejs-v${version('pulumi')}/pulumi-language-nodejs`,
      `resource-docker-v${version('docker')}/pulumi-resource-docker`,
      `resource-kubernetes-v${version('kubernetes')}/pulumi-resource-kubernetes`,
      `resource-random-v${version('random')}/pulumi-resource-random`,
    ]);
    expect(placed(path.join(directory, 'bin'))).toEqual([]);
    expect(reported).toEqual(['plugins: embedded language-nodejs, kubernetes, random, docker']);
  });

  test('on PATH for a user’s own home, which is left alone', async () => {
    const own = path.join(directory, 'user-home');
    const { binDir } = await ensure({}, own);
    expect(placed(binDir)).toEqual([...PLUGIN_NAMES].sort());
    expect(fs.existsSync(own)).toBe(false);
    await ensure({});
    expect(placed(binDir)).toEqual([]);
  });

  test('the user’s own wins: one on PATH needs nothing, one elsewhere gets an executable that runs it', async () => {
    await ensure({});
    const elsewhere = path.join(directory, "it's elsewhere", 'pulumi-resource-random');
    fs.mkdirSync(path.dirname(elsewhere));
    fs.writeFileSync(elsewhere, '#!/bin/sh\necho "vendor $1"\n', { mode: 0o755 });
    const onPath = path.join(directory, 'on-path', 'pulumi-resource-docker');
    const { embedded } = await ensure({ 'pulumi-resource-random': elsewhere, 'pulumi-resource-docker': onPath });
    expect(embedded).toEqual(['pulumi-language-nodejs', 'pulumi-resource-kubernetes']);
    const left = placed(path.join(home, 'plugins'));
    expect(left.some((file) => file.includes('docker'))).toBe(false);
    const random = left.find((file) => file.includes('random')) ?? '';
    expect(spawnSync(path.join(home, 'plugins', random), ['x'], { encoding: 'utf8' }).stdout).toBe('vendor x\n');
  });

  test('one that was installed into the clone’s home stays', async () => {
    const { version } = JSON.parse(fs.readFileSync('node_modules/@pulumi/random/package.json', 'utf8')) as {
      version: string;
    };
    const installed = path.join(home, 'plugins', `resource-random-v${version}`, 'pulumi-resource-random');
    fs.mkdirSync(path.dirname(installed), { recursive: true });
    fs.writeFileSync(installed, 'the vendor’s');
    expect((await ensure({})).embedded).not.toContain('pulumi-resource-random');
    expect(fs.readFileSync(installed, 'utf8')).toBe('the vendor’s');
  });

  test('one of an earlier SDK version goes', async () => {
    await ensure({});
    const plugins = path.join(home, 'plugins');
    const current = placed(plugins).find((file) => file.includes('random')) ?? '';
    fs.cpSync(path.join(plugins, path.dirname(current)), path.join(plugins, 'resource-random-v0.0.1'), {
      recursive: true,
    });
    await ensure({});
    expect(fs.existsSync(path.join(plugins, 'resource-random-v0.0.1'))).toBe(false);
  });
});
