import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { Api, type Manifest } from '../cluster/api';
import {
  apiServerProgram,
  apiTarget,
  controllerManagerProgram,
  etcdProgram,
  programKubeconfig,
  schedulerProgram,
  type ControlPlane,
} from '../cluster/control-plane';
import { customResourceDefinitions, installCustomResources } from '../cluster/crds';
import { clusterLayout } from '../cluster/info';
import { writeKubeconfig } from '../cluster/kubeconfig';
import { freePorts, isFree } from '../cluster/ports';
import { registryProgram } from '../cluster/registry';
import { loopbackPlane } from '../cluster/start-control-plane';
import { ensure, GO_HEAP, runs, until, type Program, type Resolve } from '../cluster/supervise';
import type { ClusterStep } from '../cluster/up';
import { LocalError } from '../errors';
import { root } from '../paths';
import { writeAtomic } from '../process';
import type { Report } from '../report';
import { nodesOf } from './capacity';
import type { Rehearsal } from './place';
import { kwokConfiguration } from './stages';

const OBJECTS = path.join(root, 'local', 'simulate', 'objects.yaml');

/** How long nodes may take to be Ready, in seconds: 2 on two idle cores. */
const NODE_SECONDS = 60;

const portFile = ({ dir }: Rehearsal): string => path.join(dir, 'registry-port');

/** The port on loopback where this rehearsal's image registry listens; undefined where it was never started. */
export function registryPort(rehearsal: Rehearsal): number | undefined {
  const file = portFile(rehearsal);
  return fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : undefined;
}

/** The port of the last time, unless somebody else has taken it. */
async function chooseRegistryPort(rehearsal: Rehearsal): Promise<number> {
  const kept = registryPort(rehearsal);
  if (kept !== undefined && (runs(rehearsal.layout, 'registry') || (await isFree(kept)))) return kept;
  const [port = 0] = await freePorts(1);
  writeAtomic(portFile(rehearsal), String(port));
  return port;
}

const isReady = (node: Manifest | undefined): boolean =>
  ((node?.status?.conditions ?? []) as readonly { readonly type: string; readonly status: string }[]).some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  );

/** Brings one simulated cluster up; each method is one step, and leaves alone what is as it should be. */
class Bringup {
  private planned: ControlPlane | undefined;

  public constructor(
    private readonly rehearsal: Rehearsal,
    private readonly resolve: Resolve,
  ) {}

  private async plane(): Promise<ControlPlane> {
    return (this.planned ??= {
      ...(await loopbackPlane({ dir: this.rehearsal.layout.dir, resolve: this.resolve })),
      // kwok watches from version 0, which the API server takes for a watch list; etcd before 3.5 can't serve one, and each
      // watch would be refused and tried again.
      apiServerFlags: ['--feature-gates=WatchList=false'],
      // A new autoscaler waits this long before it first looks, and a rehearsal ends when each has its least number of pods.
      controllerFlags: ['--horizontal-pod-autoscaler-sync-period=3s'],
    });
  }

  public async controlPlane(report: Report): Promise<void> {
    const plane = await this.plane();
    await ensure(plane.layout, await etcdProgram(plane), report);
    await ensure(plane.layout, await apiServerProgram(plane), report);
    await ensure(plane.layout, await schedulerProgram(plane), report);
    await ensure(plane.layout, await controllerManagerProgram(plane), report);
    const { server, caFile } = apiTarget(plane);
    writeKubeconfig(this.rehearsal.kubeconfig, {
      ...{ server, caFile, client: plane.authorities.admin, contexts: [this.rehearsal.context] },
      comment: [`A simulated cluster for rehearsals of ${this.rehearsal.environment}; nothing runs in it.`],
    });
  }

  /** Images are really built and pushed, by the names of the environment, to a registry of this machine. */
  public async registry(report: Report): Promise<void> {
    const port = await chooseRegistryPort(this.rehearsal);
    const program = await registryProgram({
      ...{ layout: this.rehearsal.layout, resolve: this.resolve, port, address: '127.0.0.1', namespace: '' },
      netns: undefined,
      // The images of the local cluster have the same layers: none is stored, or pushed, twice.
      storage: clusterLayout().registry,
    });
    await ensure(this.rehearsal.layout, program, report);
  }

  private async kwok(): Promise<Program> {
    const plane = await this.plane();
    const custom = customResourceDefinitions().map(({ spec }) => ({ group: spec.group, kind: spec.names.kind }));
    const configuration = kwokConfiguration(custom);
    const file = path.join(plane.layout.config, 'kwok.yaml');
    writeAtomic(file, configuration);
    // Under its own name, so that its writes are told from those of a person; its rights are an administrator's all the same.
    const kubeconfig = programKubeconfig(plane, 'kwok', plane.authorities.admin);
    return {
      name: 'kwok',
      argv: [
        await this.resolve('kwok'),
        `--kubeconfig=${kubeconfig}`,
        `--config=${file}`,
        '--manage-all-nodes=true',
        '--node-lease-duration-seconds=40',
      ],
      env: GO_HEAP,
      reads: [configuration, fs.readFileSync(kubeconfig, 'utf8')],
      // It has no port; it is there once a node that it manages is Ready.
      ready: () => Promise.resolve(true),
    };
  }

  public async nodes(report: Report): Promise<void> {
    const plane = await this.plane();
    const api = new Api(apiTarget(plane));
    // kwok looks kinds up once, when it starts.
    await installCustomResources(api, report);
    const objects = parseAllDocuments(fs.readFileSync(OBJECTS, 'utf8')).map((each) => each.toJS() as Manifest);
    const nodes = nodesOf(this.rehearsal.environment);
    await Promise.all([...objects.map((each) => api.apply(each)), ...nodes.map((node) => this.node(api, node))]);
    await ensure(plane.layout, await this.kwok(), report);
    report('waiting for the simulated nodes');
    const ready = async (): Promise<boolean> => {
      for (const { metadata } of nodes) {
        if (!isReady(await api.get<Manifest>(`/api/v1/nodes/${metadata.name}`))) return false;
      }
      return true;
    };
    if (await until(ready, NODE_SECONDS, () => runs(plane.layout, 'kwok'))) return;
    throw new LocalError(`The simulated nodes are not Ready after ${NODE_SECONDS} seconds.`, {
      fix: `read ${path.join(plane.layout.logs, 'kwok.log')}`,
    });
  }

  /** A node's capacity is part of its status, which an update of the object itself leaves alone. */
  private async node(api: Api, node: Manifest): Promise<void> {
    const { status, ...object } = node;
    await api.apply(object);
    await api.apply({ ...node, status: status ?? {} }, 'status');
  }
}

/** The steps that bring up an environment's simulated cluster, in order. Each is quick where there is nothing to do. */
export function rehearsalSteps(rehearsal: Rehearsal, resolve: Resolve): readonly ClusterStep[] {
  const bringup = new Bringup(rehearsal, resolve);
  return [
    { title: 'API server, controllers, scheduler', run: (report) => bringup.controlPlane(report) },
    { title: 'Image registry', run: (report) => bringup.registry(report) },
    { title: 'Nodes, by kwok', run: (report) => bringup.nodes(report) },
  ];
}
