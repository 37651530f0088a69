import * as fs from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { LocalError } from '../errors';
import { state } from '../paths';
import type { Report } from '../report';
import { withoutServices } from './policy';
import { run, runOrThrow } from './run';
import { which } from './which';

/** A Debian package, the program by which its presence is known, and the services it would start at boot. */
export interface SystemPackage {
  readonly name: string;
  /** Name of a program, or an absolute path. */
  readonly provides: string;
  readonly why: string;
  /** systemd units that its installation enables. @default - none */
  readonly units?: readonly string[];
  /** Not needed where a Docker engine of the user's answers. @default false */
  readonly engine?: boolean;
  /** Exists in some releases only (elsewhere another package brings the program). @default false */
  readonly optional?: boolean;
}

/** What the local cluster and its images take from the system's package manager. */
export const PACKAGES: readonly SystemPackage[] = [
  { name: 'etcd-server', provides: 'etcd', why: 'the API server’s store', units: ['etcd.service'] },
  { name: 'containerd', provides: 'containerd', why: 'runs the pods', units: ['containerd.service'] },
  { name: 'runc', provides: 'runc', why: 'starts the containers' },
  { name: 'containernetworking-plugins', provides: '/usr/lib/cni/ptp', why: 'connects the pods' },
  { name: 'iptables', provides: 'iptables', why: 'Services, by kube-proxy' },
  { name: 'ipset', provides: 'ipset', why: 'NetworkPolicies' },
  { name: 'conntrack', provides: 'conntrack', why: 'Services, by kube-proxy' },
  { name: 'iproute2', provides: 'ip', why: 'the cluster’s network namespace' },
  { name: 'openssl', provides: 'openssl', why: 'the cluster’s certificates' },
  { name: 'ca-certificates', provides: '/etc/ssl/certs/ca-certificates.crt', why: 'Go fetches its modules over TLS' },
  // By its package, not by its program: the usual `busybox` has the same program, which needs a loader.
  { name: 'busybox-static', provides: '/var/lib/dpkg/info/busybox-static.list', why: 'the cluster’s smallest images' },
  { name: 'util-linux', provides: 'nsenter', why: 'the cluster’s network namespace' },
  { name: 'mount', provides: 'umount', why: 'leaves no mount behind' },
  {
    name: 'docker.io',
    provides: 'dockerd',
    why: 'builds the images',
    units: ['docker.service', 'docker.socket'],
    engine: true,
  },
  { name: 'docker-cli', provides: 'docker', why: 'builds the images', optional: true },
  { name: 'docker-registry', provides: 'docker-registry', why: 'holds the images', units: ['docker-registry.service'] },
  { name: 'mmdebstrap', provides: 'mmdebstrap', why: 'makes the base image where none can be pulled' },
];

/** What tests the alerts. */
export const ALERT_PACKAGES: readonly SystemPackage[] = [
  { name: 'prometheus', provides: 'promtool', why: 'tests the alerts', units: ['prometheus.service'] },
];

/** What the names of metrics are asked of. */
export const METRICS_PACKAGES: readonly SystemPackage[] = [
  {
    name: 'prometheus-redis-exporter',
    provides: 'prometheus-redis-exporter',
    why: 'names of Redis’ metrics',
    units: ['prometheus-redis-exporter.service'],
  },
  {
    name: 'prometheus-postgres-exporter',
    provides: 'prometheus-postgres-exporter',
    why: 'names of PostgreSQL’s metrics',
    units: ['prometheus-postgres-exporter.service'],
  },
  { name: 'redis-server', provides: 'redis-server', why: 'what its exporter asks', units: ['redis-server.service'] },
  {
    name: 'postgresql-15',
    provides: '/usr/lib/postgresql/15/bin/postgres',
    why: 'what its exporter asks',
    units: ['postgresql.service'],
  },
];

const present = (wanted: SystemPackage): boolean =>
  wanted.provides.startsWith('/') ? fs.existsSync(wanted.provides) : which(wanted.provides) !== undefined;

/** The packages whose program this machine lacks, wherever it would come from. */
export function missingPackages(
  options: { readonly engineAnswers?: boolean; readonly from?: readonly SystemPackage[] } = {},
): readonly SystemPackage[] {
  const wanted = (options.from ?? PACKAGES).filter((each) => !(each.engine === true && options.engineAnswers === true));
  return wanted.filter((each) => !present(each));
}

export interface InstallOptions {
  /** What to look for; those that are present are left alone. @default PACKAGES */
  readonly packages?: readonly SystemPackage[];
  /** Whether someone can be asked. @default - whether stdin and stdout are a terminal */
  readonly interactive?: boolean;
  /** Asks a yes-or-no question. @default - on the terminal; an empty answer means yes */
  readonly prompt?: (question: string) => Promise<boolean>;
  /** @default - the user that runs this process */
  readonly uid?: number;
  /** @default - whether there is an apt-get */
  readonly hasApt?: boolean;
  /** Fetches the package lists anew. @default - `apt-get update` */
  readonly update?: (report: Report) => Promise<void>;
}

