import type { RenderedObject } from '../../../bridge/render';
import { ValidationError } from '../../../components/errors';
import { cpuMillis, parseCpu } from '../../../components/units';
import { readSettings } from '../../../stacks/render';
import {
  deploymentOf,
  environmentOf,
  first,
  IMAGES,
  pick,
  podsOf,
  renderSettings,
  renderSystem,
  storeOf,
} from './platform';
import type { Manifest } from '../../support/synth';

const SERVICES = ['ui', 'mcp', 'claude-flow', 'agentic-os'] as const;

let prod: readonly RenderedObject[];
let staging: readonly RenderedObject[];
let dev: readonly RenderedObject[];
beforeAll(async () => {
  [prod, staging, dev] = await Promise.all([
    renderSystem('noa-server', 'prod'),
    renderSystem('noa-server', 'staging'),
    renderSystem('noa-server', 'dev'),
  ]);
});

const scaler = (objects: readonly RenderedObject[], name: string) =>
  pick(objects, 'autoscaling/v2/HorizontalPodAutoscaler', name).spec;
const namespaceOf = (objects: readonly RenderedObject[]): unknown =>
  objects.find(({ kind }) => kind === 'Namespace')?.name;
const clientsOf = (name: string): readonly (string | undefined)[] =>
  (pick(prod, 'networking.k8s.io/v1/NetworkPolicy', name).spec.ingress ?? [])
    .flatMap(({ from }) => from ?? [])
    .map((peer) => peer.podSelector?.matchLabels?.['app.kubernetes.io/name'])
    // It asks everybody for metrics: see observability.test.ts.
    .filter((client) => client !== 'prometheus');

describe('the services in prod', () => {
  it.each([
    ['ui', 3, 15, { cpu: 75 }],
    ['mcp', 2, 10, { cpu: 70, memory: 80 }],
    ['claude-flow', 2, 8, { cpu: 70, memory: 80 }],
  ] as const)('%s scales from %i to %i pods on %j', (name, minReplicas, maxReplicas, targets) => {
    const { metrics = [], ...rest } = scaler(prod, name);
    expect(rest).toMatchObject({ minReplicas, maxReplicas });
    const found = metrics.map(({ resource }) => [resource?.name, resource?.target.averageUtilization]);
    expect(Object.fromEntries(found) as unknown).toEqual(targets);
  });

  it('AgenticOS is two pods, llama.cpp one, on one GPU', () => {
    expect(deploymentOf(prod, 'agentic-os').spec.replicas).toBe(2);
    const { spec } = deploymentOf(prod, 'llama-cpp');
    expect(spec.replicas).toBe(1);
    expect(first(deploymentOf(prod, 'llama-cpp')).resources?.limits).toMatchObject({
      'nvidia.com/gpu': '1',
      memory: '4Gi',
    });
  });

  it.each([
    ['ui', 3000],
    ['mcp', 8001],
    ['claude-flow', 9100],
    ['agentic-os', 9200],
  ] as const)('%s listens and is reached on %i', (name, port) => {
    const container = podsOf(prod).get(name);
    expect(container?.ports).toEqual([{ name: 'http', containerPort: port, protocol: 'TCP' }]);
    expect(pick(prod, 'v1/Service', `${name}-service`).spec.ports?.[0]).toMatchObject({ port, targetPort: 'http' });
    expect(environmentOf(container as NonNullable<typeof container>).PORT).toBe(String(port));
  });

  it.each(SERVICES)('%s has the three probes of its description', (name) => {
    const container = podsOf(prod).get(name);
    expect(container?.livenessProbe?.httpGet?.path).toBe('/health');
    expect(container?.readinessProbe?.httpGet?.path).toBe('/health/ready');
    expect(container?.startupProbe?.httpGet?.path).toBe('/health/startup');
  });

  it('MCP keeps a volume for each pod', () => {
    const { spec } = storeOf(prod, 'mcp');
    expect(spec.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.storage).toBe('10Gi');
    expect(first(storeOf(prod, 'mcp')).volumeMounts).toContainEqual({ name: 'data', mountPath: '/app/data' });
  });

  it('run what was built, each with an account of its own', () => {
    const images = { ui: 'ui', mcp: 'mcp', 'claude-flow': 'claudeFlow', 'agentic-os': 'agenticOs' } as const;
    for (const name of SERVICES) {
      expect(podsOf(prod).get(name)?.image).toBe(IMAGES.noaServer[images[name]]);
      expect(pick(prod, 'v1/ServiceAccount', name).automountServiceAccountToken).toBe(false);
    }
  });
});

describe('the flow', () => {
  it('goes Ingress → UI → MCP → Claude Flow → data and model, and nowhere else', () => {
    expect(clientsOf('mcp')).toEqual(['ui']);
    expect(clientsOf('claude-flow')).toEqual(['mcp']);
    expect(clientsOf('agentic-os')).toEqual(['claude-flow']);
    expect(clientsOf('llama-cpp')).toEqual(['claude-flow']);
    for (const database of ['postgres-pooler', 'postgres-replica'])
      expect([...clientsOf(database)].sort()).toEqual(['agentic-os', 'claude-flow']);
    const { spec } = pick(prod, 'networking.k8s.io/v1/Ingress', 'ingress');
    expect(spec.rules?.map(({ host, http }) => [host, http?.paths[0]?.backend.service?.name])).toEqual([
      ['noa.example.com', 'ui-service'],
    ]);
  });

  it('gives each service the address of the next', () => {
    const env = (name: string) => environmentOf(podsOf(prod).get(name) as never);
    expect(env('ui').COMPLETION_URL).toBe('http://mcp-service.noa-server.svc:8001');
    expect(env('mcp').COMPLETION_URL).toBe('http://claude-flow-service.noa-server.svc:9100');
    expect(env('claude-flow').LLAMA_CPP_URL).toBe('http://llama-cpp-service.noa-server.svc:80');
    // The innermost hop gives up first.
    const seconds = ['ui', 'mcp', 'claude-flow'].map((name) => Number(env(name).LLM_TIMEOUT_SECONDS));
    expect(seconds).toEqual([...seconds].sort((a, b) => b - a));
    expect(new Set(seconds).size).toBe(3);
  });
});

