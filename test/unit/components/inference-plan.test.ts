import { Size } from 'cdk8s';
import fc from 'fast-check';
import { GpuRequest } from '../../../components/gpu-request';
import { KvCacheType } from '../../../components/inference-llama-cpp';
import { keyValueBytes, planInference } from '../../../components/inference-plan';
import { InferenceServer } from '../../../components/inference-server';
import { ModelDescription } from '../../../components/model-description';

const GIB = 1024 ** 3;
const model = (
  weights: number,
  over: { heads?: number; kvHeads?: number | readonly number[] } = {},
): ModelDescription =>
  ModelDescription.of({
    weights: Size.gibibytes(weights),
    layers: 32,
    heads: 32,
    kvHeads: 8,
    keyLength: 128,
    embedding: 4096,
    vocabulary: 128_256,
    ...over,
  });
const llamaCpp = InferenceServer.llamaCpp({ slots: 4, contextPerSlot: 8192 })._engine;
const vllm = InferenceServer.vllm({ slots: 4, contextPerSlot: 8192 })._engine;

describe('keys and values', () => {
  test('of Llama 3 8B take 128 KiB a token in half precision', () => {
    expect(keyValueBytes(model(15), 1, { key: 2, value: 2 })).toBe(128 * 1024);
    expect(planInference(model(15), llamaCpp, GpuRequest.nvidia(1)).cacheBytes).toBe(4 * GIB);
  });

  test('take about half of that in 8 bits, and a good quarter in 4', () => {
    const bytes = (cacheType: KvCacheType): number =>
      planInference(
        model(15),
        InferenceServer.llamaCpp({ slots: 4, contextPerSlot: 8192, cacheType })._engine,
        GpuRequest.nvidia(1),
      ).cacheBytes;
    expect(bytes(KvCacheType.Q8_0)).toBe(2.125 * GIB);
    expect(bytes(KvCacheType.Q4_0)).toBe(1.125 * GIB);
  });

  test('are counted layer by layer where the layers differ', () => {
    const hybrid = model(15, { kvHeads: Array.from({ length: 32 }, (_, layer) => (layer % 4 === 3 ? 8 : 0)) });
    expect(keyValueBytes(hybrid, 1, { key: 2, value: 2 })).toBe(32 * 1024);
    expect(planInference(hybrid, llamaCpp, GpuRequest.nvidia(1)).arithmetic).toContain('64 heads of 32 layers');
  });
});

describe('devices', () => {
  test('the buffers of Llama 3 8B hold what its server reports: 258.5 MiB', () => {
    const buffers = llamaCpp.buffers(model(15), false) / 1024 ** 2;
    expect(buffers).toBeGreaterThanOrEqual(258.5);
    expect(buffers).toBeLessThan(1.05 * 258.5);
  });

  test('two of them hold half of the layers each', () => {
    const { deviceBytes } = planInference(model(33), llamaCpp, GpuRequest.nvidia(2));
    expect(deviceBytes).toBe(17 * GIB + 2 * GIB + llamaCpp.buffers(model(33), true));
  });

  test('vLLM may fill nine tenths, and takes as many as divide the heads', () => {
    const gpu = GpuRequest.nvidiaFor({ memory: Size.gibibytes(24), perNode: 8 });
    expect(planInference(model(15), vllm, gpu).devices).toBe(1);
    expect(planInference(model(18), vllm, gpu).devices).toBe(2);
    expect(planInference(model(60, { heads: 30, kvHeads: 10 }), vllm, gpu)).toMatchObject({ devices: 5, problems: [] });
  });

  test('a second partition holds nothing, since a process sees one', () => {
    const { problems, devices } = planInference(model(15), llamaCpp, GpuRequest.mig('2g.10gb', 2));
    expect(devices).toBe(2);
    expect(problems).toEqual([expect.stringContaining('do not fit into the 10.00 GiB')]);
  });

  test('nothing is refused for want of memory where none is stated', () => {
    expect(planInference(model(400), llamaCpp, GpuRequest.nvidia(1)).problems).toEqual([]);
  });
});

test('without a device all of it is in memory', () => {
  const { memoryBytes, deviceBytes } = planInference(model(15), llamaCpp, GpuRequest.none());
  expect(deviceBytes).toBe(0);
  expect(memoryBytes).toBe(19 * GIB + llamaCpp.buffers(model(15), false) + 64 * 1024 ** 2);
});

const plans = fc.record({
  weights: fc.integer({ min: 1, max: 800 }),
  memory: fc.integer({ min: 4, max: 192 }),
  slots: fc.integer({ min: 1, max: 64 }),
  contextPerSlot: fc.integer({ min: 128, max: 131_072 }),
  fast: fc.boolean(),
});

test('a plan without a problem fits, and one device fewer would not', () => {
  fc.assert(
    fc.property(plans, ({ weights, memory, slots, contextPerSlot, fast }) => {
      const options = { slots, contextPerSlot };
      const engine = (fast ? InferenceServer.vllm(options) : InferenceServer.llamaCpp(options))._engine;
      const device = { memory: Size.gibibytes(memory), perNode: 16 };
      const plan = planInference(model(weights), engine, GpuRequest.nvidiaFor(device));
      if (plan.problems.length > 0) return;
      expect(plan.deviceBytes).toBeLessThanOrEqual(engine.usable(memory * GIB));
      // What all devices hold is at least what there is to hold.
      expect(plan.deviceBytes * plan.devices).toBeGreaterThanOrEqual(plan.weightBytes + plan.cacheBytes);
      for (let fewer = 1; fewer < plan.devices; fewer++) {
        expect(planInference(model(weights), engine, GpuRequest.nvidia(fewer, device)).problems).not.toEqual([]);
      }
    }),
    { numRuns: 300 },
  );
});

test('more context never needs fewer bytes', () => {
  fc.assert(
    fc.property(plans, ({ weights, slots, contextPerSlot }) => {
      const bytes = (context: number): number =>
        planInference(
          model(weights),
          InferenceServer.llamaCpp({ slots, contextPerSlot: context })._engine,
          GpuRequest.nvidia(1),
        ).deviceBytes;
      expect(bytes(contextPerSlot + 1)).toBeGreaterThan(bytes(contextPerSlot));
    }),
  );
});
