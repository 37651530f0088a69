import * as fs from 'node:fs';
import * as os from 'node:os';
import { LocalError } from '../errors';
import { cniDirectory } from './containerd';
import type { Resolve } from './supervise';

const INSTEAD =
  'use a cluster that you have (kubernetes:context in the stack’s configuration), `kind create cluster`, or the API server with simulated nodes';

/** The part of a machine that decides whether a cluster can run on it. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  /** User id; none where there is no such thing. */
  readonly uid: number | undefined;
}

export const thisMachine = (): Machine => ({ platform: os.platform(), uid: process.getuid?.() });

/** @throws LocalError where no cluster can run, with what can be used instead */
export function checkMachine(machine: Machine): void {
  if (machine.platform !== 'linux')
    throw new LocalError(`The local cluster needs Linux; this machine runs ${machine.platform}.`, { fix: INSTEAD });
  if (machine.uid !== 0)
    throw new LocalError('The local cluster makes network namespaces and mounts, so it needs root.', {
      fix: `run it with sudo, or ${INSTEAD}`,
    });
}

const SYSTEM_PROGRAMS = ['ip', 'nsenter', 'iptables', 'openssl', 'mount', 'umount', 'containerd', 'ctr', 'runc'];

/** @throws LocalError where the machine can't run a cluster, or lacks a program of its system */
export async function preflight(resolve: Resolve): Promise<void> {
  checkMachine(thisMachine());
  for (const program of [...SYSTEM_PROGRAMS, 'etcd', 'docker-registry', 'busybox']) await resolve(program);
  cniDirectory();
  // Its device plugins' socket has a fixed place, which a second kubelet would take over.
  if (fs.existsSync('/var/lib/kubelet/config.yaml'))
    throw new LocalError('This machine is a node of a Kubernetes cluster already.', { fix: INSTEAD });
}
