import { ruleFor, timeoutOf, untilReady } from '../../../../local/plugins/kubernetes/await';
import { diagnose } from '../../../../local/plugins/kubernetes/await/diagnosis';
import type { Cluster } from '../../../../local/plugins/kubernetes/cluster';
import type { Gvk, KubeObject } from '../../../../local/plugins/kubernetes/objects';

const signal = new AbortController().signal;
const gvk = (group: string, kind: string): Gvk => ({ group, version: 'v1', kind });

interface World {
  readonly lists?: Readonly<Record<string, readonly KubeObject[]>>;
  readonly objects?: Readonly<Record<string, KubeObject>>;
  readonly log?: string;
}

/** A cluster that answers lists by the last part of their path, and objects by kind. */
const cluster = (world: World = {}): Cluster =>
  ({
    list: (path: string) => Promise.resolve(world.lists?.[path.split('/').at(-1) ?? ''] ?? []),
    get: ({ kind }: Gvk) => Promise.resolve(world.objects?.[kind]),
    logs: () => Promise.resolve(world.log ?? ''),
  }) as unknown as Cluster;

async function look(kind: Gvk, live: KubeObject, world: World = {}, elapsed = 100): Promise<string> {
  const wait = ruleFor(kind, live);
  if (wait === undefined) return 'nothing to wait for';
  const verdict = await wait.rule(live, { cluster: cluster(world), gvk: kind, elapsed, signal });
  return verdict.ready ? 'ready' : `${verdict.fatal === undefined ? '' : 'fatal: '}${verdict.status}`;
}

const conditions = (...list: readonly [string, string, string?, string?][]): readonly KubeObject[] =>
  list.map(([type, status, reason = '', message = '']) => ({ type, status, reason, message }));

