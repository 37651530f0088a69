import { Duration, Size } from 'cdk8s';
import type { GpuInferenceDeploymentProps } from '../../../components/gpu-inference-deployment';
import { GpuInferenceDeployment } from '../../../components/gpu-inference-deployment';
import { GpuRequest } from '../../../components/gpu-request';
import type { LlamaCppOptions } from '../../../components/inference-llama-cpp';
import { InferenceServer } from '../../../components/inference-server';
import { LateTokens } from '../../../components/late';
import { ModelDescription } from '../../../components/model-description';
import { ModelSource } from '../../../components/model-source';
import { compute } from '../../../components/pod';
import { ScalingSignal } from '../../../components/scaling';
import { freshChart, IMAGE, problemsOf } from '../../support/service-props';

const minimal: GpuInferenceDeploymentProps = {
  image: IMAGE,
  gpu: GpuRequest.nvidia(1),
  model: ModelSource.baked(),
  modelSize: Size.mebibytes(2500),
};
const problems = (props: Partial<GpuInferenceDeploymentProps>): readonly string[] =>
  problemsOf(() => new GpuInferenceDeployment(freshChart(), 'llama', { ...minimal, ...props }));
const volume = (path: string, name = 'weights') => ({ model: ModelSource.fromVolume({ name }, path) });
const llamaCpp = (options: LlamaCppOptions) => ({ server: InferenceServer.llamaCpp(options) });
const description = ModelDescription.of({
  weights: Size.gibibytes(15),
  layers: 32,
  heads: 24,
  kvHeads: 8,
  keyLength: 128,
  embedding: 4096,
  vocabulary: 128_256,
  contextLength: 8192,
});

test.each<readonly [string, Partial<GpuInferenceDeploymentProps>, string]>([
  ['half a device', { gpu: GpuRequest.nvidia(0.5) }, 'gpu: count of nvidia.com/gpu must be a whole number from 1'],
  ['no device at all', { gpu: GpuRequest.nvidia(0) }, 'got 0'],
  [
    'more devices than any node has',
    { gpu: GpuRequest.nvidia(8, { perNode: 4 }) },
    'gpu: 8 of nvidia.com/gpu were asked for, and no node has more than 4',
  ],
  [
    'devices of no memory',
    { gpu: GpuRequest.nvidia(1, { memory: Size.gibibytes(0) }) },
    'gpu: memory must be a size of at least 1 bytes',
  ],
  [
    'two shares of one device',
    { gpu: GpuRequest.custom('nvidia.com/gpu.shared', 2) },
    'gpu: 2 of nvidia.com/gpu.shared were asked for; the shares of one device add up to no more of it',
  ],
  ['a profile that is none', { gpu: GpuRequest.mig('big') }, "gpu: 'big' is not a MIG profile"],
  ['a resource without vendor', { gpu: GpuRequest.custom('gpu', 1) }, "gpu: 'gpu' is not the name of an extended"],
  [
    'a count that nothing says',
    { gpu: GpuRequest.nvidiaFor({ memory: Size.gibibytes(24) }) },
    'gpu: how many devices the model needs can only be said from its description',
  ],
  [
    'vLLM without a GPU',
    { gpu: GpuRequest.none(), server: InferenceServer.vllm() },
    'gpu: vLLM needs a GPU; on the CPU, use InferenceServer.llamaCpp()',
  ],
  [
    'heads that cannot be shared',
    {
      gpu: GpuRequest.nvidia(5),
      server: InferenceServer.vllm(),
      description,
      resources: compute([1000, 4000], [65_536, 65_536]),
    },
    'gpu: vLLM cuts the 24 heads of model into equal parts, which 5 devices cannot have',
  ],
  [
    'a share of memory above all',
    { server: InferenceServer.vllm({ gpuMemoryUtilization: 1 }) },
    'gpuMemoryUtilization must be from 0.1 to 0.98, got 1',
  ],
  ['weights of no size', { modelSize: Size.mebibytes(0) }, 'modelSize must be a size of at least 1 bytes, got 0'],
  ['nothing to read a second', { loadBandwidth: Size.mebibytes(Number.NaN) }, 'loadBandwidth must be a size'],
  ['no replica', { replicas: 0 }, 'replicas must be a whole number from 1 to 1000, got 0'],
  [
    'fewer replicas at most than at rest',
    { replicas: 2, maxReplicas: 1 },
    'minReplicas (2) must not be above maxReplicas (1)',
  ],
  ['no signal to scale on', { maxReplicas: 2, scaleOn: [] }, 'scaleOn needs at least one signal'],
  [
    'a signal that can never be passed',
    { maxReplicas: 2, scaleOn: [ScalingSignal.memory(300)] },
    'scaleOn memory of 300 % can never be passed',
  ],
  ['no slot', llamaCpp({ slots: 0 }), 'slots must be a whole number from 1 to 1024, got 0'],
  ['a context of nothing', llamaCpp({ contextPerSlot: 12 }), 'contextPerSlot must be a whole number from 128'],
  [
    'a cache of nothing',
    llamaCpp({ promptCache: Size.kibibytes(1) }),
    'promptCache must be a size of at least 1048576',
  ],
  ['an origin with a path', llamaCpp({ corsOrigins: ['https://a.b/c'] }), "corsOrigins: 'https://a.b/c' is not an"],
  ['every origin', llamaCpp({ corsOrigins: ['*'] }), "corsOrigins: '*' is not an origin"],
  ['an argument of the component', llamaCpp({ extraArgs: ['--host=::'] }), 'extraArgs: --host is set by the component'],
  [
    'an argument of the component, for vLLM',
    { server: InferenceServer.vllm({ extraArgs: ['--shutdown-timeout', '1'] }) },
    'extraArgs: --shutdown-timeout is set by the component',
  ],
  ['a bad claim', volume('m.gguf', 'Weights!'), 'model: claim must be an RFC 1123 subdomain'],
  ['a path out of the volume', volume('../etc/passwd'), "model: '/models/../etc/passwd' is not a plain path"],
  ['a relative path in the image', { model: ModelSource.baked('m.gguf') }, "model: 'm.gguf' is not a plain path"],
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
  [
    'a description that needs more memory than it gets',
    { gpu: GpuRequest.none(), description, resources: compute([1000, 4000], [2048, 16_384]) },
    'resources.memory.limit (16.00 GiB) must hold 17.32 GiB (model: weights 15.00 GiB',
  ],
  [
    'a context that the model was not made for',
    { description, ...llamaCpp({ contextPerSlot: 16_384 }) },
    'contextPerSlot (16384 tokens) is more than model was made for (8192)',
  ],
])('refuses %s', (_, props, expected) => {
  expect(problems(props)).toEqual([expect.stringContaining(expected)]);
});

