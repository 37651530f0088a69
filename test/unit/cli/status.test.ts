import type * as Client from '@kubernetes/client-node';
import { addressLines, reachable, urlsIn } from '../../../cli/cluster/addresses';
import { report, table } from '../../../cli/cluster/report';
import { age, autoscalerLine, podStatus, type StackStatus } from '../../../cli/cluster/stack-status';

const NOW = Date.parse('2026-01-02T00:00:00Z');
const container = (changes: object = {}) => ({
  name: 'app',
  image: 'i',
  imageID: '',
  ready: true,
  restartCount: 0,
  ...changes,
});

function pod(changes: { metadata?: object; status?: object } = {}): Client.V1Pod {
  return {
    metadata: { name: 'web-1', namespace: 'shop', creationTimestamp: new Date(NOW - 600_000), ...changes.metadata },
    spec: { containers: [{ name: 'app', image: `r/web@sha256:${'ab'.repeat(32)}` }] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [container({ restartCount: 2 })],
      ...changes.status,
    },
  };
}

test('a pod that is Ready shows its containers, restarts, age and a short digest', () => {
  expect(podStatus(pod(), NOW)).toEqual({
    namespace: 'shop',
    name: 'web-1',
    containers: '1/1',
    state: 'Running',
    ready: true,
    restarts: 2,
    age: '10m',
    image: 'r/web@abababababab',
  });
});

test.each([
  ['a crash', { containerStatuses: [container({ ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } } })] }],
  ['an init container', { initContainerStatuses: [container({ state: { waiting: { reason: 'CrashLoopBackOff' } } })] }],
])('a pod that waits for %s tells the container’s reason', (_, status) => {
  const found = podStatus(pod({ status: { ...status, conditions: [{ type: 'Ready', status: 'False' }] } }));
  expect(found).toMatchObject({ ready: false, state: 'CrashLoopBackOff' });
});

test.each([
  ['runs and is not Ready', { status: { conditions: [{ type: 'Ready', status: 'False' }] } }, false],
  ['has no status yet', { status: { phase: 'Pending', conditions: undefined, containerStatuses: undefined } }, false],
  ['is leaving', { metadata: { deletionTimestamp: new Date() }, status: { conditions: [] } }, true],
  ['belongs to a Job', { metadata: { ownerReferences: [{ kind: 'Job' }] }, status: { conditions: [] } }, true],
  ['has done its work', { status: { phase: 'Succeeded', conditions: [] } }, true],
])('a pod that %s', (_, changes, ready) => {
  expect(podStatus(pod(changes)).ready).toBe(ready);
});

test('an autoscaler shows what it measured, of what it aims at', () => {
  const scaler = (currentMetrics: object[]) =>
    ({
      metadata: { name: 'runtime' },
      spec: {
        minReplicas: 1,
        maxReplicas: 4,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 75 } } },
        ],
      },
      status: { currentReplicas: 2, currentMetrics },
    }) as unknown as Client.V2HorizontalPodAutoscaler;
  const measured = { resource: { name: 'cpu', current: { averageUtilization: 12 } } };
  expect(autoscalerLine(scaler([measured]))).toBe('runtime: cpu 12 % of 75 %, 2 replicas (1 to 4)');
  expect(autoscalerLine(scaler([]))).toContain('cpu ? % of 75 %');
});

test.each([
  [41, '41s'],
  [-5, '0s'],
  [720, '12m'],
  [18_000, '5h'],
  [800_000, '9d'],
])('%d seconds ago is %s', (seconds, text) => {
  expect(age(new Date(NOW - seconds * 1000), NOW)).toBe(text);
});

const status = (changes: Partial<StackStatus> = {}): StackStatus => ({
  stack: 'dev',
  deployment: { namespaces: ['shop'], outputs: {}, updated: new Date().toISOString(), resources: 40 },
  nodes: [{ name: 'node', ready: true, version: 'v1.34.4' }],
  pods: [podStatus(pod())],
  short: [],
  autoscalers: ['runtime: cpu 1 % of 75 %, 1 replicas (1 to 2)'],
  routes: [],
  ready: true,
  ...changes,
});

test('the report names what is not Ready, and a workload without pods', () => {
  const text = report(status({ pods: [], short: ['Deployment web: 0 of 2 replicas are Ready'], ready: false }));
  expect(text).toContain('Not Ready\n  Deployment web: 0 of 2 replicas are Ready\n');
  expect(text).toContain('Pods\n  none\n');
  expect(report(status())).toMatch(/✔ {2}web-1 {2}1\/1 {2}Running {2}2 restarts/);
  expect(report(status({ deployment: undefined }))).toContain('./trellis up -s dev');
});

test('columns are as wide as their longest cell', () => {
  expect(
    table([
      ['a', 'bb', 'c'],
      ['aaa', 'b', ''],
    ]),
  ).toBe('  a    bb  c\n  aaa  b\n');
});

describe('addresses', () => {
  const info = {
    kubeconfig: '/k',
    apiServer: 'https://127.0.0.1:6443',
    ingressHttps: 'https://localhost:8443',
    ingressHttp: 'http://localhost:8080',
    httpsPort: 8443,
    httpPort: 8080,
    registry: 'localhost:5000',
    registryHost: 'localhost:5000',
    caFile: '/ca.crt',
    netns: 'n',
    contexts: [],
  };

  test('are found however deep the outputs are, and nothing else is', () => {
    const outputs = {
      a: { url: 'https://x.example/', secret: { '4dabf': 'v1' } },
      b: ['https://y.example/'],
      c: 'http://z',
    };
    expect(urlsIn(outputs)).toEqual(['https://x.example/', 'https://y.example/']);
  });

  test('have the port on which the ingress listens here', () => {
    expect(reachable('https://x.localhost/', 8443)).toBe('https://x.localhost:8443/');
    expect(reachable('https://x.localhost/', 443)).toBe('https://x.localhost/');
  });

  test('come with the line that trusts this cluster’s authority', () => {
    const text = addressLines(['https://x.trellis.localhost/'], info, 'dev');
    expect(text).toContain('curl --cacert /ca.crt https://x.trellis.localhost:8443/ready');
    expect(text).toContain('Kubeconfig  /k');
  });

  test('of another cluster are shown as they are', () => {
    const text = addressLines(['https://x.example/'], undefined, 'prod');
    expect(text).toContain('  https://x.example/\n');
    expect(text).not.toContain('--cacert');
    expect(text).not.toContain('./trellis down');
  });
});
