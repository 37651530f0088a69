import { Size } from 'cdk8s';
import { secretKey } from './connections';
import { VLLM_FIGURES } from './inference-figures';
import type { ServerOptions } from './inference-options';
import {
  API_KEY_NAME,
  DEFAULT_CONTEXT,
  DEFAULT_SLOTS,
  GIBIBYTE,
  allowedOrigins,
  checkServerOptions,
} from './inference-options';
import type { InferenceEngine, ServerContainer, ServerContext } from './inference-server';
import type { ModelDescription } from './model-description';
import { sizeQuantity } from './units';

/** Options of vLLM. */
export interface VllmOptions extends ServerOptions {
  /** Part of each device's memory that the server takes for itself, from 0.1 to 0.98. @default 0.9, as vLLM has it */
  readonly gpuMemoryUtilization?: number;
  /** Keeps keys and values in 8 bits instead of 16. @default false */
  readonly fp8Cache?: boolean;
  /** Disk for kernels that are compiled at the start; it is empty at every start of a pod. @default Size.gibibytes(5) */
  readonly kernelCache?: Size;
}

const CACHE = '/var/cache/vllm';
const DEFAULT_UTILIZATION = 0.9;
/** Activations of the largest batch and CUDA graphs: an allowance of 2 GiB on each device, which vLLM measures at its start. */
const BUFFER_BYTES = 2 * GIBIBYTE;
/** PyTorch and its libraries: an allowance, for the API server and for the process of each device. */
const PROCESS_BYTES = { server: 2 * GIBIBYTE, device: 3 * GIBIBYTE };

/** Arguments that the component decides; a user's own must not contradict them. */
const OWN_ARGS: ReadonlySet<string> = new Set(
  `--host --port --model --served-model-name --tensor-parallel-size -tp --gpu-memory-utilization --max-model-len --max-num-seqs
   --shutdown-timeout --api-key --allowed-origins --allow-credentials --kv-cache-dtype`.split(/\s+/),
);

/** vLLM, as the component sees it. */
export function vllmEngine(options: VllmOptions): InferenceEngine {
  const { slots = DEFAULT_SLOTS, contextPerSlot = DEFAULT_CONTEXT, fp8Cache = false } = options;
  const utilization = options.gpuMemoryUtilization ?? DEFAULT_UTILIZATION;
  const bytes = fp8Cache ? 1 : 2;
  return {
    kind: 'vLLM',
    slots,
    contextPerSlot,
    cacheBytes: { key: bytes, value: bytes },
    figures: VLLM_FIGURES,
    // /health fails once the engine is dead, which only a restart mends. The port opens when the model is loaded; both need no key.
    probes: { liveness: '/health', readiness: '/version' },
    // Over it the processes of several devices exchange data; 2 GiB is what vLLM's own manifests for Kubernetes mount.
    sharedMemory: Size.gibibytes(2),
    directories: [CACHE],
    check: (problems) => {
      checkServerOptions(problems, options, OWN_ARGS);
      problems
        .require(
          utilization >= 0.1 && utilization <= 0.98,
          `gpuMemoryUtilization must be from 0.1 to 0.98, got ${utilization}`,
        )
        .size('kernelCache', options.kernelCache);
    },
    refuses: (devices, model) => refuses(devices, model),
    usable: (deviceBytes) => deviceBytes * utilization,
    // Every layer is cut into as many parts; where there are fewer heads of keys and values than devices, heads are kept twice.
    share: ({ kvHeads }, devices) => ({ weights: 1 / devices, cache: 1 / Math.min(devices, Math.max(1, ...kvHeads)) }),
    buffers: () => BUFFER_BYTES,
    process: (devices) => PROCESS_BYTES.server + devices * PROCESS_BYTES.device,
    container: (context) => container(options, context),
  };
}

function refuses(devices: number, model: ModelDescription | undefined): string | undefined {
  if (devices === 0) return 'vLLM needs a GPU; on the CPU, use InferenceServer.llamaCpp()';
  if (model !== undefined && model.heads % devices !== 0) {
    return `vLLM cuts the ${model.heads} heads of ${model.name} into equal parts, which ${devices} devices cannot have`;
  }
  return undefined;
}

function container(options: VllmOptions, context: ServerContext): ServerContainer {
  const { slots = DEFAULT_SLOTS, contextPerSlot = DEFAULT_CONTEXT, fp8Cache = false, extraArgs = [] } = options;
  const { secretName, lifecycle, modelPath } = context;
  const kernelCache = sizeQuantity(options.kernelCache ?? Size.gibibytes(5));
  return {
    command: ['vllm', 'serve'],
    args: [
      modelPath,
      ...['--host', '0.0.0.0', '--port', String(context.targetPort), '--served-model-name', context.name],
      ...['--tensor-parallel-size', String(context.devices)],
      ...['--gpu-memory-utilization', String(options.gpuMemoryUtilization ?? DEFAULT_UTILIZATION)],
      ...['--max-model-len', String(contextPerSlot), '--max-num-seqs', String(slots)],
      ...(fp8Cache ? ['--kv-cache-dtype', 'fp8'] : []),
      // Its own default allows pages of every origin.
      ...['--allowed-origins', JSON.stringify(allowedOrigins(options, context))],
      // Its own default drops what it generates as soon as it is told to stop.
      ...['--shutdown-timeout', String(lifecycle.longestRequestSeconds)],
      ...extraArgs,
    ],
    env: {
      // The file system is read-only, and the user has no entry and no home.
      HOME: CACHE,
      USER: 'vllm',
      // The weights are here already, and nothing may be sent out.
      HF_HUB_OFFLINE: '1',
      VLLM_NO_USAGE_STATS: '1',
      // vLLM reads its key from its arguments or from here, not from a file; arguments can be seen by every process.
      ...(secretName === undefined ? {} : { VLLM_API_KEY: secretKey(secretName, API_KEY_NAME) }),
    },
    volumes: [{ name: 'kernels', emptyDir: { sizeLimit: kernelCache } }],
    mounts: [{ name: 'kernels', mountPath: CACHE }],
  };
}
