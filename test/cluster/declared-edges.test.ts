import type { V1Pod } from '@kubernetes/client-node';

import { Cluster, isReady, until } from '../support/cluster';
import { openFromNode, PodNetwork } from './support/network';
import type { Target } from './support/network';

jest.setTimeout(240_000);

const CONTROLLER = 'ingress/traefik';

/**
 * Every edge of the two systems and of what watches them, written by hand from their description: client → server:port. Nothing else may connect.
 * A pooler stands before each database. What only reads goes around it, to the primary where there are no replicas.
 */
const EDGES: Readonly<Record<string, readonly string[]>> = {
  [CONTROLLER]: ['noodle-core-dev/noodle-runtime:8080', 'noodle-core-dev/noodle-ide:8080', 'noa-server-dev/ui:3000'],
  'noodle-core-dev/noodle-runtime': ['noodle-core-dev/postgres-pooler:5432', 'noodle-core-dev/redis:6379'],
  'noodle-core-dev/noodle-ide': ['noodle-core-dev/noodle-runtime:8080'],
  'noodle-core-dev/postgres-pooler': ['noodle-core-dev/postgres:5432'],
  'noodle-core-dev/postgres': [],
  'noodle-core-dev/redis': [],
  'noodle-core-dev/backup-status': [],
  'noa-server-dev/ui': ['noa-server-dev/mcp:8001'],
  'noa-server-dev/mcp': ['noa-server-dev/claude-flow:9100'],
  'noa-server-dev/claude-flow': [
    'noa-server-dev/agentic-os:9200',
    'noa-server-dev/llama-cpp:8080',
    'noa-server-dev/postgres-pooler:5432',
    'noa-server-dev/postgres:5432',
    'noa-server-dev/redis:6379',
  ],
  'noa-server-dev/agentic-os': [
    'noa-server-dev/postgres-pooler:5432',
    'noa-server-dev/postgres:5432',
    'noa-server-dev/redis:6379',
  ],
  'noa-server-dev/llama-cpp': [],
  'noa-server-dev/postgres-pooler': ['noa-server-dev/postgres:5432'],
  'noa-server-dev/postgres': [],
  'noa-server-dev/redis': [],
  'noa-server-dev/backup-status': [],
  // Metrics are asked for at the port that has them, and at no other.
  'observability-dev/prometheus': [
    'observability-dev/alertmanager:9093',
    ...['noodle-core-dev', 'noa-server-dev'].flatMap((name) => [`${name}/postgres:9187`, `${name}/redis:9121`]),
    ...['noodle-core-dev/noodle-runtime:8080', 'noodle-core-dev/noodle-ide:8080', 'noa-server-dev/ui:3000'],
    ...['noa-server-dev/mcp:8001', 'noa-server-dev/claude-flow:9100', 'noa-server-dev/agentic-os:9200'],
    ...['noa-server-dev/llama-cpp:8080', 'noodle-core-dev/backup-status:9091', 'noa-server-dev/backup-status:9091'],
  ],
  'observability-dev/alertmanager': [],
};
const DECLARED = Object.entries(EDGES).flatMap(([from, to]) => to.map((target) => `${from} → ${target}`));
const NAMESPACES = ['noodle-core-dev', 'noa-server-dev', 'observability-dev', 'ingress'] as const;

interface Member {
  readonly name: string;
  readonly ip: string;
  readonly ports: readonly number[];
}

const memberOf = ({ metadata, spec, status }: V1Pod): Member => {
  const labels = metadata?.labels ?? {};
  const app = labels['app.kubernetes.io/name'] ?? labels.app ?? labels['k8s-app'] ?? '';
  const ports = spec?.containers.flatMap((container) => container.ports ?? []) ?? [];
  return {
    name: `${metadata?.namespace ?? ''}/${app}`,
    ip: status?.podIP ?? '',
    ports: ports.filter(({ protocol = 'TCP' }) => protocol === 'TCP').map(({ containerPort }) => containerPort),
  };
};

describe('who may talk to whom, tried from inside each pod', () => {
  let members: readonly Member[];
  let targets: readonly (Target & { readonly name: string; readonly member: string })[];
  /** `client → server:port` of every connection that was made. */
  const made = new Set<string>();

  beforeAll(async () => {
    const cluster = new Cluster();
    await cluster.healthy();
    const pods = await until('all pods Ready', async () => {
      const lists = await Promise.all(NAMESPACES.map((name) => cluster.list<V1Pod>(`/api/v1/namespaces/${name}/pods`)));
      const own = lists
        .flat()
        .filter(({ metadata }) => !(metadata?.ownerReferences ?? []).some(({ kind }) => kind === 'Job'));
      return own.every((pod) => isReady(pod) && pod.metadata?.deletionTimestamp === undefined) && own;
    });
    members = pods.map(memberOf);
    targets = members
      .filter(({ name }) => name !== CONTROLLER)
      .flatMap(({ name, ip, ports }) => ports.map((port) => ({ ip, port, member: name, name: `${name}:${port}` })));
    const network = await PodNetwork.open();
    const tried = members.map(async ({ name, ip }) => {
      const others = targets.filter((target) => target.ip !== ip);
      const open = await network.connects(ip, others);
      others.forEach((target, index) => open[index] === true && made.add(`${name} → ${target.name}`));
    });
    await Promise.all(tried);
  });

  test('every pod that runs is in the list, and every one in the list runs', () => {
    expect([...new Set(members.map(({ name }) => name))].sort()).toEqual(Object.keys(EDGES).sort());
  });

  test('every port listens: the node, which no policy holds back, reaches them all', async () => {
    const open = await openFromNode(targets);
    expect(targets.filter((_, index) => open[index] !== true).map(({ name }) => name)).toEqual([]);
  });

  test('each declared edge passes', () => {
    expect(DECLARED.filter((edge) => !made.has(edge))).toEqual([]);
  });

  test('each undeclared edge does not, in either direction', () => {
    expect([...made].filter((edge) => !DECLARED.includes(edge))).toEqual([]);
    // A table that allowed everything would pass too.
    expect(made.size).toBeLessThan(members.length * targets.length * 0.2);
  });

  test('DNS answers every pod of the systems', async () => {
    const network = await PodNetwork.open();
    const own = members.filter(({ name }) => name !== CONTROLLER);
    const answers = await Promise.all(
      own.map(({ ip }) => network.resolves(ip, 'postgres-service.noa-server-dev.svc.cluster.local')),
    );
    expect(own.filter((_, index) => answers[index] !== true).map(({ name }) => name)).toEqual([]);
  });
});
