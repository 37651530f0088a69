import type { Chart } from 'cdk8s';
import { Size } from 'cdk8s';
import type { GpuInferenceDeploymentProps } from '../../../components/gpu-inference-deployment';
import { GpuInferenceDeployment } from '../../../components/gpu-inference-deployment';
import { GpuRequest } from '../../../components/gpu-request';
import { InferenceServer } from '../../../components/inference-server';
import { ModelSource } from '../../../components/model-source';
import { llama8b } from '../../support/models';
import { freshChart, IMAGE, onlyContainer, podOf } from '../../support/service-props';

const synth = (props: Partial<GpuInferenceDeploymentProps>): Chart => {
  const chart = freshChart();
  const minimal = { image: IMAGE, gpu: GpuRequest.nvidia(1), model: ModelSource.baked(), modelSize: Size.gibibytes(1) };
  new GpuInferenceDeployment(chart, 'llama', { ...minimal, ...props });
  return chart;
};
const argument = (chart: Chart, flag: string): string | undefined => {
  const { args = [] } = onlyContainer(chart, 'llama');
  return args[args.indexOf(flag) + 1];
};

describe('vLLM', () => {
  const server = InferenceServer.vllm({
    slots: 8,
    contextPerSlot: 8192,
    gpuMemoryUtilization: 0.85,
    fp8Cache: true,
    kernelCache: Size.gibibytes(2),
    extraArgs: ['--enable-prefix-caching'],
  });
  const chart = synth({
    server,
    gpu: GpuRequest.nvidia(2),
    model: ModelSource.baked('/models/qwen'),
    apiKey: 'canary-0123456789',
  });

  test('serves the folder on both devices, drains for as long as a request may take, and lets no page of any origin in', () => {
    expect(onlyContainer(chart).command).toEqual(['vllm', 'serve']);
    expect(onlyContainer(chart).args).toEqual([
      ...['/models/qwen', '--host', '0.0.0.0', '--port', '8080', '--served-model-name', 'llama'],
      ...['--tensor-parallel-size', '2', '--gpu-memory-utilization', '0.85'],
      ...['--max-model-len', '8192', '--max-num-seqs', '8', '--kv-cache-dtype', 'fp8'],
      ...['--allowed-origins', '["http://llama-service.shop.svc"]', '--shutdown-timeout', '120'],
      '--enable-prefix-caching',
    ]);
    expect(onlyContainer(chart).lifecycle?.preStop?.sleep?.seconds).toBe(15);
    expect(podOf(chart).terminationGracePeriodSeconds).toBe(140);
  });

  test('has a key from the Secret, a place for kernels, and shared memory', () => {
    expect(onlyContainer(chart).env).toContainEqual({
      name: 'VLLM_API_KEY',
      valueFrom: { secretKeyRef: { name: 'llama-secret', key: 'API_KEY' } },
    });
    expect(onlyContainer(chart).env).toContainEqual({ name: 'HOME', value: '/var/cache/vllm' });
    expect(podOf(chart).volumes).toContainEqual({ name: 'kernels', emptyDir: { sizeLimit: '2Gi' } });
    expect(podOf(chart).volumes).toContainEqual({ name: 'dshm', emptyDir: { medium: 'Memory', sizeLimit: '2Gi' } });
    expect(onlyContainer(chart)).toMatchObject({
      startupProbe: { httpGet: { path: '/health' } },
      livenessProbe: { httpGet: { path: '/health' } },
      readinessProbe: { httpGet: { path: '/version' } },
    });
  });
});

describe('from a description', () => {
  test('the fewest devices that hold it are asked for, and the memory that the process needs', () => {
    const chart = freshChart();
    const gpu = GpuRequest.nvidiaFor({ memory: Size.gibibytes(16), perNode: 8 });
    const server = new GpuInferenceDeployment(chart, 'llama', {
      image: IMAGE,
      gpu,
      model: ModelSource.baked('/models/llama'),
      description: llama8b,
      server: InferenceServer.vllm({ slots: 8, contextPerSlot: 8192 }),
    });
    expect(server.devices).toBe(2);
    expect(argument(chart, '--tensor-parallel-size')).toBe('2');
    // Two processes of 3 GiB, the server's 2 GiB and 2 GiB of shared memory.
    expect(onlyContainer(chart).resources).toMatchObject({
      requests: { memory: '10Gi', 'nvidia.com/gpu': '2' },
      limits: { memory: '10Gi', 'nvidia.com/gpu': '2' },
    });
    expect(server.plan?.arithmetic).toContain('weights 14.96 GiB, keys and values 8.00 GiB (8 slots × 8192 tokens');
  });

  test('the start-up budget follows from the weights: 15317 MiB at 125 MiB/s', () => {
    const props = { image: IMAGE, gpu: GpuRequest.nvidia(1), model: ModelSource.baked(), description: llama8b };
    const chart = freshChart();
    new GpuInferenceDeployment(chart, 'llama', props);
    const { startupProbe } = onlyContainer(chart);
    expect((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0)).toBe(245);
  });
});
