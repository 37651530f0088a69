import { limitsOf, steadyTotals, totalsOf, type Manifest } from '../../../components/namespace-quota';

const metadata = { name: 'web' };
const template = { spec: { containers: [{ resources: { requests: { cpu: '100m' } } }] } };
const workload = (kind: string, spec: object = {}): Manifest => ({ kind, metadata, spec: { template, ...spec } });
const scaler = (kind: string, spec: object): Manifest => ({
  kind: 'HorizontalPodAutoscaler',
  metadata,
  spec: { scaleTargetRef: { kind, name: 'web' }, ...spec },
});
const pods = (...objects: readonly Manifest[]): readonly (number | undefined)[] => [
  steadyTotals(objects, 'minimum').pods,
  steadyTotals(objects, 'maximum').pods,
  totalsOf(objects).pods,
];

describe('while nothing is rolled out', () => {
  test('a Deployment has no extra pod', () => {
    expect(pods(workload('Deployment', { replicas: 3 }))).toEqual([3, 3, 4]);
    expect(pods(workload('Deployment'))).toEqual([1, 1, 2]);
  });

  test('an autoscaler is at its minimum or at its maximum', () => {
    const objects = [workload('Deployment'), scaler('Deployment', { minReplicas: 2, maxReplicas: 5 })];
    expect(pods(...objects)).toEqual([2, 5, 6]);
    expect(steadyTotals(objects, 'minimum')['requests.cpu']).toBe(200);
    expect(pods(workload('StatefulSet'), scaler('StatefulSet', { maxReplicas: 4 }))).toEqual([1, 4, 4]);
  });

  test('no job runs', () => {
    const job = { spec: { template } };
    expect(pods(workload('Job', { parallelism: 2 }), workload('CronJob', { jobTemplate: job }))).toEqual([0, 0, 3]);
  });

  test('what an operator makes has as many pods as its object says', () => {
    const cluster = {
      apiVersion: 'postgresql.cnpg.io/v1',
      kind: 'Cluster',
      metadata,
      spec: { instances: 3, storage: { size: '1Gi' }, resources: { requests: { cpu: '1' } } },
    };
    expect(steadyTotals([cluster], 'minimum')).toMatchObject({
      pods: 3,
      'requests.cpu': 3000,
      'requests.storage': 3 * 2 ** 30,
    });
  });

  test('a claim counts once, also where a StatefulSet finds it', () => {
    const claim = (name: string): Manifest => ({
      kind: 'PersistentVolumeClaim',
      metadata: { name },
      spec: { resources: { requests: { storage: '1Gi' } } },
    });
    const set = workload('StatefulSet', {
      replicas: 2,
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { resources: { requests: { storage: '1Gi' } } } }],
    });
    expect(steadyTotals([set, claim('data-web-0')], 'minimum')['requests.storage']).toBe(2 * 2 ** 30);
  });
});

test('a quota is derived from manifests as it is from constructs', () => {
  expect(limitsOf([workload('Deployment', { replicas: 3 })])).toEqual({
    persistentvolumeclaims: '0',
    pods: '5',
    'requests.cpu': '500m',
    'requests.storage': '0Mi',
    'services.loadbalancers': '0',
  });
});
