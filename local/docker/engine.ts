import * as fs from 'node:fs';
import * as http from 'node:http';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from '../errors';
import { isAlive, ownProcesses, readRecord, startDetached, stop, stopRecorded, tail, writeAtomic } from '../process';
import type { ProcessRecord } from '../process';
import type { Report } from '../report';
import { withLock } from '../system/lock';
import { removeIfEmpty, unmountUnder } from '../mounts';
import { runtimeDir } from '../paths';
import { run } from '../system/run';
import { executables, fullPath } from '../system/which';
import { dockerLayout } from './layout';
import type { DockerLayout } from './layout';

/** An engine that answers, and the client that talks to it. */
export interface Docker {
  /** For `DOCKER_HOST`; nothing where the client finds the user's own engine by itself. */
  readonly dockerHost: string | undefined;
  /** Path of the `docker` client. */
  readonly cli: string;
}

export interface DockerOptions {
  /** @default - under this clone's state */
  readonly layout?: DockerLayout;
  /** Where `docker` and `dockerd` are looked for. @default - PATH and the directories of system programs */
  readonly directories?: readonly string[];
  /** @default - the user that runs this process */
  readonly uid?: number | undefined;
}

const systemDirectories = (): readonly string[] => fullPath().split(path.delimiter);

const INSTALL = 'apt-get install --no-install-recommends docker.io';
const STARTUP_MS = 60_000;

/** Debian's engine has no BuildKit front end, so every build uses the legacy builder. */
export function dockerEnvironment(docker: Docker): Record<string, string> {
  return { DOCKER_BUILDKIT: '0', ...(docker.dockerHost === undefined ? {} : { DOCKER_HOST: docker.dockerHost }) };
}

/** Version of the engine that a client reaches, or nothing. */
async function answers(cli: string, dockerHost: string | undefined): Promise<string | undefined> {
  const { code, stdout } = await run([cli, 'version', '--format', '{{.Server.Version}}'], {
    ...(dockerHost === undefined ? {} : { env: { DOCKER_HOST: dockerHost } }),
    timeoutMs: 5_000,
  });
  const version = stdout.trim();
  return code === 0 && version !== '' ? version : undefined;
}

/** The first client that reaches the engine: one that is much newer than an engine refuses to talk to it. */
async function clientFor(dockerHost: string | undefined, directories: readonly string[]): Promise<string | undefined> {
  for (const cli of executables('docker', directories)) {
    if ((await answers(cli, dockerHost)) !== undefined) return cli;
  }
  return undefined;
}

/** The user's own engine, if one answers; `DOCKER_HOST` may name ours, after `eval "$(./trellis env)"`. */
export async function usersEngine(options: DockerOptions = {}): Promise<Docker | undefined> {
  const { layout = dockerLayout(), directories = systemDirectories() } = options;
  const named = process.env.DOCKER_HOST;
  if (named === `unix://${layout.socket}`) return undefined;
  const cli = await clientFor(undefined, directories);
  return cli === undefined ? undefined : { dockerHost: named, cli };
}

/** The engine's own health check, without a client. */
function ping(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ socketPath, path: '/_ping', timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}

type StorageDriver = 'overlay2' | 'vfs';

/** Its containers have no network but the host's, asked for with `--network=host`; nothing of the host is changed. */
function configuration(layout: DockerLayout, driver: StorageDriver, version: string): string {
  const settings = {
    'data-root': layout.data,
    'exec-root': layout.run,
    pidfile: path.join(layout.run, 'docker.pid'),
    hosts: [`unix://${layout.socket}`],
    'storage-driver': driver,
    bridge: 'none',
    iptables: false,
    ip6tables: false,
    // Ports that Compose publishes are served by a process, not by rules of the host's firewall.
    'userland-proxy': true,
    'log-level': 'warn',
    // 20.10 writes the key of a long gone trust scheme into /etc/docker; later versions refuse to be told where.
    ...(version.startsWith('20.') ? { 'deprecated-key-path': path.join(layout.run, 'key.json') } : {}),
  };
  return `${JSON.stringify(settings, undefined, 2)}\n`;
}

interface Daemon {
  readonly command: string;
  readonly version: string;
}

async function findDaemon(directories: readonly string[]): Promise<Daemon> {
  const command = executables('dockerd', directories)[0];
  if (command === undefined) {
    throw new LocalError('No Docker engine answers, and there is no dockerd on this machine.', { fix: INSTALL });
  }
  const { stdout } = await run([command, '--version']);
  return { command, version: /version ([\d.]+)/.exec(stdout)?.[1] ?? '' };
}