describe('workloads', () => {
  const deployment = (status: KubeObject, spec: KubeObject = {}): KubeObject => ({
    metadata: { generation: 2 },
    spec: { replicas: 3, ...spec },
    status: { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3, ...status },
  });

  test.each<[string, KubeObject, KubeObject, string]>([
    ['all replicas', {}, {}, 'ready'],
    ['an old generation', { observedGeneration: 1 }, {}, 'waiting for the deployment controller'],
    ['too few updated', { updatedReplicas: 1 }, {}, '1/3 replicas updated'],
    ['too few available', { availableReplicas: 2 }, {}, '2/3 replicas available'],
    ['old pods left', { replicas: 4 }, {}, '1 old replicas to end'],
    ['paused', { availableReplicas: 0 }, { paused: true }, 'ready'],
    ['none wanted', { replicas: 0, updatedReplicas: 0, availableReplicas: 0 }, { replicas: 0 }, 'ready'],
    [
      'no progress',
      { conditions: conditions(['Progressing', 'False', 'ProgressDeadlineExceeded', 'late']) },
      {},
      'fatal: ProgressDeadlineExceeded: late',
    ],
    [
      'refused pods',
      {
        availableReplicas: 0,
        updatedReplicas: 0,
        conditions: conditions(['ReplicaFailure', 'True', 'FailedCreate', 'violates PodSecurity "restricted:latest"']),
      },
      {},
      'fatal: violates PodSecurity "restricted:latest"',
    ],
    [
      'a full quota',
      { updatedReplicas: 2, conditions: conditions(['ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota']) },
      {},
      '2/3 replicas updated',
    ],
  ])('a Deployment with %s', async (_, status, spec, expected) => {
    expect(await look(gvk('apps', 'Deployment'), deployment(status, spec))).toBe(expected);
  });

  test.each<[string, KubeObject, KubeObject, string]>([
    ['all ready', { readyReplicas: 2, currentReplicas: 2, currentRevision: 'a', updateRevision: 'a' }, {}, 'ready'],
    ['one ready', { readyReplicas: 1, currentRevision: 'a', updateRevision: 'a' }, {}, '1/2 replicas ready'],
    [
      'pods of a predecessor',
      { readyReplicas: 2, currentReplicas: 1, currentRevision: 'b', updateRevision: 'b' },
      {},
      '1/2 replicas updated',
    ],
    [
      'a rollout under way',
      { readyReplicas: 2, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
      {},
      '1/2 replicas updated',
    ],
    [
      'a partition',
      { readyReplicas: 2, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
      { updateStrategy: { rollingUpdate: { partition: 1 } } },
      'ready',
    ],
    [
      'updates by hand',
      { readyReplicas: 2, updatedReplicas: 0, currentRevision: 'a', updateRevision: 'b' },
      { updateStrategy: { type: 'OnDelete' } },
      'ready',
    ],
  ])('a StatefulSet with %s', async (_, status, spec, expected) => {
    const live = {
      metadata: { generation: 1 },
      spec: { replicas: 2, ...spec },
      status: { observedGeneration: 1, ...status },
    };
    expect(await look(gvk('apps', 'StatefulSet'), live)).toBe(expected);
  });

  test('DaemonSets, Jobs and Pods', async () => {
    const daemons = (numberAvailable: number): KubeObject => ({
      metadata: { generation: 1 },
      status: { observedGeneration: 1, desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable },
    });
    expect(await look(gvk('apps', 'DaemonSet'), daemons(2))).toBe('ready');
    expect(await look(gvk('apps', 'DaemonSet'), daemons(1))).toBe('1/2 pods available');
    const job = gvk('batch', 'Job');
    expect(await look(job, { status: { active: 1 } })).toBe('0/1 completions, 1 active');
    expect(await look(job, { status: { conditions: conditions(['Complete', 'True']) } })).toBe('ready');
    expect(await look(job, { spec: { suspend: true } })).toBe('ready');
    expect(
      await look(job, { status: { conditions: conditions(['Failed', 'True', 'BackoffLimitExceeded', 'gave up']) } }),
    ).toBe('fatal: BackoffLimitExceeded: gave up');
    expect(await look(gvk('', 'Pod'), { status: { phase: 'Succeeded' } })).toBe('ready');
    expect(await look(gvk('', 'Pod'), { status: { phase: 'Failed', message: 'evicted' } })).toBe('fatal: evicted');
    expect(await look(gvk('', 'Pod'), { status: { conditions: conditions(['Ready', 'True']) } })).toBe('ready');
    expect(await look(gvk('', 'Pod'), {})).toBe('waiting for a node');
  });
});

describe('other kinds', () => {
  const service = gvk('', 'Service');
  const slices = { lists: { endpointslices: [{ endpoints: [{ addresses: ['10.0.0.1'] }] }] } };

  test('Services', async () => {
    const spec = { selector: { app: 'a' }, clusterIP: '10.0.0.2' };
    expect(await look(service, { spec })).toBe('waiting for pods that the selector matches');
    expect(await look(service, { spec }, slices)).toBe('ready');
    expect(await look(service, { spec: { ...spec, clusterIP: 'None' } })).toBe('ready');
    expect(await look(service, { spec: { clusterIP: '10.0.0.2' } })).toBe('ready');
    expect(await look(service, { spec: { type: 'ExternalName' } })).toBe('ready');
    const balancer = { ...spec, type: 'LoadBalancer' };
    expect(await look(service, { spec: balancer }, slices)).toBe('waiting for a load balancer address');
    expect(
      await look(service, { spec: balancer, status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } } }, slices),
    ).toBe('ready');
  });

  test('claims: a class that waits for its first consumer counts as done', async () => {
    const claim = gvk('', 'PersistentVolumeClaim');
    const live = { spec: { storageClassName: 's' }, status: { phase: 'Pending' } };
    expect(await look(claim, live, { objects: { StorageClass: { volumeBindingMode: 'WaitForFirstConsumer' } } })).toBe(
      'ready',
    );
    expect(await look(claim, live, { objects: { StorageClass: { volumeBindingMode: 'Immediate' } } })).toBe(
      'waiting for a volume',
    );
    expect(await look(claim, live)).toBe('waiting for StorageClass s, which does not exist');
    expect(await look(claim, { ...live, status: { phase: 'Bound' } })).toBe('ready');
    expect(await look(claim, { ...live, status: { phase: 'Lost' } })).toBe('fatal: the volume of the claim is lost');
  });

  test('custom resources: their Ready condition, where there is one', async () => {
    const thing = gvk('example.com', 'Thing');
    expect(await look(thing, {}, {}, 0)).toBe('waiting for its controller');
    expect(await look(thing, {}, {}, 10)).toBe('ready');
    expect(await look(thing, { status: { conditions: conditions(['Ready', 'False', 'Pending', 'soon']) } })).toBe(
      'Pending: soon',
    );
    expect(await look(thing, { status: { conditions: conditions(['Ready', 'True']) } })).toBe('ready');
    expect(
      await look(thing, {
        metadata: { generation: 2 },
        status: { observedGeneration: 1, conditions: conditions(['Ready', 'True']) },
      }),
    ).toBe('waiting for its controller');
  });

  test('definitions, quotas, ingresses, and what has no rule', async () => {
    expect(
      await look(gvk('apiextensions.k8s.io', 'CustomResourceDefinition'), {
        status: { conditions: conditions(['Established', 'True']) },
      }),
    ).toBe('ready');
    expect(
      await look(gvk('apiextensions.k8s.io', 'CustomResourceDefinition'), {
        status: { conditions: conditions(['NamesAccepted', 'False', 'Conflict', 'taken']) },
      }),
    ).toBe('fatal: Conflict: taken');
    expect(
      await look(gvk('', 'ResourceQuota'), { spec: { hard: { cpu: '1000m' } }, status: { hard: { cpu: '1' } } }),
    ).toBe('ready');
    expect(await look(gvk('networking.k8s.io', 'Ingress'), {})).toMatch(/^waiting for an ingress controller/);
    expect(await look(gvk('', 'ConfigMap'), {})).toBe('nothing to wait for');
  });
});