describe('the data', () => {
  it('begins with three schemas, their tables and first data', () => {
    const { data } = pick(prod, 'v1/ConfigMap', 'postgres-init');
    expect(Object.keys(data)).toEqual([
      '10-schemas.sql',
      '20-core.sql',
      '30-agents.sql',
      '40-memory.sql',
      '90-data.sql',
    ]);
    for (const schema of ['core', 'agents', 'memory'])
      expect(data['10-schemas.sql']).toContain(`create schema ${schema};`);
  });

  it('is read from the replicas where there are some, else from the primary itself', () => {
    for (const name of ['claude-flow', 'agentic-os']) {
      const keyOf = (objects: readonly RenderedObject[]) =>
        environmentOf(podsOf(objects).get(name) as never).READ_DATABASE_URL;
      expect(keyOf(prod)).toBe('secret:postgres-secret/DATABASE_READ_ONLY_URL');
      expect(keyOf(dev)).toBe('secret:postgres-secret/DATABASE_DIRECT_URL');
    }
  });

  it.each(['dev', 'staging', 'prod'] as const)('keeps a connection of each server free in %s', (environment) => {
    const objects = { dev, staging, prod }[environment];
    const most = (name: string): number => {
      const { maxReplicas } = objects.some((one) => one.kind === 'HorizontalPodAutoscaler' && one.name === name)
        ? scaler(objects, name)
        : { maxReplicas: deploymentOf(objects, name).spec.replicas ?? 0 };
      return maxReplicas + 1;
    };
    const pools = ['claude-flow', 'agentic-os'].map(
      (name) => most(name) * Number(environmentOf(podsOf(objects).get(name) as never).READ_DATABASE_POOL_MAX),
    );
    const { data } = pick(objects, 'v1/ConfigMap', 'postgres-config');
    const limit = Number(/^max_connections = '?(\d+)/m.exec(data['postgresql.conf'] ?? '')?.[1]);
    const pooler = environment === 'dev' ? 20 : 0;
    expect(pools.reduce((sum, one) => sum + one, 0) + pooler).toBeLessThan(limit);
    expect(Math.min(...pools)).toBeGreaterThan(0);
  });

  it('has a replica that reads in staging and prod, and none in dev', () => {
    for (const objects of [staging, prod]) expect(storeOf(objects, 'postgres-replica').spec.replicas).toBe(1);
    expect(dev.filter(({ name }) => name.startsWith('postgres-replica'))).toEqual([]);
  });
});

describe('environments', () => {
  it('have a namespace each, which enforces the restricted profile', () => {
    expect([dev, staging, prod].map(namespaceOf)).toEqual(['noa-server-dev', 'noa-server-staging', 'noa-server']);
    for (const objects of [dev, staging, prod]) {
      const labels = objects.find(({ kind }) => kind === 'Namespace')?.manifest['metadata'];
      expect(labels).toMatchObject({ labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } });
    }
  });

  it('dev runs single pods on the CPU, staging two', () => {
    for (const name of ['ui', 'claude-flow', 'agentic-os']) expect(deploymentOf(dev, name).spec.replicas).toBe(1);
    expect(storeOf(dev, 'mcp').spec.replicas).toBe(1);
    expect(first(deploymentOf(dev, 'llama-cpp')).resources?.limits).not.toHaveProperty('nvidia.com/gpu');
    for (const name of ['ui', 'mcp', 'claude-flow']) expect(scaler(staging, name).minReplicas).toBe(2);
  });

  it('of dev ask for one CPU at most, with both systems', async () => {
    const objects = [...dev, ...(await renderSystem('noodle-core', 'dev'))];
    const workloads = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
    const millis = workloads.flatMap(({ name, namespace, manifest }) => {
      const scaled = objects.find(
        (one) => one.kind === 'HorizontalPodAutoscaler' && one.name === name && one.namespace === namespace,
      );
      const { spec } = manifest as unknown as Manifest<'apps/v1/Deployment'>;
      const minimum = (scaled?.manifest['spec'] as { minReplicas?: number } | undefined)?.minReplicas;
      return spec.template.spec.containers.map(({ resources }) => {
        const cpu = parseCpu(String(resources?.requests?.['cpu']));
        return (minimum ?? spec.replicas ?? 1) * (cpu === undefined ? Number.NaN : cpuMillis(cpu));
      });
    });
    expect(millis.length).toBeGreaterThan(10);
    expect(millis.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(1000);
  });
});

test('a variable that does not fit is refused with the path of the chart', async () => {
  const settings = await readSettings('dev');
  const wrong = { ...settings, noaServer: { ...settings.noaServer, variables: { LOG_LEVEL: 'loud', NONE: 'x' } } };
  expect(() => renderSettings(wrong)).toThrow(ValidationError);
  expect(() => renderSettings(wrong)).toThrow(
    /^noa-server: variables.LOG_LEVEL must be one of debug.*got 'loud'\n.*NONE is not/,
  );
});
