import type { Chart } from 'cdk8s';
import type { ApiObject } from 'cdk8s';
import { declareExternal } from '../../../components/external';
import { render } from '../../../bridge/render';
import { container, cronJob, deployment, ingress, object, scaler, service } from './objects';
import { freshChart, problemsOf } from './support';

const statefulSet = (chart: Chart, id: string, replicas: number): ApiObject =>
  object(chart, id, 'apps/v1', 'StatefulSet', {
    spec: {
      replicas,
      selector: { matchLabels: { app: id } },
      template: { metadata: { labels: { app: id } }, spec: { containers: [container()] } },
    },
  });
/** What selects one pod of a StatefulSet. */
const ordinal = (id: string, number: number) => ({
  app: id,
  'statefulset.kubernetes.io/pod-name': `${id}-${number}`,
});

const cases: readonly [title: string, build: (chart: Chart) => void, problem: string | RegExp][] = [
  [
    'a name with capitals',
    (c) => object(c, 'x', 'v1', 'ConfigMap', { metadata: { name: 'Bad_Name!' } }),
    /^chart\/x: metadata\.name must be an RFC 1123 subdomain .*, got 'Bad_Name!'$/,
  ],
  [
    'a Service name above 63 characters',
    (c) => service(c, 's'.repeat(64), { ports: [{ port: 80 }] }),
    /metadata\.name must be an RFC 1123 label .* at most 63/,
  ],
  [
    'a CronJob name above 52 characters',
    (c) => cronJob(c, 'j'.repeat(53), '0 3 * * *'),
    /metadata\.name must be an RFC 1123 label .* at most 52/,
  ],
  [
    'a namespace with capitals',
    (c) => object(c, 'x', 'v1', 'ConfigMap', { metadata: { name: 'x', namespace: 'Dev_Env' } }),
    /metadata\.namespace must be an RFC 1123 label/,
  ],
  [
    'a label value with a blank',
    (c) => object(c, 'x', 'v1', 'ConfigMap', { metadata: { name: 'x', labels: { a: 'x y!' } } }),
    /label 'a' must be a label value .*, got 'x y!'/,
  ],
  [
    'a cron minute out of range',
    (c) => cronJob(c, 'j', '61 * * * *'),
    "chart/j: spec.schedule must be a cron schedule: minute '61' is not within 0-59, got '61 * * * *'",
  ],
  ['a cron of words', (c) => cronJob(c, 'j', 'abc * * * *'), /minute 'abc' is not within 0-59/],
  [
    'negative replicas',
    (c) => deployment(c, 'd', container(), {}, { replicas: -1 }),
    'chart/d: spec.replicas must be a whole number from 0, got -1',
  ],
  [
    'replicas as text',
    (c) => deployment(c, 'd', container(), {}, { replicas: 'two' }),
    'chart/d: spec.replicas must be a whole number from 0, got "two"',
  ],
  [
    'a port above 65535',
    (c) => deployment(c, 'd', container({ ports: [{ containerPort: 99999 }] })),
    "chart/d: container 'c': containerPort must be a whole number from 1 to 65535, got 99999",
  ],
  [
    'a port listed twice',
    (c) => deployment(c, 'd', container({ ports: [{ containerPort: 80 }, { containerPort: 80 }] })),
    "chart/d: container 'c': a port is listed twice: 80, 80",
  ],
  [
    'an empty image',
    (c) => deployment(c, 'd', container({ image: '' })),
    "chart/d: container 'c': image must not be empty",
  ],
  [
    'no container',
    (c) => deployment(c, 'd', container(), { containers: [] }),
    'chart/d: a pod needs at least one container',
  ],
  [
    'a CPU limit below the request',
    (c) => deployment(c, 'd', container({ resources: { requests: { cpu: '1' }, limits: { cpu: '500m' } } })),
    "chart/d: container 'c': resources.requests.cpu must not exceed its limit, got 1 > 500m",
  ],
  [
    'a negative quantity',
    (c) => deployment(c, 'd', container({ resources: { requests: { cpu: '-5m' } } })),
    `chart/d: container 'c': resources.requests.cpu must be a quantity above zero, got "-5m"`,
  ],
  [
    'a misspelt quantity',
    (c) => deployment(c, 'd', container({ resources: { limits: { memory: '1Gib' } } })),
    `chart/d: container 'c': resources.limits.memory must be a quantity above zero, got "1Gib"`,
  ],
  [
    'NaN as a number',
    (c) => deployment(c, 'd', container({ resources: { limits: { memory: Number.NaN } } })),
    /limits\.memory must be a finite number, got NaN/,
  ],
  [
    'an environment variable as a number',
    (c) => deployment(c, 'd', container({ env: [{ name: 'A', value: 1 }] })),
    "chart/d: container 'c': environment variable 'A' must be a string, got 1",
  ],
  [
    'an environment variable set twice',
    (c) =>
      deployment(
        c,
        'd',
        container({
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '2' },
          ],
        }),
      ),
    "chart/d: container 'c': environment variable 'A' is set twice",
  ],
  [
    'a mount without a volume',
    (c) => deployment(c, 'd', container({ volumeMounts: [{ name: 'v', mountPath: '/v' }] })),
    "chart/d: container 'c': mounts volume 'v', which the pod does not have",
  ],
  [
    'root where root is forbidden',
    (c) => deployment(c, 'd', container({ securityContext: { runAsUser: 0, runAsNonRoot: true } })),
    /runAsUser 0 with runAsNonRoot/,
  ],
  [
    'a ConfigMap value as a number',
    (c) => object(c, 'x', 'v1', 'ConfigMap', { data: { a: 1 } }),
    'chart/x: data.a must be a string, got a value of type number',
  ],
  [
    'a ConfigMap key with a slash',
    (c) => object(c, 'x', 'v1', 'ConfigMap', { data: { 'a/b c': '1' } }),
    "chart/x: data key 'a/b c' must be letters, digits, '-', '_' or '.'",
  ],
  [
    'a ConfigMap above 1 MiB',
    (c) => object(c, 'x', 'v1', 'ConfigMap', { data: { a: 'x'.repeat(1_100_000) } }),
    /the content is 1100000 bytes, and at most 1048576 fit/,
  ],
  [
    'a claim without access modes',
    (c) => object(c, 'x', 'v1', 'PersistentVolumeClaim', { spec: {} }),
    'chart/x: spec.accessModes must name at least one mode',
  ],
  [
    'a Service that selects nothing',
    (c) => service(c, 's', { selector: { app: 'none' }, ports: [{ port: 80 }] }),
    'chart/s: its selector matches no pod of this definition',
  ],
  [
    'a Service to a replica that there is not',
    (c) => (
      statefulSet(c, 'd', 2),
      service(c, 's', { selector: ordinal('d', 2), ports: [{ port: 80, targetPort: 8080 }] })
    ),
    'chart/s: its selector matches no pod of this definition',
  ],
  [
    'a Service to a port that the pod lacks',
    (c) => (deployment(c, 'd'), service(c, 's', { selector: { app: 'd' }, ports: [{ port: 80, targetPort: 9090 }] })),
    'chart/s: targetPort 9090 is no port of the selected pods, which have: http/8080',
  ],
  [
    'a key that the Secret lacks',
    (c) => (
      object(c, 'sec', 'v1', 'Secret', { stringData: { A: 'x' } }),
      deployment(c, 'd', container({ env: [{ name: 'B', valueFrom: { secretKeyRef: { name: 'sec', key: 'B' } } }] }))
    ),
    "chart/d: containers[c].env[B] reads key 'B' of Secret 'sec', which has only: A",
  ],
  [
    'a Secret that nobody makes',
    (c) => deployment(c, 'd', container({ envFrom: [{ secretRef: { name: 'gone' } }] })),
    "chart/d: containers[c].envFrom names Secret 'gone', which is neither defined here nor declared with declareExternal",
  ],
  [
    'a service account that nobody makes',
    (c) => deployment(c, 'd', container(), { serviceAccountName: 'gone' }),
    /serviceAccountName names ServiceAccount 'gone'/,
  ],
  [
    'an Ingress to no Service',
    (c) => ingress(c, 'a.example.com', 'gone', 80),
    "chart/i: the backend Service 'gone' is not defined in namespace 'test'",
  ],
  [
    'an Ingress to a port that the Service lacks',
    (c) => (
      deployment(c, 'd'),
      service(c, 's', { selector: { app: 'd' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] }),
      ingress(c, 'a.example.com', 's', 81)
    ),
    "chart/i: the backend Service 's' has no port 81, only: http/80",
  ],
  [
    'a host that is no host name',
    (c) => ingress(c, 'bad_host..com', 'gone', 80),
    /spec\.rules\.host must be a lower-case host name .*, got 'bad_host\.\.com'/,
  ],
  [
    'an autoscaler without a target',
    (c) => scaler(c, 'gone'),
    "chart/h: scaleTargetRef names Deployment 'gone', which is not defined here",
  ],
  [
    'an autoscaler beside fixed replicas',
    (c) => (deployment(c, 'd', container(), {}, { replicas: 2 }), scaler(c, 'd')),
    "chart/h: Deployment 'd' sets spec.replicas too, and the two would fight over it",
  ],
  [
    'an autoscaler whose minimum is above its maximum',
    (c) => (deployment(c, 'd'), scaler(c, 'd', { minReplicas: 5 })),
    'chart/h: minReplicas (5) must not exceed maxReplicas (3)',
  ],
  [
    'a policy that selects nothing',
    (c) =>
      object(c, 'n', 'networking.k8s.io/v1', 'NetworkPolicy', {
        spec: { podSelector: { matchLabels: { app: 'none' } } },
      }),
    'chart/n: its selector app=none matches no pod of this definition',
  ],
  [
    'a budget above what runs',
    (c) => (
      deployment(c, 'd', container(), {}, { replicas: 2 }),
      object(c, 'p', 'policy/v1', 'PodDisruptionBudget', {
        spec: { minAvailable: 2, selector: { matchLabels: { app: 'd' } } },
      })
    ),
    /minAvailable 2 can never be met .* at most 1 is allowed/,
  ],
];

