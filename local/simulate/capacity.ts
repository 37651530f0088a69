import type { Manifest } from '../cluster/api';

/** Environments that have no cluster on this machine, and can be rehearsed. */
export const REHEARSED = ['staging', 'prod'] as const;
export type Rehearsed = (typeof REHEARSED)[number];

/** Nodes of one kind, so many in each zone. */
export interface NodePool {
  readonly name: string;
  readonly zones: readonly string[];
  /** vCPUs of each node. */
  readonly cpu: number;
  /** Memory of each node in GiB. */
  readonly memory: number;
  /** Local disk of each node in GiB. */
  readonly disk: number;
  /** NVIDIA devices of each node; such nodes are tainted as NVIDIA's operator does it. @default 0 */
  readonly gpus?: number;
}

/** The zones of a region; volumes of the simulated class stay in the one where they were made. */
const ZONES = ['zone-a', 'zone-b', 'zone-c'];

/**
 * What the environments may count on. Noa Server asks for 16 vCPU, 32 GB, 200 GB of disk and one GPU in prod
 * (its own description); NoodleCore and the headroom of a rolling update come on top. Staging is half of it.
 */
export const CAPACITY: Readonly<Record<Rehearsed, readonly NodePool[]>> = {
  staging: [
    { name: 'general', zones: ZONES, cpu: 4, memory: 8, disk: 100 },
    { name: 'gpu', zones: ZONES.slice(0, 1), cpu: 4, memory: 16, disk: 100, gpus: 1 },
  ],
  prod: [
    { name: 'general', zones: ZONES, cpu: 8, memory: 16, disk: 200 },
    { name: 'gpu', zones: ZONES.slice(0, 1), cpu: 8, memory: 32, disk: 200, gpus: 1 },
  ],
};

/** What a node keeps for itself: a kubelet's usual reservation on nodes of these sizes. */
const RESERVED = { cpu: 100, memory: 1024 };

const GPU = 'nvidia.com/gpu';

function nodeOf(pool: NodePool, zone: string, index: number): Manifest {
  const devices = pool.gpus === undefined ? {} : { [GPU]: String(pool.gpus) };
  const shared = { 'ephemeral-storage': `${pool.disk}Gi`, pods: '110', ...devices };
  const name = `${pool.name}-${zone}`;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { 'trellis.dev/simulated': 'by kwok; nothing runs here' },
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'topology.kubernetes.io/region': 'simulated',
        'topology.kubernetes.io/zone': zone,
        ...(pool.gpus === undefined ? {} : { [`${GPU}.present`]: 'true', [`${GPU}.count`]: String(pool.gpus) }),
      },
    },
    spec: {
      podCIDR: `10.244.${index}.0/24`,
      podCIDRs: [`10.244.${index}.0/24`],
      ...(pool.gpus === undefined ? {} : { taints: [{ key: GPU, value: 'present', effect: 'NoSchedule' }] }),
    },
    status: {
      addresses: [
        { type: 'InternalIP', address: `10.243.0.${index + 10}` },
        { type: 'Hostname', address: name },
      ],
      capacity: { cpu: String(pool.cpu), memory: `${pool.memory}Gi`, ...shared },
      allocatable: {
        cpu: `${pool.cpu * 1000 - RESERVED.cpu}m`,
        memory: `${pool.memory * 1024 - RESERVED.memory}Mi`,
        ...shared,
      },
      nodeInfo: {
        architecture: 'amd64',
        operatingSystem: 'linux',
        kubeletVersion: 'simulated',
        kubeProxyVersion: '',
        containerRuntimeVersion: 'simulated',
        kernelVersion: '',
        osImage: '',
        machineID: '',
        systemUUID: '',
        bootID: '',
      },
    },
  };
}

/** The Node objects of an environment, one for each zone of each pool. */
export const nodesOf = (environment: Rehearsed): readonly Manifest[] =>
  CAPACITY[environment]
    .flatMap((pool) => pool.zones.map((zone) => [pool, zone] as const))
    .map(([pool, zone], index) => nodeOf(pool, zone, index));
