import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalError } from '../errors';
import { removeIfEmpty, unmountUnder } from '../mounts';
import { runtimeDir } from '../paths';
import { run, stop, ownProcesses } from '../process';
import type { Report } from '../report';
import { CGROUP, removeCgroups } from './cgroups';
import { clusterLayout } from './info';
import { socketDir, type Layout } from './layout';
import { NETNS, removeNetwork } from './network';
import { stopNode } from './pods';
import { end, type Resolve } from './supervise';
import { restoreTunables } from './sysctl';

export interface DownOptions {
  /** Also remove all data: objects, volumes, images, certificates, chosen ports. @default false */
  readonly purge?: boolean;
  /** @default - programs of PATH */
  readonly resolve?: Resolve;
}

/** Used for `ctr` only, which a package of the system brings. */
const fromPath: Resolve = async (tool) => {
  const { stdout } = await run(['sh', '-c', `command -v "$0"`, tool]);
  return stdout.trim() === '' ? tool : stdout.trim();
};

/** Clients before servers, so that each can say its last word. */
const CONTROL_PLANE = ['registry', 'kube-scheduler', 'kube-controller-manager', 'kube-apiserver', 'etcd'];

/** Where other programs write whatever they are told; each entry is ours where its link or text names our directory. */
const TRACES = [
  // The kubelet links every container's log here.
  '/var/log/containers',
  // The CNI library keeps a result per interface here; containerd 1.6 can't name another place.
  '/var/lib/cni/results',
];
/** The kubelet's socket for device plugins; no setting moves it. */
const DEVICE_PLUGINS = '/var/lib/kubelet/device-plugins';

const namesIn = (directory: string): readonly string[] => (fs.existsSync(directory) ? fs.readdirSync(directory) : []);

const textOf = (entry: string): string =>
  fs.lstatSync(entry).isSymbolicLink() ? fs.readlinkSync(entry) : fs.readFileSync(entry, 'utf8');

/** Removes what is outside the clone, and the directories that are empty then. */
function removeTraces(layout: Layout): void {
  for (const directory of TRACES) {
    const entries = namesIn(directory).map((name) => path.join(directory, name));
    entries.filter((entry) => textOf(entry).includes(`${layout.dir}/`)).forEach((entry) => fs.rmSync(entry));
    removeIfEmpty(directory);
  }
  removeIfEmpty('/var/lib/cni');
  if (namesIn(DEVICE_PLUGINS).join() === 'kubelet.sock') fs.rmSync(path.join(DEVICE_PLUGINS, 'kubelet.sock'));
  removeIfEmpty(DEVICE_PLUGINS);
  removeIfEmpty(path.dirname(DEVICE_PLUGINS));
  fs.rmSync(socketDir, { recursive: true, force: true });
  removeIfEmpty(runtimeDir());
}

/** The cluster's directory, and the kubelet's where it lies elsewhere. */
const placesOf = ({ dir, kubelet }: Layout): readonly string[] =>
  kubelet.startsWith(`${dir}/`) ? [dir] : [dir, path.dirname(kubelet)];

/** What no longer means anything once every pod has ended. Addresses of pods that were killed would never be given out again. */
function removeVolatile(layout: Layout): void {
  for (const dir of [layout.cni, path.join(layout.containerd, 'state')])
    fs.rmSync(dir, { recursive: true, force: true });
}

/** Programs of this cluster whose record was lost. */
async function stopStrays(layout: Layout): Promise<void> {
  for (const record of ownProcesses()) {
    const ours = record.argv.some((word) => placesOf(layout).some((dir) => word.includes(`${dir}/`)));
    if (ours) await stop(record);
  }
}

/**
 * Ends the cluster and leaves no process, mount, namespace, interface or control group of it. Data stays, so that the next
 * `clusterUp` continues, unless `purge` is set.
 *
 * @throws LocalError naming what could not be removed
 */
export async function clusterDown(report: Report, options: DownOptions = {}): Promise<void> {
  const layout = clusterLayout();
  if (process.platform !== 'linux') return; // where none can have been made
  await end(layout, 'forwarder');
  await stopNode(layout, options.resolve ?? fromPath, report);
  report('ending the control plane');
  for (const name of CONTROL_PLANE) await end(layout, name);
  await stopStrays(layout);
  report('removing mounts, control groups and network');
  for (const dir of placesOf(layout)) await unmountUnder(dir);
  const left = await removeCgroups();
  if (left.length > 0)
    throw new LocalError(`Control groups that can't be removed: ${left.join(', ')}`, {
      fix: `end the processes in them (cat ${left[0]}/cgroup.procs), then run it again`,
    });
  await removeNetwork();
  removeTraces(layout);
  removeVolatile(layout);
  restoreTunables(layout);
  if (options.purge === true) placesOf(layout).forEach((dir) => fs.rmSync(dir, { recursive: true, force: true }));
  report(`nothing of ${NETNS} (${CGROUP}) is left`);
}
