import * as path from 'node:path';
import { cloneId, runtimeDir } from '../paths';

/** Sockets of the clone's programs; gone after a restart of the machine, as they are. */
export const socketDir = path.join(runtimeDir(), 'cluster');

/**
 * Where everything of one cluster lies. All of it is under one directory, save the kubelet's where that path is too long for a
 * socket; `clusterDown({ purge: true })` removes both.
 */
export interface Layout {
  readonly dir: string;
  /** Authorities, certificates and keys; readable by the owner only. */
  readonly pki: string;
  /** One record per process. */
  readonly run: string;
  readonly logs: string;
  /** Rendered configuration of each program. */
  readonly config: string;
  readonly kubeconfig: string;
  /** What was chosen for this cluster and is kept: addresses and ports. */
  readonly infoFile: string;
  readonly etcd: string;
  readonly containerd: string;
  readonly kubelet: string;
  readonly cni: string;
  readonly podLogs: string;
  readonly volumes: string;
  readonly registry: string;
}

/** A socket's path has at most so many bytes, the closing zero aside. */
const LONGEST_SOCKET = 107;
/** Where the kubelet's state lies for a clone whose own path leaves no room for the kubelet's sockets. */
const DEEP_CLONES = `/var/lib/trellis-${cloneId}`;

function kubeletDir(dir: string): string {
  const usual = path.join(dir, 'kubelet');
  const longest = path.join(usual, 'device-plugins', 'kubelet.sock');
  return Buffer.byteLength(longest) <= LONGEST_SOCKET ? usual : path.join(DEEP_CLONES, 'kubelet');
}

export function layoutOf(dir: string): Layout {
  const at = (name: string): string => path.join(dir, name);
  return {
    dir,
    pki: at('pki'),
    run: at('run'),
    logs: at('logs'),
    config: at('config'),
    kubeconfig: at('kubeconfig'),
    infoFile: at('info.json'),
    etcd: at('etcd'),
    containerd: at('containerd'),
    kubelet: kubeletDir(dir),
    cni: at('cni'),
    podLogs: at('pod-logs'),
    volumes: at('volumes'),
    registry: at('registry'),
  };
}
