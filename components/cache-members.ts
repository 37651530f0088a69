import type { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import type { CacheTopology } from './cache-topology';
import type { EnvVar, Labels, Volume, VolumeMount } from './kube';
import { kubeObject } from './kube';
import { scoreIgnored } from './score';
import { serviceHost } from './stateful-workload';

/** Port of the sentinels. */
export const SENTINEL_PORT = 26379;
/** A cluster's members talk to each other on a port that lies above the clients' by this much. */
export const BUS_OFFSET = 10_000;
/** Key of the Secret with the password by which members know each other. */
export const SYSTEM_PASSWORD_KEY = 'REDIS_SYSTEM_PASSWORD';
/** Seconds that a stop has besides the hand-over: the server waits up to ten for its replicas. */
export const STOP_SECONDS = 15;

const SYSTEM = '/run/secrets/redis-system';
const RUN = '/run/redis';

/** What members have in common. */
export interface CacheMembers extends Construct {
  readonly name: string;
  readonly port: number;
  readonly topology: CacheTopology;
  readonly secretName: string;
}

export const sentinelName = (name: string): string => `${name}-sentinel`;
export const routerName = (name: string): string => `${name}-router`;
export const memberNames = (name: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, ordinal) => `${name}-${ordinal}`);

/** Hosts of the pods that hold data. */
export const memberHosts = (store: CacheMembers): readonly string[] =>
  memberNames(store.name, store.topology.count).map((name) => serviceHost(store, name));

/** Hosts of the sentinels; none where there are none. */
export const sentinelHosts = (store: CacheMembers): readonly string[] =>
  memberNames(sentinelName(store.name), store.topology.sentinels?.sentinels ?? 0).map((name) =>
    serviceHost(store, name),
  );

/**
 * A Service for each pod. Its address stays when the pod moves: Redis and its sentinels look a name up once and then keep the address,
 * and a pod that is away is refused at once instead of being waited for.
 */
export function memberServices(
  scope: Construct,
  pods: {
    readonly name: string;
    readonly count: number;
    readonly selector: Labels;
    readonly labels: Labels;
    readonly ports: readonly { readonly name: string; readonly port: number }[];
  },
): readonly ApiObject[] {
  const labels = { ...pods.labels, ...pods.selector };
  const annotations = scoreIgnored({
    'service-targets-pod': 'the StatefulSet’s controller labels each pod with its name',
  });
  return memberNames(pods.name, pods.count).map((name, ordinal) =>
    kubeObject(scope, `Member-${ordinal}`, 'v1/Service', { name, labels, annotations }, () => ({
      spec: {
        type: 'ClusterIP',
        // Members find each other before they are ready, and hand over while they end.
        publishNotReadyAddresses: true,
        selector: { ...pods.selector, 'statefulset.kubernetes.io/pod-name': name },
        ports: pods.ports.map((port) => ({ ...port, targetPort: port.name, protocol: 'TCP' })),
      },
    })),
  );
}

/** Environment of everything that knows the members; empty where there is one server only. */
export function memberEnv(store: CacheMembers): readonly EnvVar[] {
  const { sentinels, sharding, members } = store.topology;
  if (members === undefined) return [];
  const entries: Readonly<Record<string, string>> = {
    REDIS_DOMAIN: serviceHost(store, ''),
    REDIS_MEMBERS: memberHosts(store).join(' '),
    REDIS_RUN_DIR: RUN,
    REDIS_SYSTEM_PASSWORD_FILE: `${SYSTEM}/password`,
    REDIS_TOPOLOGY: sentinels === undefined ? 'cluster' : 'sentinel',
    ...(sharding === undefined ? {} : { REDIS_SHARDS: String(sharding.shards) }),
    ...(sentinels === undefined
      ? {}
      : {
          REDIS_PRIMARY_NAME: store.name,
          REDIS_SENTINELS: sentinelHosts(store).join(' '),
          REDIS_SENTINEL_PORT: String(SENTINEL_PORT),
        }),
  };
  // Outside a namespace there is no domain, and the API server would drop an empty value.
  return Object.entries(entries).flatMap(([name, value]) => (value === '' ? [] : [{ name, value }]));
}

/** The members' password, as a file, and a folder in memory for the configuration that holds it in clear. */
export function memberMounts({ topology, secretName }: CacheMembers): {
  readonly mounts: readonly VolumeMount[];
  readonly volumes: readonly Volume[];
} {
  if (topology.members === undefined) return { mounts: [], volumes: [] };
  const items = [{ key: SYSTEM_PASSWORD_KEY, path: 'password' }];
  return {
    mounts: [
      { name: 'system-password', mountPath: SYSTEM, readOnly: true },
      { name: 'run', mountPath: RUN },
    ],
    volumes: [
      { name: 'system-password', secret: { secretName, defaultMode: 0o440, items } },
      { name: 'run', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    ],
  };
}
