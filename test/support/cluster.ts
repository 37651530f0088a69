import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { V1Pod } from '@kubernetes/client-node';

import { clusterInfo } from '../../local/cluster';
import type { ClusterInfo } from '../../local/cluster';
import { root } from '../../local/paths';
import { Client } from '../../local/plugins/kubernetes/client';
import type { Call } from '../../local/plugins/kubernetes/client';
import { ApiError } from '../../local/plugins/kubernetes/errors';
import { connection } from '../../local/plugins/kubernetes/kubeconfig';

/** Namespace of NoodleCore's dev stack. */
export const NAMESPACE = 'noodle-core-dev';
/** The runtime's public host. */
export const HOST = 'noodle.trellis.localhost';

/** What a test waited for did not come, or a command failed where it must not. */
export class ClusterTestError extends Error {
  public constructor(message: string) {
    super(message);
    this.name = 'ClusterTestError';
  }
}

/**
 * Asks again and again until there is an answer; an error counts as none yet.
 *
 * @param seconds how long, on a machine that may be busy
 * @throws ClusterTestError with the last error
 */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 120,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (let last: unknown; ;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) {
      const why = last === undefined ? '' : `; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`;
      throw new ClusterTestError(`${what}: not within ${seconds} s${why}`);
    }
    await sleep(250);
  }
}

/** How this clone's cluster is reached. */
export function info(): ClusterInfo {
  const found = clusterInfo();
  if (found === undefined) throw new ClusterTestError('There is no local cluster: run ./trellis up first.');
  return found;
}

/** The API of the local cluster, with administrator's rights. Paths start at the server's root. */
export class Cluster {
  private readonly client = new Client(connection({ kubeconfig: info().kubeconfig, context: 'trellis-dev' }));

  public get<T>(url: string): Promise<T> {
    return this.client.json<T>({ method: 'GET', path: url });
  }

  /** An answer that is no object, such as a log. */
  public async text(url: string): Promise<string> {
    return (await this.client.send({ method: 'GET', path: url })).text;
  }

  /** The object; undefined where there is none. */
  public find<T>(url: string): Promise<T | undefined> {
    return this.get<T>(url).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    });
  }

  public async list<T>(url: string): Promise<readonly T[]> {
    return (await this.get<{ readonly items: readonly T[] }>(url)).items;
  }

  public send(call: Call): Promise<unknown> {
    return this.client.json(call);
  }

  public create(url: string, body: unknown): Promise<unknown> {
    return this.send({ method: 'POST', path: url, body });
  }

  /** What `kubectl edit` does, with a merge patch; any other manager is somebody else. */
  public edit(url: string, body: unknown, manager = 'kubectl-edit'): Promise<unknown> {
    const contentType = 'application/merge-patch+json';
    return this.send({ method: 'PATCH', path: `${url}?fieldManager=${manager}`, body, contentType });
  }

  /** Deletes an object, or begins to; one that is gone already is what was wanted. */
  public async remove(url: string, propagationPolicy = 'Background'): Promise<void> {
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy };
    await this.send({ method: 'DELETE', path: url, body }).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.code === 404)) throw error;
    });
  }

  /** Pods of the dev stack, those of Jobs and those that are ending aside. */
  public async pods(selector = ''): Promise<readonly V1Pod[]> {
    const url = `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=${encodeURIComponent(selector)}`;
    const all = await this.list<V1Pod>(url);
    return all.filter(({ metadata }) => {
      const ofJob = metadata?.ownerReferences?.some(({ kind }) => kind === 'Job') ?? false;
      return !ofJob && metadata?.deletionTimestamp === undefined;
    });
  }

  /** Waits until every pod of the stack is Ready and the service answers; what a test may leave behind. */
  public async healthy(seconds = 240): Promise<void> {
    await until(
      'every pod of the dev stack Ready',
      async () => {
        const pods = await this.pods();
        const names = ['noodle-runtime', 'postgres', 'redis'];
        const there = names.every((name) =>
          pods.some((pod) => pod.metadata?.labels?.['app.kubernetes.io/name'] === name),
        );
        return there && pods.every(isReady);
      },
      seconds,
    );
    await until(`https://${HOST}/ready`, async () => (await request('/ready')).status === 200, seconds);
  }
}