describe('annotations', () => {
  const annotated = (annotations: KubeObject, rest: KubeObject = {}): KubeObject => ({
    metadata: { annotations },
    ...rest,
  });

  test('skipAwait, waitFor, timeoutSeconds', async () => {
    const pod = gvk('', 'Pod');
    expect(ruleFor(pod, annotated({ 'pulumi.com/skipAwait': 'true' }))).toBeUndefined();
    const asked = (source: string, status: KubeObject): Promise<string> =>
      look(pod, annotated({ 'pulumi.com/waitFor': source }, { status }));
    expect(await asked('jsonpath={.status.phase}=Running', { phase: 'Running' })).toBe('ready');
    expect(await asked('jsonpath={.status.phase}=Running', { phase: 'Pending' })).toBe(
      'status.phase is Pending, not Running',
    );
    expect(
      await asked('["condition=A", "condition=B=False"]', { conditions: conditions(['A', 'True'], ['B', 'True']) }),
    ).toBe('condition B is True');
    expect(() => ruleFor(pod, annotated({ 'pulumi.com/waitFor': 'whatever' }))).toThrow(/neither condition/);
    expect(timeoutOf(0, annotated({ 'pulumi.com/timeoutSeconds': '7' }), 600)).toBe(7);
    expect(timeoutOf(9, annotated({ 'pulumi.com/timeoutSeconds': '7' }), 600)).toBe(9);
    expect(timeoutOf(0, annotated({ 'pulumi.com/timeoutSeconds': 'x' }), 600)).toBe(600);
  });
});

describe('the diagnosis', () => {
  const live = {
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'n' },
    spec: { selector: { matchLabels: { app: 'web' } } },
  };
  const pod = (status: KubeObject): KubeObject => ({ metadata: { name: 'web-1', namespace: 'n' }, status });
  const problems = (world: World): Promise<string[]> =>
    diagnose(cluster(world), gvk('apps', 'Deployment'), live, signal);

  test('an image that can’t be pulled', async () => {
    const state = { waiting: { reason: 'ImagePullBackOff', message: 'not found' } };
    const found = await problems({
      lists: { pods: [pod({ containerStatuses: [{ name: 'c', image: 'r/i:1', state }] })] },
    });
    expect(found).toEqual(["pod web-1, container c: image r/i:1 can't be pulled (ImagePullBackOff): not found"]);
  });

  test('a crash, with its last lines', async () => {
    const status = {
      name: 'c',
      restartCount: 4,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    };
    const found = await problems({
      lists: { pods: [pod({ containerStatuses: [status] })] },
      log: 'starting\nno database',
    });
    expect(found).toEqual([
      'pod web-1, container c: ended with exit code 3, 4 restarts; its last lines:\n      | starting\n      | no database',
    ]);
  });

  test('a pod without a node, a refused pod, and what events say', async () => {
    const unscheduled = pod({
      conditions: conditions(['PodScheduled', 'False', 'Unschedulable', '0/1 nodes: no memory']),
    });
    expect(await problems({ lists: { pods: [unscheduled] } })).toEqual([
      "pod web-1 can't be scheduled: 0/1 nodes: no memory",
    ]);
    const refused = {
      ...live,
      status: { conditions: conditions(['ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota: small']) },
    };
    expect(await diagnose(cluster(), gvk('apps', 'Deployment'), refused, signal)).toEqual(['exceeded quota: small']);
    const events = [
      { reason: 'Unhealthy', message: 'Readiness probe failed: 503', lastTimestamp: '2026-01-01T00:00:00Z' },
    ];
    const running = pod({ phase: 'Running', containerStatuses: [{ name: 'c', ready: false, state: { running: {} } }] });
    expect(await problems({ lists: { pods: [running], events } })).toContain(
      'pod web-1: Unhealthy: Readiness probe failed: 503',
    );
  });

  test('a wait that times out tells it all, and its progress on the way', async () => {
    const world = { lists: { pods: [pod({ conditions: conditions(['PodScheduled', 'False', '', 'no nodes']) })] } };
    const waiting = { ...live, status: { observedGeneration: 0 } };
    const seen: string[] = [];
    const request = {
      cluster: { ...cluster(world), get: () => Promise.resolve(waiting) } as unknown as Cluster,
      gvk: gvk('apps', 'Deployment'),
      inputs: live,
      live: waiting,
      timeout: 0.2,
      signal,
    };
    await expect(untilReady({ ...request, status: (line) => seen.push(line) })).rejects.toThrow(
      /^Deployment n\/web did not become ready: 0\/1 replicas updated after \d s\n {2}- pod web-1 can't be scheduled: no nodes$/,
    );
    expect(seen).toEqual(['0/1 replicas updated']);
  });
});
