import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { promisify } from 'node:util';

import { HOST_LINK, NETNS } from '../../../local/cluster/network';
import { root } from '../../../local/paths';
import { recordOf } from '../../../local/process';
import { ClusterTestError } from '../../support/cluster';

const run = promisify(execFile);

/** A port that is asked for. */
export interface Target {
  readonly ip: string;
  readonly port: number;
}

/** Tries every target at once and prints which of them took a TCP connection within a second and a half. */
const PROBE = `
const net = require('node:net');
const targets = JSON.parse(process.argv[1]);
Promise.all(targets.map(({ ip, port }) => new Promise((resolve) => {
  const socket = net.connect({ host: ip, port });
  const end = (open) => { socket.destroy(); resolve(open); };
  socket.setTimeout(1500, () => end(false)).on('connect', () => end(true)).on('error', () => end(false));
}))).then((open) => process.stdout.write(JSON.stringify(open)));
`;

/** Asks the cluster's DNS for a name over UDP; prints whether there was an answer. */
const RESOLVE = `
const { Resolver } = require('node:dns/promises');
const resolver = new Resolver({ timeout: 1000, tries: 1 });
resolver.setServers([process.argv[1]]);
resolver.resolve4(process.argv[2]).then(() => true, () => false).then((ok) => process.stdout.write(JSON.stringify(ok)));
`;

async function within<T>(namespace: string, script: string, ...args: string[]): Promise<T> {
  const { stdout } = await run('nsenter', [`--net=${namespace}`, process.execPath, '-e', script, '--', ...args]);
  return JSON.parse(stdout) as T;
}

/** Runs a command in the network of the node. @returns whether it succeeded */
export const runInNode = (argv: readonly string[]): Promise<boolean> =>
  run('nsenter', [`--net=/run/netns/${NETNS}`, ...argv]).then(
    () => true,
    () => false,
  );

/** Which targets take a connection that begins on the node itself; policies never hold for those. */
export const openFromNode = (targets: readonly Target[]): Promise<readonly boolean[]> =>
  within(`/run/netns/${NETNS}`, PROBE, JSON.stringify(targets));

/** The host's end of its link to the cluster. */
export async function hostAddress(): Promise<string> {
  const { stdout } = await run('ip', ['-o', '-4', 'address', 'show', 'dev', HOST_LINK]);
  const address = / inet ([\d.]+)\//.exec(stdout)?.[1];
  if (address === undefined) throw new ClusterTestError(`${HOST_LINK} has no address.`);
  return address;
}

/** Every process by its age: ids begin again at the lowest when they run out, so that a smaller one is not always older. */
function oldestFirst(): readonly number[] {
  const processes = fs.readdirSync('/proc').flatMap((entry) => {
    const record = /^\d+$/.test(entry) ? recordOf(entry, Number(entry), []) : undefined;
    return record === undefined ? [] : [record];
  });
  return processes.sort((a, b) => Number(a.startTime) - Number(b.startTime)).map(({ pid }) => pid);
}

/** The network of each pod, by its address, as its processes see it. */
export async function podNamespaces(): Promise<ReadonlyMap<string, string>> {
  const byInode = new Map<string, string>();
  for (const pid of oldestFirst()) {
    try {
      const inode = fs.readlinkSync(`/proc/${pid}/ns/net`);
      // The first process of a pod stays as long as the pod does; a probe's is gone in a moment.
      if (!byInode.has(inode)) byInode.set(inode, `/proc/${pid}/ns/net`);
    } catch {
      // It ended while the list was read.
    }
  }
  const found = await Promise.all(
    [...byInode.values()].map(async (namespace) => {
      const list = ['ip', '-o', '-4', 'address', 'show', 'scope', 'global'];
      const { stdout } = await run('nsenter', [`--net=${namespace}`, ...list]).catch(() => ({ stdout: '' }));
      return [...stdout.matchAll(/ inet (10\.244\.\d+\.\d+)\/\d+ .*eth0/g)].map(([, address = '']) => [
        address,
        namespace,
      ]);
    }),
  );
  return new Map(found.flat() as [string, string][]);
}

/** Tries connections as a pod, from inside its own network. */
export class PodNetwork {
  private constructor(private readonly namespaces: ReadonlyMap<string, string>) {}

  public static async open(): Promise<PodNetwork> {
    return new PodNetwork(await podNamespaces());
  }

  /** Which targets the pod with this address can connect to. */
  public connects(from: string, targets: readonly Target[]): Promise<readonly boolean[]> {
    return within(this.of(from), PROBE, JSON.stringify(targets));
  }

  /** Whether the pod with this address gets an answer from the cluster's DNS. */
  public resolves(from: string, name: string, server = '10.96.0.10'): Promise<boolean> {
    return within(this.of(from), RESOLVE, server, name);
  }

  private of(ip: string): string {
    const namespace = this.namespaces.get(ip);
    if (namespace === undefined) throw new ClusterTestError(`No pod on this machine has the address ${ip}.`);
    return namespace;
  }
}

const QUERY = `
const { Client } = require('pg');
const client = new Client({ connectionString: process.env.URL, ssl: { rejectUnauthorized: false } });
const first = async (text) => Object.values((await client.query(text)).rows[0])[0];
(async () => {
  await client.connect();
  const answers = [];
  for (const text of JSON.parse(process.argv[1])) answers.push(await first(text));
  await client.end();
  process.stdout.write(JSON.stringify(answers));
})();
`;

/** The first value that each query answers, asked from the node. The URL has a password, so it is no argument. */
export async function queryFromNode(url: string, queries: readonly string[]): Promise<readonly string[]> {
  const argv = [`--net=/run/netns/${NETNS}`, process.execPath, '-e', QUERY, '--', JSON.stringify(queries)];
  const { stdout } = await run('nsenter', argv, { env: { ...process.env, URL: url }, cwd: root });
  return JSON.parse(stdout) as string[];
}
