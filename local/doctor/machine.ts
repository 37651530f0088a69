import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { usersEngine } from '../docker';
import { root } from '../paths';
import { MARK } from '../process';
import { missingPackages } from '../system';
import { run } from '../system/run';
import { which } from '../system/which';
import { findGo, missingTools, TOOLS } from '../toolchain';

/** Who listens on a port. */
export interface PortHolder {
  /** In words: "nginx (process 12)". */
  readonly name: string;
  readonly pid: number | undefined;
  /** Whether it is a process of this clone. */
  readonly own: boolean;
}

export interface PackageRegistry {
  readonly name: string;
  readonly answers: boolean;
}

/** What the checks look at; a test gives its own. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  /** User id; none where there is no such thing. */
  readonly uid: number | undefined;
  /** `x.y.z`. */
  readonly nodeVersion: string;
  go(): Promise<{ readonly command: string; readonly version: string } | undefined>;
  /** Names of the tools that are neither on PATH nor in the cache. */
  missingTools(): Promise<readonly string[]>;
  /** Free for this user on the file system that holds, or would hold, a path; and which file system that is. */
  freeSpace(path: string): { readonly bytes: number; readonly device: number };
  /** What processes here may use, in bytes. */
  readonly memoryBytes: number;
  portHolder(port: number): Promise<PortHolder | undefined>;
  /** Control groups that the kubelet needs and that are not there. */
  missingCgroups(): readonly string[];
  /** What the kernel said when a network namespace with a veth pair was tried; nothing where it worked. */
  namespaceProblem(): Promise<string | undefined>;
  /** Whether a Docker engine of the user's answers. */
  dockerAnswers(): Promise<boolean>;
  which(program: string): string | undefined;
  missingPackages(engineAnswers: boolean): readonly string[];
  packageRegistries(): Promise<readonly PackageRegistry[]>;
}

/** The nearest directory above that exists. */
function existing(target: string): string {
  return fs.existsSync(target) ? target : existing(path.dirname(target));
}

function freeSpace(target: string): { bytes: number; device: number } {
  const directory = existing(target);
  const { bavail, bsize } = fs.statfsSync(directory);
  return { bytes: bavail * bsize, device: fs.statSync(directory).dev };
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(false)));
  });

function isOwn(pid: number): boolean {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${MARK}=${root}`);
  } catch {
    return false;
  }
}

async function portHolder(port: number): Promise<PortHolder | undefined> {
  if (!(await listens(port))) return undefined;
  const { stdout } = await run(['ss', '-Hltnp', `sport = :${port}`]);
  const found = /\("([^"]+)",pid=(\d+)/.exec(stdout);
  if (found === null) return { name: 'another program', pid: undefined, own: false };
  const pid = Number(found[2]);
  return { name: `${found[1]} (process ${pid})`, pid, own: isOwn(pid) };
}

/** Version 2 has one tree that lists its controllers, version 1 a tree for each. */
export function missingCgroups(base = '/sys/fs/cgroup'): readonly string[] {
  const unified = path.join(base, 'cgroup.controllers');
  if (fs.existsSync(unified)) {
    const controllers = fs.readFileSync(unified, 'utf8').trim().split(/\s+/);
    return ['cpu', 'cpuset', 'memory', 'pids'].filter((name) => !controllers.includes(name));
  }
  return ['cpu', 'cpuacct', 'cpuset', 'memory', 'pids', 'devices', 'freezer', 'blkio'].filter(
    (name) => !fs.existsSync(path.join(base, name)),
  );
}

/** Tried in a namespace that lives as long as the command. */
async function namespaceProblem(): Promise<string | undefined> {
  const pair = which('ip') === undefined ? 'true' : 'ip link add trellis0 type veth peer name trellis1';
  const { code, stderr } = await run(['unshare', '--net', 'sh', '-c', pair], { timeoutMs: 10_000 });
  return code === 0 ? undefined : stderr.trim() || `unshare ended with code ${code}`;
}

async function answers(url: string): Promise<boolean> {
  try {
    // Any answer at all shows that the way is open.
    await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(5_000) });
    return true;
  } catch {
    return false;
  }
}

/** Where npm and Go fetch from here, as they are configured. Debian's is asked by `apt-get update`, when it is needed. */
async function packageRegistries(): Promise<readonly PackageRegistry[]> {
  const options = { timeoutMs: 15_000, cwd: root };
  const npm = await run(['npm', 'config', 'get', 'registry', '--silent'], options);
  const go = await findGo();
  const proxy = go === undefined ? '' : (await run([go.command, 'env', 'GOPROXY'], options)).stdout;
  const urls = [
    { name: 'npm', url: npm.stdout.trim() },
    { name: 'Go modules', url: proxy.trim().split(/[,|]/)[0] ?? '' },
  ];
  const known = urls.filter(({ url }) => /^https?:/.test(url));
  return Promise.all(known.map(async ({ name, url }) => ({ name, answers: await answers(url) })));
}

export function thisMachine(): Machine {
  const limit = process.constrainedMemory();
  return {
    platform: process.platform,
    uid: process.getuid?.(),
    nodeVersion: process.versions.node,
    go: () => findGo(),
    missingTools: async () => (await missingTools([...TOOLS.keys()])).map((tool) => tool.name),
    freeSpace,
    // Without a limit Node gives 0 or a number beyond any machine.
    memoryBytes: limit > 0 ? Math.min(os.totalmem(), limit) : os.totalmem(),
    portHolder,
    missingCgroups: () => missingCgroups(),
    namespaceProblem,
    dockerAnswers: async () => (await usersEngine()) !== undefined,
    which,
    missingPackages: (engineAnswers) =>
      missingPackages({ engineAnswers })
        .filter((each) => each.optional !== true)
        .map((each) => each.name),
    packageRegistries,
  };
}