export const isReady = (pod: V1Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

/** Decoded values of every Secret of the dev stack. */
export async function secretValues(cluster: Cluster): Promise<readonly string[]> {
  const url = `/api/v1/namespaces/${NAMESPACE}/secrets`;
  const secrets = await cluster.list<{ readonly data?: Readonly<Record<string, string>> }>(url);
  return secrets.flatMap(({ data }) =>
    Object.values(data ?? {}).map((value) => Buffer.from(value, 'base64').toString()),
  );
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

/**
 * One request to the ingress, as `curl --cacert` sends it: the certificate is verified for the host's name. Every name below
 * `localhost` is this machine (RFC 6761), whatever its resolver says.
 *
 * @param target a path of the runtime's HTTPS address, or a whole URL
 */
export function request(target: string, options: RequestOptions = {}): Promise<Answer> {
  const { httpsPort, caFile } = info();
  const url = new URL(target, `https://${HOST}:${httpsPort}`);
  const payload = options.json === undefined ? undefined : JSON.stringify(options.json);
  const type = payload === undefined ? {} : { 'content-type': 'application/json' };
  const settings: https.RequestOptions = {
    method: options.method ?? 'GET',
    headers: { ...type, ...options.headers },
    agent: false,
    timeout: 10_000,
    family: 4,
    lookup: (_name, asked, done) =>
      asked.all === true ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4),
    ...(url.protocol === 'https:' ? { ca: fs.readFileSync(caFile) } : {}),
  };
  return new Promise((resolve, reject) => {
    const call = (url.protocol === 'https:' ? https : http).request(url, settings, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    call.on('timeout', () => call.destroy(new ClusterTestError(`${url.href} does not answer`)));
    call.on('error', reject);
    call.end(payload);
  });
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  /** Both streams, as they came. */
  readonly output: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly exited: Promise<Outcome>;
  /** Both streams so far. */
  readonly seen: () => string;
}

const running = new Set<ChildProcess>();

/** Starts a command in the clone, without a terminal. */
export function start(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let [stdout, output] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    output += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const exited = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      running.delete(child);
      resolve({ code: code ?? -1, stdout, output });
    });
  });
  return { child, exited, seen: () => output };
}

/** Starts `./trellis` with some arguments. */
export const startTrellis = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Started =>
  start([path.join(root, 'trellis'), ...args], env);

/** Runs `./trellis`, and throws its output where it fails. */
export async function trellis(...args: readonly string[]): Promise<Outcome> {
  return succeeded(`./trellis ${args.join(' ')}`, await startTrellis(args).exited);
}

let shell: Promise<NodeJS.ProcessEnv> | undefined;

/** The environment of a shell after `eval "$(./trellis env)"`. */
export function shellEnvironment(): Promise<NodeJS.ProcessEnv> {
  shell ??= (async () => {
    const script = 'printed=$(./trellis env) && eval "$printed" && exec env -0';
    const { stdout } = succeeded('./trellis env', await start(['sh', '-c', script]).exited);
    const lines = stdout.split('\0').filter((line) => line.includes('='));
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  })();
  return shell;
}

/** Runs plain `pulumi` in the shell of {@link shellEnvironment}, whatever comes of it. */
export async function runPulumi(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  // Through a shell: it looks `pulumi` up in the PATH that it was given, as a user's does.
  const argv = ['sh', '-c', 'exec pulumi "$@"', 'sh', ...args, '--non-interactive'];
  return start(argv, { ...(await shellEnvironment()), ...env }).exited;
}

/** Runs plain `pulumi`, and throws its output where it fails. */
export async function pulumi(...args: readonly string[]): Promise<Outcome> {
  return succeeded(`pulumi ${args.join(' ')}`, await runPulumi(args));
}

function succeeded(what: string, outcome: Outcome): Outcome {
  if (outcome.code === 0) return outcome;
  throw new ClusterTestError(`${what} ended with ${outcome.code}:\n${outcome.output}`);
}

/** Ends what a failed test left running. */
export async function endCommands(): Promise<void> {
  const left = [...running];
  for (const child of left) child.kill('SIGTERM');
  await Promise.all(left.map((child) => new Promise((resolve) => child.once('close', resolve))));
}
