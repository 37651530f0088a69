import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';

import type { RunRequest } from '@pulumi/pulumi/proto/language_pb';

import { decode } from '../shared/values';
import type { PropertyMap } from '../shared/values';
import type { Children, Ending } from './children';
import { preload } from './preload';

/** The SDK's exit code for "the error was already shown": nothing more is to be said. */
const ALREADY_REPORTED = 32;

/** How a program ended. `bail`: it failed and has told why. */
export interface Outcome {
  readonly error: string;
  readonly bail: boolean;
}

/** The `runtime.options` of Pulumi.yaml. */
export interface RuntimeOptions {
  /** Arguments for Node itself, as in `--max-old-space-size=4096`. */
  readonly nodeargs: readonly string[];
  /** Whether the SDK registers ts-node. @default true */
  readonly typescript: boolean;
  /** Path of a tsconfig file. @default tsconfig.json beside Pulumi.yaml */
  readonly tsconfig: string | undefined;
  /** @default npm */
  readonly packagemanager: string;
}

/** Splits a command line as a shell would, quotes included and nothing else. */
export function splitArguments(line: string): readonly string[] {
  const words = line.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, a?: string, b?: string) => a ?? b ?? ''));
}

/** Reads the options; a value of the wrong type counts as absent, as in the vendor's host. */
export function runtimeOptions(options: PropertyMap): RuntimeOptions {
  const { nodeargs, typescript, tsconfig, packagemanager } = options;
  return {
    nodeargs: typeof nodeargs === 'string' ? splitArguments(nodeargs) : [],
    typescript: typescript !== false && typescript !== 'false',
    tsconfig: typeof tsconfig === 'string' ? tsconfig : undefined,
    packagemanager: typeof packagemanager === 'string' && packagemanager !== '' ? packagemanager : 'npm',
  };
}

/** An entry of the SDK that the program itself has installed, or undefined where it has none. */
export function sdkEntry(program: string, entry: 'run' | 'run-plugin' | 'run-policy-pack'): string | undefined {
  try {
    return createRequire(path.join(program, 'noop.js')).resolve(`@pulumi/pulumi/cmd/${entry}`);
  } catch {
    return undefined;
  }
}

/** The arguments of `cmd/run`, the program and its own arguments last. */
export function runArguments(request: RunRequest, engine: string | undefined): string[] {
  const info = request.getInfo();
  const values: readonly (readonly [string, string | undefined])[] = [
    ['monitor', request.getMonitorAddress()],
    ['engine', engine],
    ['organization', request.getOrganization()],
    ['project', request.getProject()],
    ['root-directory', info?.getRootDirectory()],
    ['stack', request.getStack()],
    ['pwd', request.getPwd()],
    ['parallel', String(request.getParallel())],
  ];
  const options = values.flatMap(([name, value]) => (value ? [`--${name}`, value] : []));
  if (request.getDryrun()) options.push('--dry-run');
  const entry = info?.getEntryPoint() || request.getProgram() || '.';
  return [...options, entry, ...request.getArgsList()];
}

/** The configuration as the SDK reads it from the environment: a JSON object and a JSON list of the secret keys. */
export function configEnvironment(request: RunRequest): Record<string, string> {
  const config: Record<string, string> = {};
  request.getConfigMap().forEach((value, key) => (config[key] = value));
  return {
    PULUMI_CONFIG: JSON.stringify(config),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
  };
}

/** What the engine shows of a program that ended by itself. */
export function outcome({ code, signal }: Ending): Outcome {
  if (code === 0) return { error: '', bail: false };
  if (code === ALREADY_REPORTED) return { error: '', bail: true };
  if (signal !== null) return { error: `Program was ended by ${signal}`, bail: false };
  return { error: `Program exited with non-zero exit code: ${code}`, bail: false };
}

/** Runs the program against the engine's monitor and resolves when it has ended. */
export async function runProgram(
  request: RunRequest,
  engine: string | undefined,
  children: Children,
): Promise<Outcome> {
  const info = request.getInfo();
  const directory = info?.getProgramDirectory() || request.getPwd();
  const run = sdkEntry(directory, 'run');
  if (run === undefined) {
    const fix = fs.existsSync(path.join(directory, 'package-lock.json')) ? 'npm ci' : 'npm install';
    return { error: `The Pulumi SDK is not installed in ${directory}\n  To mend it: ${fix}`, bail: false };
  }
  if (request.getAttachDebugger()) {
    return {
      error: 'This language host attaches no debugger. Set nodeargs: --inspect-brk in Pulumi.yaml.',
      bail: false,
    };
  }
  const options = runtimeOptions(decode(info?.getOptions()));
  const ending = await children.run(
    process.execPath,
    [preload(run), ...options.nodeargs, run, ...runArguments(request, engine)],
    {
      cwd: request.getPwd() || directory,
      env: {
        ...process.env,
        ...configEnvironment(request),
        PULUMI_NODEJS_TYPESCRIPT: String(options.typescript),
        ...(options.tsconfig !== undefined && { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig }),
      },
      onStdout: (chunk) => process.stdout.write(chunk),
      onStderr: (chunk) => process.stderr.write(chunk),
    },
  );
  return outcome(ending);
}
