import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalError } from '../errors';
import { run, stop, ownProcesses } from '../process';
import type { Report } from '../report';
import { CGROUP, removeCgroups } from './cgroups';
import { clusterLayout } from './info';
import { socketDir, type Layout } from './layout';
import { unmountUnder } from './mounts';
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

/** The kubelet links every container's log here, whatever its own log directory is. */
const LOG_LINKS = '/var/log/containers';
/** The CNI library keeps a result per interface here; containerd 1.6 can't name another place. */
const CNI_RESULTS = '/var/lib/cni/results';

function namesIn(directory: string): readonly string[] {
  return fs.existsSync(directory) ? fs.readdirSync(directory) : [];
}

/** Removes what other programs wrote of this cluster outside the clone. */
function removeTraces(layout: Layout): void {
  for (const name of namesIn(LOG_LINKS)) {
    const link = path.join(LOG_LINKS, name);
    if (fs.lstatSync(link).isSymbolicLink() && fs.readlinkSync(link).startsWith(`${layout.podLogs}/`)) fs.rmSync(link);
  }
  for (const name of namesIn(CNI_RESULTS)) {
    if (name.startsWith(`${NETNS}-`)) fs.rmSync(path.join(CNI_RESULTS, name));
  }
  fs.rmSync(socketDir, { recursive: true, force: true });
}

/** What no longer means anything once every pod has ended. Addresses of pods that were killed would never be given out again. */
function removeVolatile(layout: Layout): void {
  for (const dir of [layout.cni, path.join(layout.containerd, 'state')])
    fs.rmSync(dir, { recursive: true, force: true });
}

/** Programs of this cluster whose record was lost. */
async function stopStrays(layout: Layout): Promise<void> {
  for (const record of ownProcesses()) {
    const ours = record.argv.some((word) => word.includes(`${layout.dir}/`));
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
  await end(layout, 'forwarder');
  await stopNode(layout, options.resolve ?? fromPath, report);
  report('ending the control plane');
  for (const name of CONTROL_PLANE) await end(layout, name);
  await stopStrays(layout);
  report('removing mounts, control groups and network');
  await unmountUnder(layout.dir);
  const left = await removeCgroups();
  if (left.length > 0)
    throw new LocalError(`Control groups that can't be removed: ${left.join(', ')}`, {
      fix: `end the processes in them (cat ${left[0]}/cgroup.procs), then run it again`,
    });
  await removeNetwork();
  removeTraces(layout);
  removeVolatile(layout);
  restoreTunables(layout);
  if (options.purge === true) fs.rmSync(layout.dir, { recursive: true, force: true });
  report(`nothing of ${NETNS} (${CGROUP}) is left`);
}
