import { ApiObject, App, Chart, Duration, Size } from 'cdk8s';
import * as fc from 'fast-check';

import { ValidationError } from '../../components/errors';
import type { GpuInferenceDeploymentProps } from '../../components/gpu-inference-deployment';
import { GpuInferenceDeployment } from '../../components/gpu-inference-deployment';
import { GpuRequest } from '../../components/gpu-request';
import { KvCacheType } from '../../components/inference-llama-cpp';
import { InferenceServer } from '../../components/inference-server';
import { ModelDescription } from '../../components/model-description';
import { ModelSource } from '../../components/model-source';
import { compute } from '../../components/pod';
import { ScalingSignal } from '../../components/scaling';
import { Admission, ADMISSION_NAMESPACE } from '../support/admission';

jest.setTimeout(300_000);

const image = 'registry.test/image:1';
const gibibytes = (max: number) => fc.integer({ min: 1, max }).map((amount) => Size.gibibytes(amount));
const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/);
const revision = fc.stringMatching(/^[a-z0-9][a-z0-9._+-]{0,40}$/);
const key = fc.stringMatching(/^[A-Za-z0-9._~-]{16,40}$/);

const serverOptions = {
  slots: fc.integer({ min: 1, max: 64 }),
  contextPerSlot: fc.integer({ min: 128, max: 16_384 }),
  corsOrigins: fc.constant(['https://chat.example.com']),
};
const server = fc.oneof(
  fc
    .record(
      {
        ...serverOptions,
        cacheType: fc.constantFrom(...Object.values(KvCacheType)),
        promptCache: gibibytes(4),
        extraArgs: fc.constant(['--mlock']),
      },
      { requiredKeys: [] },
    )
    .map((options) => InferenceServer.llamaCpp(options)),
  fc
    .record(
      {
        ...serverOptions,
        gpuMemoryUtilization: fc.double({ min: 0.1, max: 0.98, noNaN: true }),
        fp8Cache: fc.boolean(),
        kernelCache: gibibytes(20),
      },
      { requiredKeys: [] },
    )
    .map((options) => InferenceServer.vllm(options)),
);

const gpu = fc.oneof(
  fc.constantFrom(1, 2, 4, 8).map((count) => GpuRequest.nvidia(count)),
  gibibytes(192).map((memory) => GpuRequest.nvidiaFor({ memory, perNode: 16 })),
  fc.constantFrom('1g.10gb', '3g.40gb', '7g.141gb').map((profile) => GpuRequest.mig(profile)),
  fc.constant(GpuRequest.shared()),
  fc.integer({ min: 1, max: 8 }).map((count) => GpuRequest.custom('amd.com/gpu', count)),
  fc.constant(GpuRequest.none()),
);

const download = {
  revision,
  size: gibibytes(1000),
  image: fc.constant(image),
  token: key,
  storageClass: fc.constant('fast'),
  addresses: fc.constant(['203.0.113.0/24', '2001:db8::/32']),
  deadline: fc.integer({ min: 60, max: 86_400 }).map((amount) => Duration.seconds(amount)),
  sharedVolume: fc.constant(true),
};
const required = ['revision', 'size', 'image', 'sharedVolume'] as const;
const model = fc.oneof(
  fc.constant(ModelSource.baked()),
  fc.constant(ModelSource.fromVolume({ name: 'weights' }, 'qwen/q4.gguf')),
  fc
    .record(
      {
        ...download,
        sha256,
        uri: fc.constantFrom('hf://owner/name/q4.gguf', 'https://m.example.com:8443/{revision}/q4'),
      },
      { requiredKeys: [...required, 'sha256', 'uri'] },
    )
    .map((options) => ModelSource.fromUri(options)),
  fc
    .record(
      {
        ...download,
        uri: fc.constant('hf://owner/name'),
        files: fc
          .array(sha256, { minLength: 1, maxLength: 40 })
          .map((sums) => sums.map((sum, index) => ({ path: `part/${index}.safetensors`, sha256: sum }))),
      },
      { requiredKeys: [...required, 'uri', 'files'] },
    )
    .map((options) => ModelSource.fromFiles(options)),
);

const description = fc
  .record({ weights: gibibytes(100), layers: fc.integer({ min: 1, max: 96 }) })
  .map(({ weights, layers }) =>
    ModelDescription.of({
      weights,
      layers,
      heads: 64,
      kvHeads: 8,
      keyLength: 128,
      embedding: 8192,
      vocabulary: 150_000,
    }),
  );

/** What the rules may let through; some of it cannot fit, and they say so. */
const props: fc.Arbitrary<GpuInferenceDeploymentProps> = fc
  .record(
    {
      image: fc.constant(image),
      gpu,
      model,
      server,
      description,
      modelSize: gibibytes(100),
      loadBandwidth: gibibytes(20),
      replicas: fc.integer({ min: 1, max: 20 }),
      scaleOn: fc.constant([ScalingSignal.pods('vllm:num_requests_waiting', 1.5), ScalingSignal.cpu(80)]),
      spareGpu: fc.boolean(),
      apiKey: key,
      sharedMemory: gibibytes(4),
      nodeSelector: fc.constant({ 'nvidia.com/gpu.product': 'H200' }),
      tolerations: fc.constant([{ key: 'spot', operator: 'Exists' as const, effect: 'NoSchedule' as const }]),
      runtimeClass: fc.constant('nvidia'),
      resources: fc
        .integer({ min: 128, max: 1024 })
        .map((memory) => compute([500, 8000], [memory * 512, memory * 1024])),
    },
    { requiredKeys: ['image', 'gpu', 'model', 'modelSize'] },
  )
  .chain((given) =>
    fc.integer({ min: 0, max: 10 }).map((more) => ({ ...given, maxReplicas: (given.replicas ?? 1) + more })),
  );

describe('whatever the rules of GpuInferenceDeployment let through,', () => {
  let admission: Admission;
  beforeAll(async () => {
    admission = await Admission.start();
    await admission.server.ensure('/apis/node.k8s.io/v1/runtimeclasses', {
      metadata: { name: 'nvidia' },
      handler: 'nvidia',
    });
  });
  afterAll(() => admission.destroy());

  test('a real API server admits, with its pods and the Job, strictly and under Pod Security restricted', async () => {
    let admitted = 0;
    await fc.assert(
      fc.asyncProperty(props, async (given) => {
        const chart = new Chart(new App(), 'chart', { namespace: ADMISSION_NAMESPACE });
        try {
          new GpuInferenceDeployment(chart, 'llama', given);
        } catch (error) {
          expect(error).toBeInstanceOf(ValidationError);
          return;
        }
        admitted++;
        expect(await admission.problems(chart)).toEqual([]);
      }),
      { numRuns: 60 },
    );
    expect(admitted).toBeGreaterThan(20);
  });

  test('and a count of devices that is none is refused, so that the check above can fail', async () => {
    const chart = new Chart(new App(), 'chart', { namespace: ADMISSION_NAMESPACE });
    const resources = { limits: { 'nvidia.com/gpu': '0.5' } };
    const spec = { containers: [{ name: 'c', image, resources }] };
    new ApiObject(chart, 'half', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'half' }, spec });
    expect(await admission.problems(chart)).toContainEqual(expect.stringMatching(/^Pod half: .*must be an integer/));
  });
});
