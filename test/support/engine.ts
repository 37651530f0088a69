import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { setEngineLogs } from '../../local/engine/engine-logs';
import { runOrThrow } from '../../local/process';
import { silent } from '../../local/report';
import { ensureTool } from '../../local/toolchain';
import { keptFolder, pluginFolder, repository } from './engine-folders';

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

/** What the CLI sees: the folder's own home and back end, and nothing of the user's. */
function environment(folder: string, bin: string): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR = os.tmpdir() } = process.env;
  return {
    PATH: [bin, path.dirname(process.execPath), ...PATH.split(path.delimiter)].join(path.delimiter),
    HOME,
    TMPDIR,
    NO_COLOR: '1',
    PULUMI_HOME: path.join(folder, 'home'),
    PULUMI_BACKEND_URL: `file://${path.join(folder, 'state')}`,
    // The selected stack is kept by the folder's path.
    PULUMI_STACK: 'test',
    PULUMI_CONFIG_PASSPHRASE: 'test',
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
    PULUMI_ERROR_OUTPUT_STRING: 'true',
  };
}

/** A project with an empty stack, as the CLI makes it; every test begins with a copy. */
const newStack = (cli: string, bin: string): Promise<string> =>
  keptFolder('test-stack', cli, async (folder) => {
    for (const part of ['home', 'state']) fs.mkdirSync(path.join(folder, part));
    setEngineLogs(path.join(folder, 'home'), {});
    fs.writeFileSync(
      path.join(folder, 'Pulumi.yaml'),
      'name: test\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n',
    );
    fs.writeFileSync(path.join(folder, 'package.json'), '{"name":"test","main":"index.js"}\n');
    const argv = [cli, 'stack', 'init', 'test', '--no-select', '--non-interactive'];
    await runOrThrow(argv, { cwd: folder, env: environment(folder, bin) });
  });

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
    fs.cpSync(await newStack(cli, bin), folder, { recursive: true });
    fs.symlinkSync(path.join(repository, 'node_modules'), path.join(folder, 'node_modules'));
    return new Engine(folder, cli, {
      ...environment(folder, bin),
      KUBECONFIG: options.kubeconfig ?? path.join(folder, 'no-kubeconfig'),
      ...options.env,
    });
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
// A group when it is used: all of them take as long to load as the SDK's half.
const k8s = new Proxy({}, { get: (_, name) => (name === 'Provider' ? require('@pulumi/kubernetes/provider').Provider : require('@pulumi/kubernetes/' + name)) });
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
