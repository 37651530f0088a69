import { App, Chart, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { GpuInferenceDeployment } from '../../../components/gpu-inference-deployment';
import { GpuRequest } from '../../../components/gpu-request';
import { ServiceType } from '../../../components/http-props';
import { ModelSource } from '../../../components/model-source';
import type { NamespaceBaselineProps } from '../../../components/namespace-baseline';
import { NamespaceBaseline } from '../../../components/namespace-baseline';
import { totalsOf } from '../../../components/namespace-quota';
import { compute } from '../../../components/pod';
import { RemovalPolicy, releaseOptionsOf } from '../../../components/release-options';
import { StatefulDatabase } from '../../../components/stateful-database';
import { minimalDatabase } from '../../support/props';
import { find, freshChart, IMAGE, problemsOf } from '../../support/service-props';

const quota = { compute: compute([4000, 8000], [8192, 16_384]) };
const node = { cpu: Cpu.units(2), memory: Size.gibibytes(4) };

describe('with a quota and nothing else', () => {
  const chart = freshChart();
  const baseline = new NamespaceBaseline(chart, 'baseline', { quota });

  test('the namespace enforces Pod Security restricted, pinned, and is in no namespace', () => {
    const { metadata } = find(chart, 'v1/Namespace');
    expect(metadata).toEqual({
      name: 'shop',
      labels: {
        'pod-security.kubernetes.io/enforce': 'restricted',
        'pod-security.kubernetes.io/enforce-version': 'v1.34',
        'pod-security.kubernetes.io/audit': 'restricted',
        'pod-security.kubernetes.io/audit-version': 'v1.34',
        'pod-security.kubernetes.io/warn': 'restricted',
        'pod-security.kubernetes.io/warn-version': 'v1.34',
      },
    });
    expect(releaseOptionsOf(baseline.node.findChild('Namespace')).removalPolicy).toBe(RemovalPolicy.RETAIN);
  });

  test('pods that name no account get no token', () => {
    const account = find(chart, 'v1/ServiceAccount', 'default');
    expect(account.automountServiceAccountToken).toBe(false);
    expect(account.metadata.namespace).toBe('shop');
  });

  test('nothing comes in or goes out by itself', () => {
    expect(find(chart, 'networking.k8s.io/v1/NetworkPolicy').spec).toEqual({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
  });

  test('the quota bounds the sum, and the limits each container', () => {
    expect(find(chart, 'v1/ResourceQuota').spec.hard).toEqual({
      'requests.cpu': '4000m',
      'limits.cpu': '8000m',
      'requests.memory': '8Gi',
      'limits.memory': '16Gi',
      pods: '100',
      persistentvolumeclaims: '20',
      'requests.storage': '200Gi',
      'services.loadbalancers': '1',
    });
    expect(find(chart, 'v1/LimitRange').spec.limits).toEqual([
      {
        type: 'Container',
        defaultRequest: { cpu: '100m', memory: '128Mi', 'ephemeral-storage': '64Mi' },
        default: { cpu: '500m', memory: '512Mi', 'ephemeral-storage': '512Mi' },
      },
    ]);
  });
});

test('every prop is where it belongs', () => {
  const chart = freshChart();
  const props: Required<NamespaceBaselineProps> = {
    quota: {
      compute: { ...quota.compute, ephemeralStorage: { request: Size.gibibytes(5), limit: Size.gibibytes(10) } },
      pods: 7,
      persistentVolumeClaims: 0,
      storage: Size.gibibytes(50),
      loadBalancers: 0,
      devices: { 'nvidia.com/gpu': 2 },
    },
    containerDefaults: compute([10, 20], [30, 40]),
    podSecurityVersion: 'v1.33',
    largestNode: { cpu: Cpu.units(4), memory: Size.gibibytes(8), devices: { 'nvidia.com/gpu': 1 } },
    podSecurityException: { level: 'privileged', reason: 'reads the logs of the node' },
    removalPolicy: RemovalPolicy.DESTROY,
    labels: { team: 'blue' },
  };
  const baseline = new NamespaceBaseline(chart, 'baseline', props);
  expect(find(chart, 'v1/Namespace').metadata.labels).toMatchObject({
    team: 'blue',
    'pod-security.kubernetes.io/warn-version': 'v1.33',
    'pod-security.kubernetes.io/enforce': 'privileged',
    'pod-security.kubernetes.io/warn': 'privileged',
    // What is excepted is still seen.
    'pod-security.kubernetes.io/audit': 'restricted',
  });
  expect(find(chart, 'v1/Namespace').metadata.annotations).toEqual({
    'trellis.dev/pod-security-reason': 'reads the logs of the node',
  });
  expect(releaseOptionsOf(baseline.node.findChild('Namespace')).removalPolicy).toBe(RemovalPolicy.DESTROY);
  expect(find(chart, 'v1/ResourceQuota').spec.hard).toMatchObject({
    pods: '7',
    persistentvolumeclaims: '0',
    'requests.storage': '50Gi',
    'services.loadbalancers': '0',
    'requests.nvidia.com/gpu': '2',
    'limits.ephemeral-storage': '10Gi',
  });
  expect(find(chart, 'v1/LimitRange').spec.limits[0]?.default).toMatchObject({ cpu: '20m', memory: '40Mi' });
});

describe('without a quota', () => {
  const hard = (build: (chart: Chart) => void): unknown => {
    const chart = freshChart();
    new NamespaceBaseline(chart, 'baseline');
    build(chart);
    return find(chart, 'v1/ResourceQuota').spec.hard;
  };

  test('it follows from the workloads, with the autoscaler at its maximum and a rollout under way', () => {
    // Three pods at most and one more: 4 × 250m/256Mi, a quarter on top.
    const derived = hard((chart) => {
      new AutoscaledService(chart, 'api', { image: IMAGE, maxReplicas: 3, serviceType: ServiceType.LOAD_BALANCER });
    });
    expect(derived).toEqual({
      'limits.cpu': '2500m',
      'limits.ephemeral-storage': '2560Mi',
      'limits.memory': '2560Mi',
      persistentvolumeclaims: '0',
      pods: '5',
      'requests.cpu': '1300m',
      'requests.ephemeral-storage': '320Mi',
      'requests.memory': '1280Mi',
      'requests.storage': '0Mi',
      'services.loadbalancers': '1',
    });
  });

  test('devices and claims count as they are', () => {
    const derived = hard((chart) => {
      new StatefulDatabase(chart, 'postgres', { ...minimalDatabase, storage: Size.gibibytes(10) });
      new GpuInferenceDeployment(chart, 'llama', {
        image: IMAGE,
        gpu: GpuRequest.nvidia(2),
        model: ModelSource.baked(),
        modelSize: Size.gibibytes(1),
        replicas: 3,
      });
    });
    expect(derived).toMatchObject({
      persistentvolumeclaims: '1',
      'requests.storage': '10240Mi',
      'requests.nvidia.com/gpu': '6',
      pods: '5',
    });
    expect(derived).not.toHaveProperty('limits.nvidia.com/gpu');
  });

  test('what is in another namespace does not count', () => {
    const app = new App();
    const chart = freshChart('shop', app);
    new NamespaceBaseline(chart, 'baseline');
    new AutoscaledService(freshChart('other', app), 'api', { image: IMAGE });
    expect(find(chart, 'v1/ResourceQuota').spec.hard).toMatchObject({ pods: '0', 'services.loadbalancers': '0' });
  });

  test('one run of every job counts, and an init container where it is the largest', () => {
    const resources = (cpu: string) => ({ requests: { cpu } });
    const spec = { containers: [{ resources: resources('100m') }], initContainers: [{ resources: resources('1') }] };
    const job = { spec: { parallelism: 2, template: { spec } } };
    const metadata = { name: 'x' };
    expect(totalsOf([{ kind: 'Job', metadata, ...job }])).toMatchObject({ pods: 2, 'requests.cpu': 2000 });
    expect(totalsOf([{ kind: 'CronJob', metadata, spec: { jobTemplate: job } }])).toMatchObject({
      'requests.cpu': 2000,
    });
    const claim = { kind: 'PersistentVolumeClaim', metadata, spec: { resources: { requests: { storage: '1Gi' } } } };
    expect(totalsOf([claim, claim])).toMatchObject({ persistentvolumeclaims: 2, 'requests.storage': 2 ** 31 });
  });
});

describe('refused', () => {
  const problems = (props: Partial<NamespaceBaselineProps>, namespace = 'shop'): readonly string[] =>
    problemsOf(() => new NamespaceBaseline(freshChart(namespace), 'baseline', { quota, ...props }));

  test.each<readonly [string, Partial<NamespaceBaselineProps>, string]>([
    ['a version that is none', { podSecurityVersion: 'latest' }, "such as v1.34, got 'latest'"],
    [
      'an exception without a reason',
      { podSecurityException: { level: 'baseline', reason: ' ' } },
      'podSecurityException.reason must say why',
    ],
    ['half a pod', { quota: { ...quota, pods: 0.5 } }, 'quota.pods must be a whole number from 1'],
    ['negative claims', { quota: { ...quota, persistentVolumeClaims: -1 } }, 'quota.persistentVolumeClaims must be'],
    ['NaN balancers', { quota: { ...quota, loadBalancers: Number.NaN } }, 'quota.loadBalancers must be'],
    ['NaN storage', { quota: { ...quota, storage: Size.gibibytes(Number.NaN) } }, 'quota.storage must be a size'],
    ['requests above limits', { quota: { compute: compute([2, 1], [1, 1]) } }, 'quota.compute.cpu.request (2 m)'],
    [
      'no memory bound',
      { quota: { compute: { cpu: { limit: Cpu.units(1) } } } },
      'quota.compute.memory.limit is required',
    ],
    ['no default for memory', { containerDefaults: {} }, 'containerDefaults.memory.limit is required'],
    ['a device without vendor', { quota: { ...quota, devices: { gpu: 1 } } }, "quota.devices: 'gpu' is not"],
    ['a device by half', { quota: { ...quota, devices: { 'a.b/c': 0.5 } } }, "quota.devices['a.b/c'] must be"],
    ['a node without CPU', { largestNode: { ...node, cpu: Cpu.millis(0) } }, 'largestNode.cpu must be above zero'],
    ['a node of NaN', { largestNode: { ...node, memory: Size.gibibytes(Number.NaN) } }, 'largestNode.memory must be a'],
    [
      'a node’s device by half',
      { largestNode: { ...node, devices: { 'a.b/c': 0.5 } } },
      "largestNode.devices['a.b/c']",
    ],
    ['a node’s device without vendor', { largestNode: { ...node, devices: { gpu: 1 } } }, "'gpu' is not an extended"],
    ['a bad label', { labels: { a: '-' } }, "labels['a'] must be a label value"],
    ['a weaker level', { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } }, "is the component's"],
  ])('%s', (_, props, expected) => {
    expect(problems(props)).toEqual([expect.stringContaining(expected)]);
  });

  test.each(['default', 'kube-system'])('namespace %s of the cluster', (namespace) => {
    expect(problems({}, namespace)).toEqual([
      `namespace '${namespace}' belongs to the cluster; workloads get one of their own`,
    ]);
  });

  test('a chart without a namespace, and two problems at once', () => {
    const chart = new Chart(new App(), 'test');
    const build = (): unknown => new NamespaceBaseline(chart, 'baseline', { quota, podSecurityVersion: '1' });
    expect(problemsOf(build)).toEqual([
      'the chart needs a namespace, which this component then makes',
      "podSecurityVersion must be a version such as v1.34, got '1'",
    ]);
    expect(problems({}, 'Dev_Env')).toEqual([expect.stringContaining('namespace must be an RFC 1123 label')]);
  });
});

describe('what could never run is refused at synth', () => {
  const llama = (chart: Chart, gpus: number): void => {
    new GpuInferenceDeployment(chart, 'llama', {
      image: IMAGE,
      gpu: GpuRequest.nvidia(gpus),
      model: ModelSource.baked(),
      modelSize: Size.gibibytes(1),
      resources: compute([1000, 4000], [2048, 4096]),
    });
  };
  const found = (props: NamespaceBaselineProps, build: (chart: Chart) => void): readonly string[] => {
    const chart = freshChart();
    const baseline = new NamespaceBaseline(chart, 'baseline', props);
    build(chart);
    return baseline.node.validate();
  };
  const gpuNode = { ...node, devices: { 'nvidia.com/gpu': 1 } };

  test('a pod that is larger than every node, in CPU, memory and devices', () => {
    expect(found({ largestNode: gpuNode }, (chart) => llama(chart, 1))).toEqual([]);
    const small = { cpu: Cpu.millis(500), memory: Size.gibibytes(1), devices: { 'nvidia.com/gpu': 1 } };
    const asked = (text: string): string =>
      `largestNode: a pod of chart-shop/llama/Deployment requests ${text}, so no node can take it`;
    expect(found({ largestNode: small }, (chart) => llama(chart, 2))).toEqual([
      asked('1000m of cpu, and the largest node has 500m'),
      asked('2048Mi of memory, and the largest node has 1Gi'),
      asked('2 of nvidia.com/gpu, and the largest node has 1'),
    ]);
    expect(found({ largestNode: node }, (chart) => llama(chart, 1))).toEqual([
      asked('1 of nvidia.com/gpu, and the largest node has 0'),
    ]);
  });

  test('a quota that holds less than its workloads', () => {
    const api = (chart: Chart): unknown => new AutoscaledService(chart, 'api', { image: IMAGE, maxReplicas: 3 });
    const given = { compute: compute([500, 8000], [8192, 16_384]), pods: 3, loadBalancers: 0 };
    expect(found({ quota: { ...given, pods: 4, compute: compute([1000, 2000], [1024, 2048]) } }, api)).toEqual([]);
    expect(found({ quota: given }, api)).toEqual([
      "quota: requests.cpu of 500m is less than the 1000m that the namespace's workloads add up to",
      "quota: pods of 3 is less than the 4 that the namespace's workloads add up to",
    ]);
  });
});
