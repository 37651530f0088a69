import { cacheDir, stateDir } from '../paths';
import { compareVersions, GO_FIX, GO_MINIMUM } from '../toolchain';
import { thisMachine } from './machine';
import type { Machine } from './machine';

export interface CheckResult {
  readonly ok: boolean;
  /** What was found, in one line. */
  readonly detail: string;
  /** The one command that mends it; given where there is something to mend. */
  readonly fix?: string;
}

/** One thing that a machine must have for `./trellis up`. */
export interface Check {
  readonly title: string;
  run(): Promise<CheckResult>;
}

/** A port on the host's loopback. */
export interface PortUse {
  readonly port: number;
  readonly purpose: string;
  /** No other port will do. @default false - another one is chosen and recorded */
  readonly required?: boolean;
}

export interface CheckOptions {
  /** @default - this machine */
  readonly machine?: Machine;
  /** @default DEFAULT_PORTS */
  readonly ports?: readonly PortUse[];
  /** What the clone writes. @default - its `.trellis` */
  readonly stateDir?: string;
  /** What clones share. @default - the user's cache directory */
  readonly cacheDir?: string;
}

export const DEFAULT_PORTS: readonly PortUse[] = [
  { port: 5000, purpose: 'the image registry' },
  { port: 6443, purpose: 'the API server' },
  { port: 443, purpose: 'the ingress (HTTPS)' },
  { port: 80, purpose: 'the ingress (HTTP)' },
];

const GIB = 2 ** 30;
/** Images, layers, the cluster's state and its volumes. */
const RUN_GIB = 5;
/** Building every tool left 5 GiB in Go's module cache, 9 in its build cache and 1 of programs, as measured. */
const BUILD_GIB = 15;
/** Control plane and node programs 0.8, the pods of the dev stack 1, a Go link 1.5, Pulumi and its plugins 0.5. */
const MEMORY_GIB = 3.8;
const NODE_MINIMUM = '20.19.0';

const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;

function linux({ platform }: Machine): CheckResult {
  if (platform === 'linux') return { ok: true, detail: 'Linux' };
  return {
    ok: false,
    detail: `${platform}: the local cluster needs Linux; any cluster of your own works from here, kind for one`,
    fix: 'kind create cluster',
  };
}

function rootUser({ uid }: Machine): CheckResult {
  if (uid === 0) return { ok: true, detail: 'root' };
  return {
    ok: false,
    detail: `user ${uid ?? 'unknown'}: the local cluster makes network namespaces and mounts, which needs root`,
    fix: 'sudo ./trellis up',
  };
}

function node({ nodeVersion }: Machine): CheckResult {
  if (compareVersions(nodeVersion, NODE_MINIMUM) >= 0) return { ok: true, detail: `Node ${nodeVersion}` };
  return { ok: false, detail: `Node ${nodeVersion}; ${NODE_MINIMUM} or newer is needed`, fix: 'nvm install 20' };
}

async function go(machine: Machine): Promise<CheckResult> {
  const found = await machine.go();
  if (found !== undefined && compareVersions(found.version, GO_MINIMUM) >= 0) {
    return { ok: true, detail: `Go ${found.version} (${found.command})` };
  }
  const what = found === undefined ? 'no Go' : `Go ${found.version} is older than ${GO_MINIMUM}`;
  const missing = await machine.missingTools();
  if (missing.length === 0) return { ok: true, detail: `${what}; every tool is there without it` };
  return { ok: false, detail: `${what}; it builds ${missing.join(', ')}`, fix: GO_FIX };
}

async function disk(machine: Machine, places: readonly string[]): Promise<CheckResult> {
  const needed = RUN_GIB + ((await machine.missingTools()).length === 0 ? 0 : BUILD_GIB);
  const free = places.map((place) => ({ place, ...machine.freeSpace(place) }));
  const devices = [...new Map(free.map((each) => [each.device, each])).values()];
  const short = devices.find((each) => each.bytes < needed * GIB);
  if (short === undefined) {
    return { ok: true, detail: devices.map((each) => `${gib(each.bytes)} free at ${each.place}`).join(', ') };
  }
  return {
    ok: false,
    detail: `${gib(short.bytes)} free at ${short.place}; ${needed} GiB are needed`,
    fix: 'du -xhd2 / 2>/dev/null | sort -h | tail -20   # shows what to remove; TRELLIS_CACHE_DIR moves the cache',
  };
}

