import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { build } from 'esbuild';

import { setEngineLogs } from '../../local/engine/engine-logs';
import { state } from '../../local/paths';
import { silent } from '../../local/report';
import { ensureTool } from '../../local/toolchain';

const repository = path.resolve(__dirname, '..', '..');

/** Plugin executables as the CLI looks for them, and the source that each is made of. */
const PLUGINS = {
  'pulumi-language-nodejs': 'language-nodejs',
  'pulumi-resource-kubernetes': 'kubernetes',
  'pulumi-resource-random': 'random',
  'pulumi-resource-docker': 'docker',
} as const;

const DAY_MS = 24 * 3_600_000;

let plugins: Promise<string> | undefined;

/** A folder with the plugins as their sources are now: no test runs against an older bundle. */
function pluginFolder(): Promise<string> {
  plugins ??= (async () => {
    const files = new Map<string, string>();
    for (const [name, source] of Object.entries(PLUGINS)) {
      const entry = path.join(repository, 'local/plugins', source, 'main.ts');
      const common = { bundle: true, platform: 'node', target: 'node20', logLevel: 'error', write: false } as const;
      const { outputFiles } = await build({ entryPoints: [entry], ...common });
      files.set(`${source}.js`, outputFiles[0]?.text ?? '');
      files.set(name, `#!/bin/sh\nexec '${process.execPath}' "$(dirname "$0")/${source}.js" "$@"\n`);
    }
    const hash = createHash('sha256').update(JSON.stringify([...files]));
    const folder = state('build', 'test-plugins', hash.digest('hex').slice(0, 16));
    if (!fs.existsSync(folder)) writeFolder(folder, files);
    return folder;
  })();
  return plugins;
}