async function askOnTerminal(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^(y(es)?)?$/i.test((await terminal.question(`${question} [Y/n] `)).trim());
  } finally {
    terminal.close();
  }
}

/** Names of the packages that apt could install now. */
async function withCandidate(names: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run(['apt-cache', 'policy', ...names], { env: { LC_ALL: 'C' } });
  // Sections look like "etcd-server:\n  Installed: (none)\n  Candidate: 3.4.23-4+b4\n …".
  const sections = stdout.split(/^(?=\S)/m);
  const found = sections.filter((section) => /^ {2}Candidate: (?!\(none\))/m.test(section));
  return found.map((section) => section.slice(0, section.indexOf(':'))).filter((name) => names.includes(name));
}

const aptLog = (): string => state('logs', 'packages.log');
const APT_OPTIONS = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0'];

async function updateLists(report: Report): Promise<void> {
  report('apt-get update');
  await runOrThrow(['apt-get', ...APT_OPTIONS, 'update'], { logFile: aptLog(), fix: 'apt-get update' });
}

/** The packages that apt can install, after one update of its lists where a candidate was missing. */
async function resolve(packages: readonly SystemPackage[], update: () => Promise<void>): Promise<readonly string[]> {
  const names = packages.map((each) => each.name);
  const required = packages.filter((each) => each.optional !== true).map((each) => each.name);
  let candidates = await withCandidate(names);
  if (!required.every((name) => candidates.includes(name))) {
    await update();
    candidates = await withCandidate(names);
  }
  const unknown = required.filter((name) => !candidates.includes(name));
  if (unknown.length > 0) {
    throw new LocalError(`apt knows no package ${unknown.join(', ')}; Debian 12 and 13 have all of them.`, {
      fix: 'install the programs by hand, or add the main component of Debian to the apt sources',
    });
  }
  return candidates;
}

/** Services that the new packages would start at the next boot: the cluster runs its own processes. */
async function disableUnits(packages: readonly SystemPackage[]): Promise<void> {
  const units = packages.flatMap((each) => each.units ?? []);
  if (units.length === 0 || !fs.existsSync('/run/systemd/system')) return;
  await run(['systemctl', 'disable', ...units], { logFile: aptLog() });
}

async function install(packages: readonly SystemPackage[], report: Report, update: () => Promise<void>): Promise<void> {
  const names = await resolve(packages, update);
  const command = ['apt-get', ...APT_OPTIONS, 'install', '--yes', '--no-install-recommends', ...names];
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' }, logFile: aptLog() };
  const fix = `apt-get install --no-install-recommends ${names.join(' ')}`;
  report(`apt-get install ${names.join(' ')}`);
  await withoutServices(async () => {
    const first = await run(command, options);
    if (first.code === 0) return;
    // The lists may name files that the mirror has replaced since.
    await update();
    await runOrThrow(command, { ...options, fix });
  });
  await disableUnits(packages);
  const missing = missingPackages({ from: packages }).filter((each) => each.optional !== true);
  if (missing.length > 0) {
    throw new LocalError(`Installed, but not found: ${missing.map((each) => each.provides).join(', ')}.`, { fix });
  }
}

/**
 * Installs Debian packages without recommended ones and without starting a service. They are named first; on a
 * terminal the user is asked once, elsewhere the installation goes on and says so.
 *
 * @returns the names of the packages that were missing
 * @throws LocalError without apt, without root, after a refusal, and when apt fails (with its last lines)
 */
export async function installPackages(report: Report, options: InstallOptions = {}): Promise<readonly string[]> {
  const packages = missingPackages({ from: options.packages ?? PACKAGES });
  if (packages.length === 0) return [];
  const names = packages.map((each) => each.name);
  const fix = `sudo apt-get install --no-install-recommends ${names.join(' ')}`;
  for (const each of packages) report(`missing: ${each.name} (${each.why})`);
  if (!(options.hasApt ?? which('apt-get') !== undefined)) {
    const programs = packages.map((each) => each.provides).join(', ');
    throw new LocalError(`This machine has no apt-get; these programs are missing: ${programs}.`, {
      fix: 'install them with the package manager of this system',
    });
  }
  if ((options.uid ?? process.getuid?.()) !== 0) throw new LocalError('Only root can install packages.', { fix });
  if (options.interactive ?? (process.stdin.isTTY && process.stdout.isTTY)) {
    const agreed = await (options.prompt ?? askOnTerminal)(`Install the Debian packages ${names.join(', ')}?`);
    if (!agreed) throw new LocalError(`Not installed: ${names.join(', ')}.`, { fix });
  } else {
    report('no terminal to ask on: installing them');
  }
  fs.mkdirSync(state('logs'), { recursive: true });
  await install(packages, report, () => (options.update ?? updateLists)(report));
  return names;
}