function memory({ memoryBytes }: Machine): CheckResult {
  if (memoryBytes >= MEMORY_GIB * GIB) return { ok: true, detail: gib(memoryBytes) };
  return {
    ok: false,
    detail: `${gib(memoryBytes)}; 4 GiB are needed`,
    fix: 'fallocate -l 4G /swapfile && chmod 600 /swapfile && mkswap /swapfile && swapon /swapfile',
  };
}

async function port(machine: Machine, use: PortUse): Promise<CheckResult> {
  const holder = await machine.portHolder(use.port);
  if (holder === undefined) return { ok: true, detail: `free, for ${use.purpose}` };
  if (holder.own) return { ok: true, detail: `${use.purpose} of this clone` };
  const fix = holder.pid === undefined ? `ss -ltnp 'sport = :${use.port}'` : `kill ${holder.pid}`;
  const held = `held by ${holder.name}`;
  return use.required === true
    ? { ok: false, detail: `${held}; ${use.purpose} needs it`, fix }
    : { ok: true, detail: `${held}; another port is chosen for ${use.purpose}`, fix };
}

function cgroup(machine: Machine): CheckResult {
  const missing = machine.missingCgroups();
  if (missing.length === 0) return { ok: true, detail: 'all controllers are there' };
  return {
    ok: false,
    detail: `no control group for ${missing.join(', ')}; the kubelet needs them`,
    fix: 'mount -t cgroup2 none /sys/fs/cgroup',
  };
}

async function namespaces(machine: Machine): Promise<CheckResult> {
  const problem = await machine.namespaceProblem();
  if (problem === undefined) return { ok: true, detail: 'a network namespace with a veth pair can be made' };
  return {
    ok: false,
    detail: `no network namespace can be made: ${problem}`,
    fix: 'modprobe veth   # in a container: run it privileged',
  };
}

async function docker(machine: Machine): Promise<CheckResult> {
  if (await machine.dockerAnswers()) return { ok: true, detail: 'an engine answers' };
  if (machine.which('dockerd') !== undefined) return { ok: true, detail: 'a private engine is started when needed' };
  return {
    ok: false,
    detail: 'no engine answers, and there is no dockerd to start; ./trellis up installs it',
    fix: 'apt-get install --no-install-recommends docker.io',
  };
}

async function packages(machine: Machine): Promise<CheckResult> {
  const missing = machine.missingPackages(await machine.dockerAnswers());
  if (missing.length === 0) return { ok: true, detail: 'none is missing' };
  return {
    ok: false,
    detail: `missing: ${missing.join(', ')}; ./trellis up installs them`,
    fix: `apt-get install --no-install-recommends ${missing.join(' ')}`,
  };
}

async function registries(machine: Machine): Promise<CheckResult> {
  const all = await machine.packageRegistries();
  const silent = all.filter((each) => !each.answers).map((each) => each.name);
  if (silent.length === 0) return { ok: true, detail: `${all.map((each) => each.name).join(', ') || 'none asked'}` };
  const missing = await machine.missingTools();
  const detail = `no answer from ${silent.join(', ')}`;
  return missing.length === 0
    ? { ok: true, detail: `${detail}; every tool is there without` }
    : { ok: false, detail, fix: 'npm ping && go env GOPROXY   # behind a proxy: set HTTPS_PROXY' };
}

/** What `./trellis doctor` looks at, in the order in which it matters. The ones after the first need Linux. */
export function checks(options: CheckOptions = {}): readonly Check[] {
  const machine = options.machine ?? thisMachine();
  const of = (title: string, look: () => CheckResult | Promise<CheckResult>): Check => ({
    title,
    run: async () => look(),
  });
  const portable = [
    of('Operating system', () => linux(machine)),
    of('Node', () => node(machine)),
    of('Go', () => go(machine)),
    of('Disk', () => disk(machine, [options.stateDir ?? stateDir, options.cacheDir ?? cacheDir])),
    of('Memory', () => memory(machine)),
    of('Package registries', () => registries(machine)),
  ];
  if (machine.platform !== 'linux') return portable;
  return [
    ...portable,
    of('User', () => rootUser(machine)),
    of('Control groups', () => cgroup(machine)),
    of('Network namespaces', () => namespaces(machine)),
    of('Docker', () => docker(machine)),
    of('System packages', () => packages(machine)),
    ...(options.ports ?? DEFAULT_PORTS).map((use) => of(`Port ${use.port}`, () => port(machine, use))),
  ];
}