test('a model that does not fit is refused with the arithmetic', () => {
  expect(problems({ gpu: GpuRequest.nvidia(1, { memory: Size.gibibytes(16) }), description })).toEqual([
    'gpu: 17.76 GiB do not fit into the 16.00 GiB of a device that llama.cpp may fill (model: weights 15.00 GiB, keys and values ' +
      '2.00 GiB (4 slots × 4096 tokens × 32 layers × 8 heads × (128 × 2 + 128 × 2) bytes), buffers 0.76 GiB; ' +
      'on one device 17.76 GiB; the process 1.00 GiB)',
  ]);
});

test('a model that no number of devices holds is refused', () => {
  const gpu = GpuRequest.nvidiaFor({ memory: Size.gibibytes(1), perNode: 4 });
  expect(problems({ gpu, description })).toEqual([
    expect.stringMatching(
      /^gpu: no number of devices up to 4 holds it; gpu: .* GiB do not fit into the 1\.00 GiB of a device/,
    ),
  ]);
});

test('the size of the weights has to come from somewhere', () => {
  const props = { image: IMAGE, gpu: GpuRequest.nvidia(1), model: ModelSource.baked() };
  expect(problemsOf(() => new GpuInferenceDeployment(freshChart(), 'llama', props))).toEqual([
    'modelSize is needed where neither a description nor a download says how large the weights are',
  ]);
});

test('a short key is refused without showing it', () => {
  const [problem] = problems({ apiKey: 'canary' });
  expect(problem).toContain('apiKey must be at least 16 printable characters');
  expect(problem).not.toContain('canary');
});

test('a key that is known only later is not judged', () => {
  const chart = freshChart();
  const apiKey = LateTokens.of(chart).asSecret(chart, Promise.resolve('short'));
  expect(() => new GpuInferenceDeployment(chart, 'llama', { ...minimal, apiKey })).not.toThrow();
});

test('two problems come in one error', () => {
  expect(problems({ replicas: -1, port: 80 })).toHaveLength(2);
});
