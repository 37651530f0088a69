import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { clusterInfo } from '../cluster/info';
import { dockerLayout } from '../docker';
import { LocalError } from '../errors';
import { isAlive, readRecord } from '../process';
import { setEngineLogs } from './engine-logs';
import {
  contextOf,
  contextsIn,
  engineFiles,
  own,
  ownBackend,
  ownKubeconfigs,
  ownPassphrase,
  stacks,
  type Environment,
} from './owner';

export interface EngineOptions {
  /** @default process.env */
  readonly environment?: Environment;
  /** `unix://` address of this clone's own Docker engine. @default - its address where it runs, else the user's Docker */
  readonly dockerHost?: string;
  /** The plugins came from here, so the CLI shall not look for others on the network. @default false */
  readonly embeddedPlugins?: boolean;
}

/**
 * The file that holds this clone's passphrase: 32 random bytes as 64 hexadecimal digits, readable by its owner only, made once.
 *
 * @throws LocalError where it exists and is empty, since making another would lock the stacks' secrets away
 */
export function ensurePassphrase(file: string = engineFiles.passphrase): string {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  if (!fs.existsSync(file)) {
    fs.writeFileSync(temporary, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
    try {
      fs.linkSync(temporary, file); // Fails where another process was first: there is ever only one passphrase.
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      fs.rmSync(temporary, { force: true });
    }
  }
  if (fs.readFileSync(file, 'utf8').trim() === '')
    throw new LocalError(`${file} is empty; it held the passphrase of this clone's stacks.`, {
      fix: 'restore it from a backup, or start anew with ./trellis down --purge',
    });
  return file;
}

/** The clone's own folder of programs first, those of other clones nowhere. */
function searchPath(environment: Environment): string {
  const others = (environment.PATH ?? '/usr/local/bin:/usr/bin:/bin')
    .split(path.delimiter)
    .filter((folder) => folder !== '' && !/\/\.trellis\/bin\/?$/.test(folder));
  return [engineFiles.bin, ...others].join(path.delimiter);
}

/** The user's kubeconfigs come first where one of them has a context that a stack names; else only the local cluster's is read. */
function kubeconfig(environment: Environment): string {
  const files = ownKubeconfigs(environment);
  const offered = files.flatMap(contextsIn);
  // The stacks' files are read only where it matters: that takes a quarter of a second.
  const wanted = offered.length > 0 && stacks.some((stack) => offered.includes(contextOf(stack)));
  return (wanted ? [...files, engineFiles.kubeconfig] : [engineFiles.kubeconfig]).join(path.delimiter);
}

/** Address of the Docker engine that this clone runs; undefined where it runs none. */
function privateDocker(): string | undefined {
  const { recordFile, socket } = dockerLayout();
  const record = readRecord(recordFile);
  return record !== undefined && isAlive(record) ? `unix://${socket}` : undefined;
}

/**
 * What Pulumi and the program need in their environment, beside what is set already. A user's own backend, login,
 * passphrase and kubeconfig are left as they are.
 */
export function engineEnv(options: EngineOptions = {}): Promise<Record<string, string>> {
  const environment = options.environment ?? process.env;
  const variables: Record<string, string> = {
    PATH: searchPath(environment),
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    PULUMI_ERROR_OUTPUT_STRING: 'true',
    KUBECONFIG: kubeconfig(environment),
  };
  if (ownBackend(environment) === undefined) {
    fs.mkdirSync(engineFiles.backend, { recursive: true, mode: 0o700 });
    const home = own(environment, 'PULUMI_HOME');
    if (home === undefined) setEngineLogs(engineFiles.home, environment);
    variables.PULUMI_HOME = home ?? engineFiles.home;
    variables.PULUMI_BACKEND_URL = `file://${engineFiles.backend}`;
    // A configuration file that lost its salt takes it from the state again, instead of a second one that fits nothing.
    variables.PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER = 'true';
    if (!ownPassphrase(environment)) variables.PULUMI_CONFIG_PASSPHRASE_FILE = ensurePassphrase();
  }
  if (options.embeddedPlugins === true) variables.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION = 'true';
  const dockerHost = options.dockerHost ?? privateDocker();
  if (dockerHost !== undefined && own(environment, 'DOCKER_HOST') === undefined)
    Object.assign(variables, { DOCKER_HOST: dockerHost, DOCKER_BUILDKIT: '0' });
  const cluster = clusterInfo();
  if (cluster !== undefined && cluster.registryHost !== cluster.registry) {
    variables.TRELLIS_REGISTRY_ALIAS = `${cluster.registry}=${cluster.registryHost}`;
  }
  return Promise.resolve(variables);
}

/** `export` lines that a POSIX shell evaluates to the very same values, whatever they hold. */
export function exportLines(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new LocalError(`${name} can't be the name of a variable.`);
      if (value.includes('\0')) throw new LocalError(`${name} holds a NUL character, which no shell can export.`);
      return `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'\n`;
    })
    .join('');
}

/** Makes a program reachable as `name` in the clone's own folder of programs. */
export function linkProgram(name: string, program: string, folder: string = engineFiles.bin): void {
  const link = path.join(folder, name);
  if (path.resolve(program) === link) return;
  fs.mkdirSync(folder, { recursive: true });
  if (fs.existsSync(link) && fs.realpathSync(link) === fs.realpathSync(program)) return;
  const temporary = `${link}.${process.pid}.tmp`;
  fs.rmSync(temporary, { force: true });
  fs.symlinkSync(program, temporary);
  fs.renameSync(temporary, link);
}
