import type { Chart } from 'cdk8s';
import { Duration, Size } from 'cdk8s';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { externalObjects } from '../../../components/external';
import type { GpuInferenceDeploymentProps } from '../../../components/gpu-inference-deployment';
import { GpuInferenceDeployment } from '../../../components/gpu-inference-deployment';
import { GpuRequest } from '../../../components/gpu-request';
import { LateTokens } from '../../../components/late';
import { ModelSource } from '../../../components/model-source';
import { compute } from '../../../components/pod';
import { allHttpProps, find, freshChart, IMAGE, onlyContainer, podOf, problemsOf } from '../../support/service-props';

const minimal: GpuInferenceDeploymentProps = {
  image: IMAGE,
  gpu: GpuRequest.nvidia(1),
  model: ModelSource.baked(),
  modelSize: Size.mebibytes(2500),
};
const inference = (chart: Chart, props: Partial<GpuInferenceDeploymentProps> = {}): GpuInferenceDeployment =>
  new GpuInferenceDeployment(chart, 'llama', { ...minimal, ...props });
const synth = (props: Partial<GpuInferenceDeploymentProps> = {}): Chart => {
  const chart = freshChart();
  inference(chart, props);
  return chart;
};
const argument = (chart: Chart, flag: string): string | undefined => {
  const { args = [] } = onlyContainer(chart, 'llama');
  expect(args).toContain(flag);
  return args[args.indexOf(flag) + 1];
};

describe('with a GPU and a model in the image', () => {
  const chart = synth();

  test('the device is requested and limited alike, and its nodes are tolerated', () => {
    expect(onlyContainer(chart).resources).toEqual({
      requests: { cpu: '1000m', memory: '2Gi', 'ephemeral-storage': '64Mi', 'nvidia.com/gpu': '1' },
      limits: { cpu: '4000m', memory: '4Gi', 'ephemeral-storage': '512Mi', 'nvidia.com/gpu': '1' },
    });
    expect(podOf(chart).tolerations).toEqual([{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }]);
    expect(podOf(chart).enableServiceLinks).toBe(false);
    expect(podOf(chart)).not.toHaveProperty('runtimeClassName');
  });

  test('a rollout needs no spare device', () => {
    const { spec, metadata } = find(chart, 'apps/v1/Deployment');
    expect(spec.replicas).toBe(1);
    expect(spec.strategy?.rollingUpdate).toEqual({ maxSurge: 0, maxUnavailable: 1 });
    expect(metadata.annotations?.['kube-score/ignore']).toBe('deployment-replicas');
    expect(find(chart, 'policy/v1/PodDisruptionBudget').spec.maxUnavailable).toBe(1);
  });

  test('the start-up budget holds the load of the weights: 2500 MiB at 125 MiB/s beside the two minutes', () => {
    const { startupProbe } = onlyContainer(chart);
    expect((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0)).toBe(140);
    expect(find(chart, 'apps/v1/Deployment').spec.progressDeadlineSeconds).toBe(140 + 140 + 5 + 120);
  });

  test('what is being generated ends before the kill', () => {
    expect(onlyContainer(chart).lifecycle?.preStop?.sleep?.seconds).toBe(15);
    expect(podOf(chart).terminationGracePeriodSeconds).toBe(140);
    expect(argument(chart, '--timeout')).toBe('120');
  });

  test('the server is told all that it would otherwise get wrong', () => {
    expect(onlyContainer(chart).args).toEqual([
      ...['--host', '0.0.0.0', '--port', '8080', '--metrics', '--no-slots', '--no-webui'],
      ...['--cors-origins', 'http://llama-service.shop.svc', '--no-cors-credentials'],
      ...['--model', '/models/model.gguf', '--parallel', '4', '--ctx-size', '16384', '--n-gpu-layers', '999'],
      ...['--timeout', '120'],
    ]);
    expect(onlyContainer(chart)).toMatchObject({
      startupProbe: { httpGet: { path: '/v1/health' } },
      livenessProbe: { httpGet: { path: '/v1/health' } },
      readinessProbe: { httpGet: { path: '/health' } },
    });
  });

  test('devices exchange data over memory', () => {
    expect(podOf(chart).volumes).toContainEqual({ name: 'dshm', emptyDir: { medium: 'Memory', sizeLimit: '256Mi' } });
    expect(onlyContainer(chart).volumeMounts).toContainEqual({ name: 'dshm', mountPath: '/dev/shm' });
  });
});

