import type { Chart } from 'cdk8s';
import { Size } from 'cdk8s';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { externalObjects } from '../../../components/external';
import type { GpuInferenceDeploymentProps } from '../../../components/gpu-inference-deployment';
import { GpuInferenceDeployment } from '../../../components/gpu-inference-deployment';
import { GpuRequest } from '../../../components/gpu-request';
import { KvCacheType } from '../../../components/inference-llama-cpp';
import { InferenceServer } from '../../../components/inference-server';
import { LateTokens } from '../../../components/late';
import { ModelSource } from '../../../components/model-source';
import { compute } from '../../../components/pod';
import { ScalingSignal } from '../../../components/scaling';
import { llama8b } from '../../support/models';
import { allHttpProps, find, freshChart, IMAGE, onlyContainer, podOf } from '../../support/service-props';
import { releaseOptions } from '../../support/synth';

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
    expect(find(chart, 'apps/v1/Deployment').spec.progressDeadlineSeconds).toBeGreaterThanOrEqual(140 + 140 + 120);
  });

  test('before the server is told to stop, the pod waits for proxies and then until nothing runs or waits', () => {
    const command = onlyContainer(chart).lifecycle?.preStop?.exec?.command ?? [];
    expect(command.slice(0, 2)).toEqual(['/bin/bash', '-c']);
    expect(command.slice(3)).toEqual(['drain', '15', '120', '8080', '/run/secrets/inference/API_KEY']);
    expect(podOf(chart).terminationGracePeriodSeconds).toBe(140);
    expect(argument(chart, '--timeout')).toBe('120');
  });

  test('the server is told all that it would otherwise get wrong', () => {
    expect(onlyContainer(chart).args).toEqual([
      ...['--host', '0.0.0.0', '--port', '8080', '--metrics', '--no-slots', '--no-webui'],
      ...['--cors-origins', 'http://llama-service.shop.svc', '--no-cors-credentials'],
      ...['--model', '/models/model.gguf', '--alias', 'llama', '--parallel', '4', '--ctx-size', '16384'],
      ...['--n-gpu-layers', '999', '--threads', '4', '--cache-ram', '0', '--timeout', '120'],
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
    server: InferenceServer.llamaCpp({
      slots: 2,
      contextPerSlot: 8192,
      cacheType: KvCacheType.Q8_0,
      promptCache: Size.gibibytes(1),
      corsOrigins: ['https://chat.example.com', 'http://localhost:3000'],
      extraArgs: ['--mlock'],
    }),
    resources: compute([2000, 4000], [4096, 8192]),
    gpu: GpuRequest.mig('2g.20gb'),
    model: ModelSource.fromVolume({ name: 'weights' }, 'qwen/q4.gguf'),
    description: llama8b,
    modelSize: Size.gibibytes(10),
    loadBandwidth: Size.gibibytes(1),
    replicas: 3,
    maxReplicas: 5,
    scaleOn: [ScalingSignal.pods('llamacpp:requests_processing', 3)],
    spareGpu: true,
    apiKey: 'canary-0123456789',
    sharedMemory: Size.gibibytes(1),
    nodeSelector: { 'nvidia.com/gpu.product': 'A100' },
    tolerations: [{ key: 'spot', operator: 'Exists' }],
    runtimeClass: 'nvidia',
    lifecycle: {},
  };
  const chart = freshChart();
  const server = new GpuInferenceDeployment(chart, 'other', props);

  test('pods and their placement', () => {
    const { spec } = find(chart, 'apps/v1/Deployment', 'llama');
    expect(spec.strategy?.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
    expect(find(chart, 'policy/v1/PodDisruptionBudget').spec.minAvailable).toBe(2);
    expect(podOf(chart)).toMatchObject({
      nodeSelector: { 'nvidia.com/gpu.product': 'A100' },
      runtimeClassName: 'nvidia',
      tolerations: [{ key: 'nvidia.com/gpu' }, { key: 'spot' }],
    });
    expect(onlyContainer(chart).resources?.limits).toMatchObject({ 'nvidia.com/mig-2g.20gb': '1' });
    expect(server).toMatchObject({ replicas: 3, maxReplicas: 5, devices: 1, port: 8081, targetPort: 9000 });
    expect(server).toMatchObject({ gpu: props.gpu, model: props.model, server: props.server });
  });

  test('volumes and where they are mounted', () => {
    expect(podOf(chart).volumes).toEqual(
      expect.arrayContaining([
        { name: 'dshm', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
        { name: 'models', persistentVolumeClaim: { claimName: 'weights', readOnly: true } },
        { name: 'api-key', secret: { secretName: 'llama-secret', defaultMode: 0o440 } },
        { name: 'config', configMap: { name: 'llama-config' } },
      ]),
    );
    expect(externalObjects(chart)).toEqual([{ kind: 'PersistentVolumeClaim', name: 'weights' }]);
    const { volumeMounts } = onlyContainer(chart);
    expect(volumeMounts).toContainEqual({ name: 'models', mountPath: '/models', readOnly: true });
    expect(volumeMounts).toContainEqual({ name: 'api-key', mountPath: '/run/secrets/inference', readOnly: true });
  });

  test('the options of the server', () => {
    // 61 s and 10 s for the weights, in steps of five.
    const { startupProbe } = onlyContainer(chart);
    expect((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0)).toBe(75);
    expect(argument(chart, '--model')).toBe('/models/qwen/q4.gguf');
    expect(argument(chart, '--ctx-size')).toBe('16384');
    expect(argument(chart, '--parallel')).toBe('2');
    expect(argument(chart, '--cache-type-k')).toBe('q8_0');
    expect(argument(chart, '--cache-type-v')).toBe('q8_0');
    expect(argument(chart, '--flash-attn')).toBe('on');
    expect(argument(chart, '--cache-ram')).toBe('1024');
    expect(argument(chart, '--cors-origins')).toBe('https://chat.example.com,http://localhost:3000');
    expect(argument(chart, '--api-key-file')).toBe('/run/secrets/inference/API_KEY');
    expect(onlyContainer(chart).args?.at(-1)).toBe('--mlock');
  });

  test('the count of pods belongs to the autoscaler, which asks the signal', () => {
    expect(find(chart, 'apps/v1/Deployment', 'llama').spec).not.toHaveProperty('replicas');
    expect(releaseOptions(chart, 'Deployment', 'llama').ignoreChanges).toEqual(['spec.replicas']);
    const { spec } = find(chart, 'autoscaling/v2/HorizontalPodAutoscaler', 'llama');
    expect(spec).toMatchObject({
      minReplicas: 3,
      maxReplicas: 5,
      scaleTargetRef: { kind: 'Deployment', name: 'llama' },
    });
    expect(spec.metrics).toMatchObject([{ type: 'Pods', pods: { metric: { name: 'llamacpp:requests_processing' } } }]);
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

  test('a part of a processor is one thread', () => {
    const small = synth({
      gpu: GpuRequest.none(),
      modelSize: Size.mebibytes(1),
      resources: compute([50, 500], [300, 512]),
    });
    expect(argument(small, '--threads')).toBe('1');
  });
});

test('by default pods are added when two requests wait for each, as the server counts them', () => {
  const metric = (server: InferenceServer): unknown =>
    find(synth({ server, maxReplicas: 4 }), 'autoscaling/v2/HorizontalPodAutoscaler').spec.metrics;
  const waiting = (name: string) => [
    { type: 'Pods', pods: { metric: { name }, target: { type: 'AverageValue', averageValue: '2000m' } } },
  ];
  expect(metric(InferenceServer.llamaCpp())).toMatchObject(waiting('llamacpp:requests_deferred'));
  expect(metric(InferenceServer.vllm())).toMatchObject(waiting('vllm:num_requests_waiting'));
});

test('a share of a device, and the device of another vendor', () => {
  expect(onlyContainer(synth({ gpu: GpuRequest.shared() })).resources?.limits).toMatchObject({
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
