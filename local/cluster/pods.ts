import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Report } from '../report';
import { podProcesses } from './cgroups';
import { containerdSocket, deleteTasks, runningContainers } from './containerd';
import type { Layout } from './layout';
import { end, runs, until, type Resolve } from './supervise';

/** How long pods may take to end by themselves, in seconds; Kubernetes' own default is 30. */
const GRACE_SECONDS = 20;

/** containerd 1.6 keeps every shim's socket here, whatever its own state directory is. */
const SHIM_SOCKETS = '/run/containerd/s';

function send(pid: number, signal: string): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended, or the image names a signal that Node doesn't know: it is killed after the grace.
  }
}

const exists = (pid: number): boolean => fs.existsSync(`/proc/${pid}`);

/** Shims of our containerd: they outlive it by design. */
export function shims(): readonly { readonly pid: number; readonly id: string }[] {
  return fs.readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const argv = fs.readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
      if (argv[argv.indexOf('-address') + 1] !== containerdSocket) return [];
      return [{ pid: Number(entry), id: argv[argv.indexOf('-id') + 1] ?? '' }];
    } catch {
      return []; // ended meanwhile
    }
  });
}

/** The signal of each container's image first, as the kubelet would send it: a database closes its files. */
async function endGently(resolve: Resolve, report: Report): Promise<void> {
  const containers = await runningContainers(resolve);
  const workloads = containers.filter(({ isSandbox }) => !isSandbox);
  report(`ending ${workloads.length} containers`);
  workloads.forEach(({ pid, stopSignal }) => send(pid, stopSignal));
  await until(() => Promise.resolve(!workloads.some(({ pid }) => exists(pid))), GRACE_SECONDS);
  containers.forEach(({ pid }) => send(pid, 'SIGKILL'));
  await until(() => Promise.resolve(!containers.some(({ pid }) => exists(pid))), 5);
  await deleteTasks(resolve);
}

/** Without containerd nobody tells what signal an image asks for. */
async function endWithoutRuntime(report: Report): Promise<void> {
  const processes = podProcesses();
  if (processes.length === 0) return;
  report(`ending ${processes.length} processes of pods`);
  processes.forEach((pid) => send(pid, 'SIGTERM'));
  await until(() => Promise.resolve(!processes.some(exists)), GRACE_SECONDS / 2);
}

/** What containerd no longer knows of, or can't be asked about. */
async function endByForce(): Promise<void> {
  await until(() => Promise.resolve(shims().length === 0), 3);
  for (const { pid, id } of shims()) {
    send(pid, 'SIGKILL');
    const name = createHash('sha256')
      .update(path.join(containerdSocket, 'k8s.io', id))
      .digest('hex');
    fs.rmSync(path.join(SHIM_SOCKETS, name), { force: true });
  }
  podProcesses().forEach((pid) => send(pid, 'SIGKILL'));
  await until(() => Promise.resolve(podProcesses().length === 0), 5);
}

/** Ends the node: kubelet, kube-proxy and the policy controller, every container of this cluster, and containerd. Data stays. */
export async function stopNode(layout: Layout, resolve: Resolve, report: Report): Promise<void> {
  // First, or it would start every container again.
  await end(layout, 'kubelet');
  await end(layout, 'network-policies');
  await end(layout, 'kube-proxy');
  if (runs(layout, 'containerd')) await endGently(resolve, report);
  else await endWithoutRuntime(report);
  await endByForce();
  await end(layout, 'containerd');
}
