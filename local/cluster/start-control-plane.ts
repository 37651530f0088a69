import * as fs from 'node:fs';
import * as path from 'node:path';
import { silent, type Report } from '../report';
import { Api } from './api';
import { ensureAuthorities } from './authorities';
import {
  apiServerProgram,
  apiTarget,
  controllerManagerProgram,
  etcdProgram,
  schedulerProgram,
  type ControlPlane,
} from './control-plane';
import { installCustomResources } from './crds';
import { writeKubeconfig } from './kubeconfig';
import { layoutOf, type Layout } from './layout';
import { freePorts, isFree } from './ports';
import { end, ensure, runs, type Resolve } from './supervise';

export interface ControlPlaneOptions {
  /** Everything is kept here; made where it is missing. Two running control planes need two directories. */
  readonly dir: string;
  readonly resolve: Resolve;
  /** Port of the API server on loopback. @default - a free one, the same on the next start in this directory */
  readonly port?: number;
  /** Also run the controller manager and the scheduler. @default false */
  readonly controllers?: boolean;
  /** Also know the custom resources that the cluster on a new machine knows. @default false */
  readonly customResources?: boolean;
  readonly report?: Report;
}

export interface RunningControlPlane {
  /** Path of a kubeconfig with administrator's rights. */
  readonly kubeconfig: string;
  /** `https://127.0.0.1:PORT`. */
  readonly server: string;
  /** Ends every process; the data stays, so that the next start in this directory continues. */
  stop(): Promise<void>;
}

const PROGRAMS = ['kube-scheduler', 'kube-controller-manager', 'kube-apiserver', 'etcd'];

type Ports = ControlPlane['ports'];

/**
 * The same ports on each start: running programs are then recognised, and kubeconfigs in use stay right. Others where a port
 * was taken by somebody else meanwhile.
 */
async function portsOf(layout: Layout, api: number | undefined): Promise<Ports> {
  const file = path.join(layout.dir, 'ports.json');
  const kept = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Ports) : undefined;
  if (kept !== undefined && (api === undefined || kept.api === api)) {
    const usable = async (program: string, port: number): Promise<boolean> =>
      runs(layout, program) || (await isFree(port));
    if ((await usable('kube-apiserver', kept.api)) && (await usable('etcd', kept.etcd))) return kept;
  }
  const [etcd = 0, etcdPeer = 0, free = 0] = await freePorts(3);
  const ports = { api: api ?? free, etcd, etcdPeer };
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.tmp`, JSON.stringify(ports));
  fs.renameSync(`${file}.tmp`, file);
  return ports;
}

/** A control plane on loopback, its certificates and ports made where they are missing; no program is started. */
export async function loopbackPlane(
  options: Pick<ControlPlaneOptions, 'dir' | 'resolve' | 'port'>,
): Promise<ControlPlane> {
  const layout = layoutOf(path.resolve(options.dir));
  fs.mkdirSync(layout.dir, { recursive: true, mode: 0o700 });
  return {
    layout,
    resolve: options.resolve,
    authorities: await ensureAuthorities(layout.pki, { apiAddresses: [] }),
    address: '127.0.0.1',
    ports: await portsOf(layout, options.port),
    serviceCidr: '10.96.0.0/16',
    durable: false,
  };
}

/**
 * etcd and an API server on loopback: no network namespace, no root, no node. Ready in a few seconds.
 *
 * @throws LocalError when a program ends or isn't ready in time
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<RunningControlPlane> {
  const report = options.report ?? silent;
  const plane = await loopbackPlane(options);
  const { layout } = plane;
  const stop = async (): Promise<void> => {
    for (const name of PROGRAMS) await end(layout, name);
  };
  try {
    await ensure(layout, await etcdProgram(plane), report);
    await ensure(layout, await apiServerProgram(plane), report);
    if (options.controllers === true) {
      await ensure(layout, await controllerManagerProgram(plane), report);
      await ensure(layout, await schedulerProgram(plane), report);
    }
    if (options.customResources === true) await installCustomResources(new Api(apiTarget(plane)), report);
  } catch (error) {
    await stop();
    throw error;
  }
  const { server, caFile } = apiTarget(plane);
  writeKubeconfig(layout.kubeconfig, { server, caFile, client: plane.authorities.admin });
  return { kubeconfig: layout.kubeconfig, server, stop };
}
