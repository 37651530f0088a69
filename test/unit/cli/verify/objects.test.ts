import type { V1Ingress, V1Job, V1Pod, V1Service, V2HorizontalPodAutoscaler } from '@kubernetes/client-node';
import type { StackStatus } from '../../../../cli/cluster/stack-status';
import { frontsOf, gatewayRoutes, ingressRoutes, readinessPath } from '../../../../cli/verify/fronts';
import { jobsFinding, podsFinding, scalerFinding } from '../../../../cli/verify/objects';
import { count, failures, lines, type Finding } from '../../../../cli/verify/result';
import type { ClusterAccess } from '../../../../local';

const NGINX = 'nginx.ingress.kubernetes.io';
const ingress = (annotations: Readonly<Record<string, string>> = {}, host = 'shop.example'): V1Ingress => ({
  metadata: { annotations },
  spec: {
    rules: [
      { host, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web-service' } } }] } },
    ],
  },
});
const service: V1Service = { metadata: { name: 'web-service' }, spec: { selector: { app: 'web' } } };
const pod = (path: string): V1Pod => ({
  metadata: { labels: { app: 'web', version: '1' } },
  spec: { containers: [{ name: 'side' }, { name: 'web', readinessProbe: { httpGet: { path, port: 80 } } }] },
});

describe('public addresses', () => {
  test('are those of Ingresses; plain HTTP leads to HTTPS unless that is off', () => {
    const off = ingress({ [`${NGINX}/force-ssl-redirect`]: 'false' }, 'plain.example');
    expect(ingressRoutes([ingress(), off])).toEqual([
      { host: 'shop.example', path: '/', service: 'web-service', redirects: true },
      { host: 'plain.example', path: '/', service: 'web-service', redirects: false },
    ]);
  });

  test('are not added to by a canary’s share', () => {
    expect(ingressRoutes([ingress({ [`${NGINX}/canary`]: 'true' })])).toEqual([]);
  });

  test('are those of HTTPRoutes; one that only redirects says that its host does', () => {
    const hostnames = ['shop.example'];
    const served = {
      spec: { hostnames, rules: [{ matches: [{ path: { value: '/api' } }], backendRefs: [{ name: 'api' }] }] },
    };
    const redirect = { spec: { hostnames, rules: [{ filters: [{ type: 'RequestRedirect' }] }] } };
    expect(gatewayRoutes([served])).toEqual([{ host: 'shop.example', path: '/api', service: 'api', redirects: false }]);
    expect(gatewayRoutes([redirect, served])).toMatchObject([{ path: '/api', redirects: true }]);
  });

  test('are asked for what the kubelet asks their pods for', () => {
    expect(readinessPath(service, [pod('/ready')])).toBe('/ready');
    expect(readinessPath(service, [])).toBeUndefined();
    expect(readinessPath({ spec: {} }, [pod('/ready')])).toBeUndefined();
    expect(readinessPath(undefined, [pod('/ready')])).toBeUndefined();
  });

  test('count once, whatever serves them; a name for all hosts can’t be asked', async () => {
    const lists: Readonly<Record<string, unknown>> = {
      ingresses: [ingress(), ingress({}, '*.example')],
      httproutes: [{ spec: { hostnames: ['shop.example'], rules: [{ backendRefs: [{ name: 'web-service' }] }] } }],
      services: [service],
      pods: [pod('/ready')],
    };
    const list = (path: string): Promise<unknown> => Promise.resolve(lists[path.split('/').at(-1) ?? '']);
    expect(await frontsOf({ list } as unknown as ClusterAccess, 'shop')).toEqual([
      { host: 'shop.example', path: '/ready', readiness: true, redirects: true },
    ]);
  });
});

describe('an autoscaler', () => {
  const scaler = (conditions: object[], currentMetrics: object[] = []): V2HorizontalPodAutoscaler =>
    ({
      metadata: { namespace: 'shop', name: 'web' },
      status: { conditions, currentMetrics },
    }) as V2HorizontalPodAutoscaler;

  test('that reads its metric is well', () => {
    const cpu = { resource: { name: 'cpu', current: { averageUtilization: 12 } } };
    const active = [{ type: 'ScalingActive', status: 'True' }];
    expect(scalerFinding(scaler(active, [cpu]))).toEqual({
      title: 'autoscaler shop/web',
      ok: true,
      detail: 'reads cpu 12 %',
    });
    expect(scalerFinding(scaler(active))).toMatchObject({ ok: true, detail: 'reads its metric' });
  });

  test.each([
    ['has not looked yet', []],
    [
      'FailedGetResourceMetric: no metrics',
      [{ type: 'ScalingActive', status: 'False', reason: 'FailedGetResourceMetric', message: 'no metrics' }],
    ],
  ])('that reads none is not: %s', (why, conditions) => {
    expect(scalerFinding(scaler(conditions))).toMatchObject({ ok: false, detail: `reads no metric: ${why}` });
  });

  test('whose workload was scaled to 0 rests', () => {
    const resting = [{ type: 'ScalingActive', status: 'False', reason: 'ScalingDisabled', message: 'x' }];
    expect(scalerFinding(scaler(resting))).toMatchObject({ ok: true, skipped: true });
  });
});

describe('jobs', () => {
  const job = (name: string, at: string, type: string | undefined, cron?: string): V1Job =>
    ({
      metadata: {
        ...{ namespace: 'shop', name, creationTimestamp: at },
        ...(cron === undefined ? {} : { ownerReferences: [{ kind: 'CronJob', uid: cron }] }),
      },
      status:
        type === undefined ? { active: 1 } : { conditions: [{ type, status: 'True', reason: 'BackoffLimitExceeded' }] },
    }) as unknown as V1Job;

  test('that failed are named', () => {
    expect(jobsFinding([job('one', '10:00', 'Failed'), job('two', '10:00', 'Complete')])).toEqual({
      ...{ title: 'jobs', ok: false },
      detail: 'failed: shop/one (BackoffLimitExceeded)',
    });
  });

  test('of a CronJob count by their last run that has ended', () => {
    const failed = job('dump-1', '01:00', 'Failed', 'dump');
    expect(
      jobsFinding([failed, job('dump-2', '02:00', 'Complete', 'dump'), job('dump-3', '03:00', undefined, 'dump')]),
    ).toMatchObject({
      ...{ ok: true, detail: '1 ended well' },
    });
    expect(jobsFinding([job('dump-0', '00:00', 'Complete', 'dump'), failed])).toMatchObject({ ok: false });
  });

  test('that a command started and told of do not count where they failed', () => {
    const annotations = { 'cronjob.kubernetes.io/instantiate': 'manual' };
    const byHand = (one: V1Job): V1Job => ({ ...one, metadata: { ...one.metadata, annotations } });
    const refused = byHand(job('dump-9', '09:00', 'Failed', 'dump'));
    const scheduled = job('dump-1', '01:00', 'Failed', 'dump');
    expect(jobsFinding([refused])).toMatchObject({ ok: true });
    expect(jobsFinding([scheduled, refused])).toMatchObject({ ok: false });
    expect(jobsFinding([scheduled, byHand(job('dump-2', '02:00', 'Complete', 'dump'))])).toMatchObject({ ok: true });
  });

  test('may be none', () => expect(jobsFinding([])).toMatchObject({ ok: true, detail: 'none has run' }));
});

test('pods are well when the stack is; else what is not is named', () => {
  const status = {
    pods: [{ namespace: 'shop', name: 'web-1', state: 'CrashLoopBackOff', ready: false }],
    short: ['Deployment web: 0 of 1 replicas are Ready'],
  };
  const of = (changes: object): Finding =>
    podsFinding({ ...status, ready: false, ...changes } as unknown as StackStatus);
  expect(of({ ready: true })).toEqual({ title: 'pods', ok: true, detail: 'all 1 Ready' });
  expect(of({}).detail).toBe('Deployment web: 0 of 1 replicas are Ready, shop/web-1 (CrashLoopBackOff)');
  expect(of({ pods: [], short: [] }).detail).toBe('there are none');
  expect(of({ pods: [{ ready: true }], short: [] }).detail).toBe('no node is Ready');
});

test('each check is one line; what was not looked at is no failure', () => {
  const findings: readonly Finding[] = [
    { title: 'pods', ok: true, detail: 'all 3 Ready' },
    { title: 'jobs', ok: false, detail: 'failed: x' },
    { title: 'addresses', ok: false, skipped: true, detail: 'not looked at' },
  ];
  expect(lines(findings)).toBe('✔ pods: all 3 Ready\n✖ jobs: failed: x\n○ addresses: not looked at\n');
  expect(count(findings)).toBe('1 of 2 checks failed');
  expect(count(findings.slice(0, 1))).toBe('1 checks');
  expect(failures(findings)).toEqual([findings[1]]);
});