/** Writes beside and renames, since suites run at the same time; drops what nobody has used for a day. */
function writeFolder(folder: string, files: ReadonlyMap<string, string>): void {
  const parent = path.dirname(folder);
  fs.mkdirSync(parent, { recursive: true });
  for (const entry of fs.readdirSync(parent)) {
    const old = path.join(parent, entry);
    const age = Date.now() - (fs.statSync(old, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > DAY_MS) fs.rmSync(old, { recursive: true, force: true });
  }
  const draft = fs.mkdtempSync(path.join(parent, '.draft-'));
  for (const [name, content] of files) fs.writeFileSync(path.join(draft, name), content, { mode: 0o755 });
  try {
    fs.renameSync(draft, folder);
  } catch (error) {
    // Another suite was faster; its folder has the same content.
    fs.rmSync(draft, { recursive: true, force: true });
    if (!fs.existsSync(folder)) throw error;
  }
}

export interface Run {
  readonly code: number;
  readonly stdout: string;
  /** Both streams, as they came. */
  readonly output: string;
}

/** One resource of an exported stack. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Record<string, unknown>;
  readonly outputs?: Record<string, unknown>;
  readonly initErrors?: readonly string[];
}

/** One step of `pulumi preview --json`. */
export interface Step {
  readonly op: string;
  readonly urn: string;
  readonly detailedDiff?: Record<string, { readonly kind: string }> | null;
  readonly replaceReasons?: readonly string[];
  readonly newState?: { readonly inputs?: Record<string, unknown>; readonly outputs?: Record<string, unknown> };
}

export interface EngineOptions {
  readonly kubeconfig?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A Pulumi project in a temporary folder: own home, file back end, passphrase and plugins; nothing of the user's.
 * Programs are plain JavaScript (`index.js`), so that no test waits for a compiler.
 */
export class Engine {
  private readonly running = new Set<ChildProcess>();

  private constructor(
    public readonly folder: string,
    private readonly cli: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  public static async create(options: EngineOptions = {}): Promise<Engine> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-engine-'));
    const [cli, bin] = await Promise.all([ensureTool('pulumi', silent), pluginFolder()]);
    for (const part of ['home', 'state']) fs.mkdirSync(path.join(folder, part));
    setEngineLogs(path.join(folder, 'home'), {});
    fs.writeFileSync(
      path.join(folder, 'Pulumi.yaml'),
      'name: test\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n',
    );
    fs.writeFileSync(path.join(folder, 'package.json'), '{"name":"test","main":"index.js"}\n');
    fs.symlinkSync(path.join(repository, 'node_modules'), path.join(folder, 'node_modules'));
    const { PATH = '', HOME = '', TMPDIR = os.tmpdir() } = process.env;
    const engine = new Engine(folder, cli, {
      PATH: [bin, path.dirname(process.execPath), ...PATH.split(path.delimiter)].join(path.delimiter),
      HOME,
      TMPDIR,
      NO_COLOR: '1',
      PULUMI_HOME: path.join(folder, 'home'),
      PULUMI_BACKEND_URL: `file://${path.join(folder, 'state')}`,
      PULUMI_CONFIG_PASSPHRASE: 'test',
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
      PULUMI_ERROR_OUTPUT_STRING: 'true',
      KUBECONFIG: options.kubeconfig ?? path.join(folder, 'no-kubeconfig'),
      ...options.env,
    });
    await engine.ok('stack', 'init', 'test');
    return engine;
  }

  /** What the CLI of this clone needs to work on the project. */
  public get prepared(): { readonly pulumi: string; readonly folder: string; readonly env: Record<string, string> } {
    const env = Object.entries(this.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    );
    return { pulumi: this.cli, folder: this.folder, env: Object.fromEntries(env) };
  }

  /** Sets the program. `k8s`, `pulumi` and `random` are there; so is `provider`, with ConfigMaps and Secrets mutable. */
  public program(body: string, providerArgs = 'enableConfigMapMutable: true, enableSecretMutable: true'): void {
    const source = `
const pulumi = require('@pulumi/pulumi');
const k8s = require('@pulumi/kubernetes');
const random = require('@pulumi/random');
const provider = new k8s.Provider('cluster', { ${providerArgs} });
const opts = { provider };
module.exports = (async () => { ${body} })();
`;
    fs.writeFileSync(path.join(this.folder, 'index.js'), source);
  }

  /** Starts the CLI; `exited` settles with its end. */
  public start(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): { readonly child: ChildProcess; readonly exited: Promise<Run>; readonly seen: () => string } {
    const child = spawn(this.cli, [...args, '--non-interactive'], {
      cwd: this.folder,
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.running.add(child);
    let [stdout, output] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const exited = new Promise<Run>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        this.running.delete(child);
        resolve({ code: code ?? -1, stdout, output });
      });
    });
    return { child, exited, seen: () => output };
  }

  public run(...args: readonly string[]): Promise<Run> {
    return this.start(args).exited;
  }

  /** Runs the CLI and throws its output where it fails. */
  public async ok(...args: readonly string[]): Promise<Run> {
    const run = await this.run(...args);
    if (run.code !== 0) throw new EngineError(args, run);
    return run;
  }

  public async up(...args: readonly string[]): Promise<Run> {
    return this.ok('up', '--yes', '--skip-preview', ...args);
  }

  /** Steps of a preview, without those that change nothing: what stays, and what is only read. */
  public async steps(): Promise<readonly Step[]> {
    const { stdout } = await this.ok('preview', '--json');
    const { steps } = JSON.parse(stdout) as { steps?: readonly Step[] };
    return (steps ?? []).filter((step) => step.op !== 'same' && step.op !== 'read');
  }

  /** What the stack's state holds; secrets encrypted. */
  public async resources(): Promise<readonly StateResource[]> {
    const { stdout } = await this.ok('stack', 'export');
    const state = JSON.parse(stdout) as { deployment: { resources?: readonly StateResource[] } };
    return state.deployment.resources ?? [];
  }

  /** Files below the project's folder, plugins aside, that hold a text. */
  public filesWith(needle: string): readonly string[] {
    const look = (folder: string): string[] =>
      fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const file = path.join(folder, entry.name);
        if (entry.isSymbolicLink() || entry.name === 'index.js') return [];
        if (entry.isDirectory()) return look(file);
        return entry.isFile() && fs.readFileSync(file).includes(needle) ? [path.relative(this.folder, file)] : [];
      });
    return look(this.folder);
  }

  public async dispose(): Promise<void> {
    for (const child of this.running) child.kill('SIGKILL');
    await Promise.all([...this.running].map((child) => new Promise((resolve) => child.on('close', resolve))));
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The CLI failed where a test expected it not to. */
export class EngineError extends Error {
  public constructor(args: readonly string[], run: Run) {
    super(`pulumi ${args.join(' ')} ended with ${run.code}:\n${run.output}`);
    this.name = 'EngineError';
  }
}