describe('with every prop', () => {
  const props: Required<GpuInferenceDeploymentProps> = {
    ...allHttpProps,
    name: 'llama',
    resources: compute([2000, 4000], [4096, 8192]),
    gpu: GpuRequest.nvidiaMig('1g.10gb', 2),
    model: ModelSource.fromVolume({ name: 'weights' }, 'qwen/q4.gguf'),
    modelSize: Size.gibibytes(10),
    loadBandwidth: Size.gibibytes(1),
    replicas: 3,
    surge: true,
    slots: 2,
    contextPerSlot: 8192,
    apiKey: 'canary-0123456789',
    corsOrigins: ['https://chat.example.com', 'http://localhost:3000'],
    extraArgs: ['--flash-attn', 'on'],
    sharedMemory: Size.gibibytes(1),
    nodeSelector: { 'nvidia.com/gpu.product': 'A100' },
    runtimeClass: 'nvidia',
    lifecycle: {},
  };
  const chart = freshChart();
  const server = new GpuInferenceDeployment(chart, 'other', props);

  test('each prop is where it belongs', () => {
    const { spec } = find(chart, 'apps/v1/Deployment', 'llama');
    expect(spec.replicas).toBe(3);
    expect(spec.strategy?.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
    expect(find(chart, 'policy/v1/PodDisruptionBudget').spec.minAvailable).toBe(2);
    expect(podOf(chart)).toMatchObject({
      nodeSelector: { 'nvidia.com/gpu.product': 'A100' },
      runtimeClassName: 'nvidia',
      tolerations: [{ key: 'nvidia.com/gpu' }],
    });
    expect(podOf(chart).volumes).toEqual(
      expect.arrayContaining([
        { name: 'dshm', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
        { name: 'models', persistentVolumeClaim: { claimName: 'weights', readOnly: true } },
        { name: 'api-key', secret: { secretName: 'llama-secret', defaultMode: 0o440 } },
        { name: 'config', configMap: { name: 'llama-config' } },
      ]),
    );
    const { resources, volumeMounts, startupProbe } = onlyContainer(chart);
    expect(resources?.limits).toMatchObject({ 'nvidia.com/mig-1g.10gb': '2' });
    expect(externalObjects(chart)).toEqual([{ kind: 'PersistentVolumeClaim', name: 'weights' }]);
    expect(volumeMounts).toContainEqual({ name: 'models', mountPath: '/models', readOnly: true });
    // 61 s and 10 s for the weights, in steps of five.
    expect((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0)).toBe(75);
    expect(argument(chart, '--model')).toBe('/models/qwen/q4.gguf');
    expect(argument(chart, '--ctx-size')).toBe('16384');
    expect(argument(chart, '--parallel')).toBe('2');
    expect(argument(chart, '--cors-origins')).toBe('https://chat.example.com,http://localhost:3000');
    expect(argument(chart, '--api-key-file')).toBe('/run/secrets/inference/API_KEY');
    expect(argument(chart, '--flash-attn')).toBe('on');
    expect(server).toMatchObject({ replicas: 3, gpu: props.gpu, model: props.model, port: 8081, targetPort: 9000 });
  });

  test('the key is in the Secret alone, as a secret', () => {
    const { stringData } = find(chart, 'v1/Secret', 'llama-secret');
    expect(LateTokens.of(chart).lookup(stringData['API_KEY'] ?? '')).toMatchObject({ secret: true });
    expect(JSON.stringify(chart.toJson())).not.toContain('canary');
  });

  test('clients learn address and key, the key from the Secret', () => {
    const client = new AutoscaledService(chart, 'client', { image: IMAGE });
    client.connects(server);
    expect(onlyContainer(chart, 'client').env).toEqual([
      { name: 'LLAMA_API_KEY', valueFrom: { secretKeyRef: { name: 'llama-secret', key: 'API_KEY' } } },
      { name: 'LLAMA_URL', value: 'http://api-public.shop.svc:8081' },
    ]);
  });
});

describe('without a GPU', () => {
  const chart = synth({ gpu: GpuRequest.none() });

  test('the same server runs on the CPU, and may have a second pod during a rollout', () => {
    expect(argument(chart, '--n-gpu-layers')).toBe('0');
    expect(find(chart, 'apps/v1/Deployment').spec.strategy?.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
    expect(podOf(chart)).not.toHaveProperty('tolerations');
    expect(Object.keys(onlyContainer(chart).resources?.limits ?? {})).toEqual(['cpu', 'ephemeral-storage', 'memory']);
  });
});

test('a share of a device, and the device of another vendor', () => {
  expect(onlyContainer(synth({ gpu: GpuRequest.nvidiaShared() })).resources?.limits).toMatchObject({
    'nvidia.com/gpu.shared': '1',
  });
  const amd = synth({ gpu: GpuRequest.custom('amd.com/gpu', 2) });
  expect(onlyContainer(amd).resources?.requests).toMatchObject({ 'amd.com/gpu': '2' });
  expect(podOf(amd).tolerations).toEqual([{ key: 'amd.com/gpu', operator: 'Exists', effect: 'NoSchedule' }]);
});

test('it connects to backends like every service', () => {
  const chart = freshChart();
  const api = new AutoscaledService(chart, 'api', { image: IMAGE });
  inference(chart).connects(api);
  expect(onlyContainer(chart, 'llama').env).toEqual([{ name: 'API_URL', value: 'http://api-service.shop.svc:80' }]);
  expect(find(chart, 'networking.k8s.io/v1/NetworkPolicy', 'api').spec.ingress).toHaveLength(1);
});

describe('refused', () => {
  const problems = (props: Partial<GpuInferenceDeploymentProps>): readonly string[] =>
    problemsOf(() => inference(freshChart(), props));
  const volume = (path: string, name = 'weights') => ({ model: ModelSource.fromVolume({ name }, path) });

  test.each<readonly [string, Partial<GpuInferenceDeploymentProps>, string]>([
    ['half a device', { gpu: GpuRequest.nvidia(0.5) }, 'gpu: count of nvidia.com/gpu must be a whole number from 1'],
    ['no device at all', { gpu: GpuRequest.nvidia(0) }, 'got 0'],
    [
      'two shares of one device',
      { gpu: GpuRequest.custom('nvidia.com/gpu.shared', 2) },
      'gpu: 2 of nvidia.com/gpu.shared were asked for; the shares of one device add up to no more of it',
    ],
    ['a profile that is none', { gpu: GpuRequest.nvidiaMig('big', 1) }, "gpu: 'big' is not a MIG profile"],
    ['a resource without vendor', { gpu: GpuRequest.custom('gpu', 1) }, "gpu: 'gpu' is not the name of an extended"],
    ['weights of NaN size', { modelSize: Size.gibibytes(Number.NaN) }, 'modelSize must be a size of at least 1 bytes'],
    ['no bandwidth', { loadBandwidth: Size.mebibytes(0) }, 'loadBandwidth must be a size of at least 1 bytes, got 0'],
    ['no replica', { replicas: 0 }, 'replicas must be a whole number from 1 to 100, got 0'],
    ['no slot', { slots: 0 }, 'slots must be a whole number from 1 to 256'],
    ['a tiny context', { contextPerSlot: 1 }, 'contextPerSlot must be a whole number from 128'],
    ['a bad claim', volume('m.gguf', 'Weights!'), 'model: claim must be an RFC 1123 subdomain'],
    ['a path out of the volume', volume('../etc/passwd'), "model: '/models/../etc/passwd' is not a plain path"],
    ['a relative path in the image', { model: ModelSource.baked('m.gguf') }, "model: 'm.gguf' is not a plain path"],
    ['an origin with a path', { corsOrigins: ['https://a.b/c'] }, "corsOrigins: 'https://a.b/c' is not an origin"],
    ['every origin', { corsOrigins: ['*'] }, "corsOrigins: '*' is not an origin"],
    ['an argument of the component', { extraArgs: ['--host=::'] }, 'extraArgs: --host is set by the component'],
    ['a bad selector', { nodeSelector: { gpu: 'x y!' } }, "nodeSelector['gpu'] must be a label value"],
    ['a bad runtime class', { runtimeClass: 'A' }, 'runtimeClass must be an RFC 1123 subdomain'],
    ['scratch over shared memory', { scratch: ['/dev/shm'] }, "directory '/dev/shm' is mounted twice"],
    ['more shared memory than memory', { sharedMemory: Size.gibibytes(4) }, 'sharedMemory (4294967296 bytes) must be'],
    [
      'weights that do not fit a CPU pod',
      { gpu: GpuRequest.none(), modelSize: Size.gibibytes(5) },
      'modelSize (5368709120 bytes) must fit into resources.memory.limit (4294967296)',
    ],
    ['a grace too short', { lifecycle: { grace: Duration.minutes(1) } }, 'lifecycle.grace (60 s) must be longer than'],
  ])('%s', (_, props, expected) => {
    expect(problems(props)).toEqual([expect.stringContaining(expected)]);
  });

  test('a short key, without showing it', () => {
    const [problem] = problems({ apiKey: 'canary' });
    expect(problem).toContain('apiKey must be at least 16 printable characters');
    expect(problem).not.toContain('canary');
  });

  test('two problems in one error', () => {
    expect(problems({ replicas: -1, port: 80 })).toHaveLength(2);
  });
});