describe('a definition is refused before any resource exists', () => {
  it.each(cases)('for %s', (_title, build, problem) => {
    const { app, chart } = freshChart();
    build(chart);
    const problems = problemsOf(() => render(app));
    expect(problems).toContainEqual(typeof problem === 'string' ? problem : expect.stringMatching(problem));
  });

  it('for two objects that would be one in the cluster', () => {
    const { app, chart } = freshChart();
    for (const id of ['a', 'b']) object(chart, id, 'v1', 'ConfigMap', { metadata: { name: 'same' } });
    expect(problemsOf(() => render(app))).toEqual([
      "chart/b: ConfigMap. 'same' in namespace 'test' is already defined by chart/a; give one of them another name",
    ]);
  });

  it('with every problem in one error', () => {
    const { app, chart } = freshChart();
    deployment(chart, 'one', container({ image: '' }));
    deployment(chart, 'two', container({ ports: [{ containerPort: 0 }] }));
    const problems = problemsOf(() => render(app));
    expect(problems).toHaveLength(2);
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(['chart/one', 'chart/two']);
  });

  it('for objects that depend on each other in a circle, naming the circle', () => {
    const { app, chart } = freshChart();
    const [a, b] = ['a', 'b'].map((id) => object(chart, id, 'v1', 'ConfigMap', { data: {} })) as [ApiObject, ApiObject];
    a.addDependency(b);
    b.addDependency(a);
    expect(problemsOf(() => render(app))).toEqual([
      'objects depend on each other in a circle: chart/a → chart/b → chart/a',
    ]);
  });
});

describe('a definition is accepted', () => {
  it('where a reference leads to an object declared as made elsewhere', () => {
    const { app, chart } = freshChart();
    declareExternal(chart, 'Secret', 'managed');
    deployment(chart, 'd', container({ envFrom: [{ secretRef: { name: 'managed' } }] }));
    expect(problemsOf(() => render(app))).toEqual([]);
  });

  it('where a Service leads to one replica', () => {
    const { app, chart } = freshChart();
    statefulSet(chart, 'd', 3);
    service(chart, 's', { selector: ordinal('d', 2), ports: [{ port: 80, targetPort: 8080 }] });
    expect(problemsOf(() => render(app))).toEqual([]);
  });
});