/** Starts the engine with one storage driver. @returns whether it answers; `false` where the driver doesn't work here */
async function start(layout: DockerLayout, driver: StorageDriver, { command, version }: Daemon): Promise<boolean> {
  fs.mkdirSync(layout.run, { recursive: true, mode: 0o700 });
  fs.mkdirSync(layout.data, { recursive: true, mode: 0o711 });
  fs.rmSync(path.join(layout.run, 'docker.pid'), { force: true });
  fs.rmSync(layout.socket, { force: true });
  fs.rmSync(layout.logFile, { force: true });
  writeAtomic(layout.config, configuration(layout, driver, version));
  const record = await startDetached('dockerd', [command, `--config-file=${layout.config}`], {
    logFile: layout.logFile,
    recordFile: layout.recordFile,
  });
  const deadline = Date.now() + STARTUP_MS;
  while (!(await ping(layout.socket))) {
    const said = tail(layout.logFile);
    if (!isAlive(record)) {
      await clearUp(layout);
      if (/graphdriver|driver not supported/.test(said)) return false;
      throw new LocalError(`The Docker engine ended while it started:\n${said}`, { fix: `look at ${layout.logFile}` });
    }
    if (Date.now() > deadline) {
      await stopDocker(layout);
      throw new LocalError(`The Docker engine does not answer after ${STARTUP_MS / 1000} s:\n${said}`);
    }
    await sleep(100);
  }
  return true;
}

/** What a dead engine leaves: its containerd, mounts, sockets. */
async function clearUp(layout: DockerLayout): Promise<void> {
  const belongs = (record: ProcessRecord): boolean =>
    record.argv.some((argument) => argument.includes(layout.run) || argument.includes(layout.config));
  for (const record of ownProcesses().filter(belongs)) await stop(record);
  await unmountUnder(layout.run);
  await unmountUnder(layout.data);
  fs.rmSync(layout.run, { recursive: true, force: true });
  // Where the run directory is elsewhere, this clone's own above it goes too.
  removeIfEmpty(runtimeDir());
  fs.rmSync(layout.recordFile, { force: true });
}

/** Ends the private engine and leaves no process and no mount of it. Images stay. @returns whether it was running */
export async function stopDocker(layout: DockerLayout = dockerLayout()): Promise<boolean> {
  const was = await stopRecorded(layout.recordFile, { graceMs: 20_000 });
  await clearUp(layout);
  return was;
}

async function privateEngine(layout: DockerLayout, directories: readonly string[], report: Report): Promise<void> {
  const record = readRecord(layout.recordFile);
  if (record !== undefined && isAlive(record) && (await ping(layout.socket))) return;
  const daemon = await findDaemon(directories);
  await stopDocker(layout);
  // A data root that was begun with the slow driver stays with it, or its images would be gone.
  const slow = fs.existsSync(path.join(layout.data, 'vfs'));
  report('starting a private Docker engine');
  if (!slow && (await start(layout, 'overlay2', daemon))) return;
  report('overlay2 does not work on this file system; using vfs, which is slow and takes more disk');
  if (!(await start(layout, 'vfs', daemon))) {
    throw new LocalError(`The Docker engine finds no storage driver that works:\n${tail(layout.logFile)}`);
  }
}

/**
 * An engine that answers: the user's own (`DOCKER_HOST`, the client's context or the default socket), else a private
 * one under the clone's state, started if need be.
 *
 * @throws LocalError where there is no engine and none can be started, with what it said
 */
export async function ensureDocker(report: Report, options: DockerOptions = {}): Promise<Docker> {
  const { layout = dockerLayout(), directories = systemDirectories() } = options;
  const users = await usersEngine({ layout, directories });
  if (users !== undefined) return users;
  const dockerHost = `unix://${layout.socket}`;
  const named = process.env.DOCKER_HOST;
  if (named !== undefined && named !== dockerHost) report('no engine answers at DOCKER_HOST; using a private one');
  const uid = 'uid' in options ? options.uid : process.getuid?.();
  if (uid !== 0) {
    throw new LocalError('No Docker engine answers, and only root can start one.', { fix: 'sudo ./trellis up' });
  }
  const lock = { what: 'starts the Docker engine', report };
  await withLock(`${layout.recordFile}.lock`, lock, () => privateEngine(layout, directories, report));
  const cli = await clientFor(dockerHost, directories);
  if (cli === undefined) {
    throw new LocalError('No docker client on this machine can talk to the private engine.', { fix: INSTALL });
  }
  return { dockerHost, cli };
}
