import type { GpuRequest } from './gpu-request';
import type { InferenceEngine } from './inference-server';
import type { ModelDescription } from './model-description';

const GIBIBYTE = 1024 ** 3;

/** What a model needs, with one server, on a number of devices. All sizes are in bytes. */
export interface InferencePlan {
  readonly weightBytes: number;
  /** Keys and values of every slot's whole context. */
  readonly cacheBytes: number;
  /** Accelerators of one pod. */
  readonly devices: number;
  /** What each device has to hold; 0 without one. */
  readonly deviceBytes: number;
  /** What the container has to hold in main memory, shared memory aside. */
  readonly memoryBytes: number;
  /** How these sizes come about, in one line. */
  readonly arithmetic: string;
  /** Why it cannot work; empty where it can. */
  readonly problems: readonly string[];
}

/** A number of bytes as people read it. */
export const gibibytes = (bytes: number): string => `${(bytes / GIBIBYTE).toFixed(2)} GiB`;

/**
 * Bytes of the keys and values of `tokens` tokens: in each layer, for each head that keeps them, one key and one value a token.
 * Layers that only look back over a window keep less, which is not counted on.
 */
export function keyValueBytes(model: ModelDescription, tokens: number, bytes: InferenceEngine['cacheBytes']): number {
  const heads = model.kvHeads.reduce((sum, count) => sum + count, 0);
  return tokens * heads * (model.keyLength * bytes.key + model.valueLength * bytes.value);
}

/** Computes what a model needs, and how many devices where the request leaves that open: the fewest that hold it. */
export function planInference(model: ModelDescription, engine: InferenceEngine, gpu: GpuRequest): InferencePlan {
  if (gpu.count !== undefined) return planFor(model, engine, gpu, gpu.count);
  let last: InferencePlan | undefined;
  for (let devices = 1; devices <= gpu._most; devices++) {
    const plan = planFor(model, engine, gpu, devices);
    if (plan.problems.length === 0) return plan;
    if (engine.refuses(devices, model) === undefined) last = plan;
  }
  const plan = last ?? planFor(model, engine, gpu, 1);
  return { ...plan, problems: [`gpu: no number of devices up to ${gpu._most} holds it; ${plan.problems.join('; ')}`] };
}

function planFor(model: ModelDescription, engine: InferenceEngine, gpu: GpuRequest, count: number): InferencePlan {
  const devices = gpu._together(count);
  const tokens = engine.slots * engine.contextPerSlot;
  const weightBytes = model.weightBytes;
  const cacheBytes = keyValueBytes(model, tokens, engine.cacheBytes);
  const buffers = engine.buffers(model, devices > 0);
  const share = devices > 0 ? engine.share(model, devices) : { weights: 1, cache: 1 };
  const held = weightBytes * share.weights + cacheBytes * share.cache + buffers;
  const processBytes = engine.process(devices);
  const { key, value } = engine.cacheBytes;
  const arithmetic =
    `${model.name}: weights ${gibibytes(weightBytes)}, keys and values ${gibibytes(cacheBytes)} ` +
    `(${engine.slots} slots × ${engine.contextPerSlot} tokens × ${heads(model)} × ` +
    `(${model.keyLength} × ${key} + ${model.valueLength} × ${value}) bytes), buffers ${gibibytes(buffers)}` +
    (devices > 0 ? `; on ${devices === 1 ? 'one device' : `each of ${devices} devices`} ${gibibytes(held)}` : '') +
    `; the process ${gibibytes(processBytes)}`;
  return {
    weightBytes,
    cacheBytes,
    devices: count,
    deviceBytes: devices > 0 ? Math.ceil(held) : 0,
    memoryBytes: Math.ceil(processBytes + (devices > 0 ? 0 : held)),
    arithmetic,
    problems: misfits(model, engine, gpu, devices, held, arithmetic),
  };
}

function heads({ layers, kvHeads }: ModelDescription): string {
  const [first = 0] = kvHeads;
  if (kvHeads.every((count) => count === first)) return `${layers} layers × ${first} heads`;
  return `${kvHeads.reduce((sum, count) => sum + count, 0)} heads of ${layers} layers`;
}

function misfits(
  model: ModelDescription,
  engine: InferenceEngine,
  gpu: GpuRequest,
  devices: number,
  held: number,
  arithmetic: string,
): readonly string[] {
  const problems: string[] = [];
  const { contextLength } = model;
  if (contextLength !== undefined && engine.contextPerSlot > contextLength) {
    problems.push(
      `contextPerSlot (${engine.contextPerSlot} tokens) is more than ${model.name} was made for (${contextLength})`,
    );
  }
  const refused = engine.refuses(devices, model);
  if (refused !== undefined && devices > 0) problems.push(`gpu: ${refused}`);
  const memory = gpu._deviceBytes;
  if (memory === undefined || devices === 0) return problems;
  const usable = engine.usable(memory);
  if (held > usable) {
    problems.push(
      `gpu: ${gibibytes(held)} do not fit into the ${gibibytes(usable)} of a device that ${engine.kind} may fill (${arithmetic})`,
    );
  }
  return problems;
}
