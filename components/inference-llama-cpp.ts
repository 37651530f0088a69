import { Size } from 'cdk8s';
import { LLAMA_CPP_FIGURES } from './inference-figures';
import type { ServerOptions } from './inference-options';
import {
  API_KEY_MOUNT,
  API_KEY_NAME,
  DEFAULT_CONTEXT,
  DEFAULT_SLOTS,
  MEBIBYTE,
  allowedOrigins,
  checkServerOptions,
} from './inference-options';
import type { InferenceEngine, ServerContainer, ServerContext } from './inference-server';
import type { Lifecycle } from './lifecycle';
import { sizeBytes } from './units';

/** How exactly keys and values are kept between two tokens. */
export enum KvCacheType {
  /** 2 bytes a figure. */
  F16 = 'f16',
  /** 1.06 bytes a figure, with no loss that can be noticed. */
  Q8_0 = 'q8_0',
  /** 0.56 bytes a figure, with some loss. */
  Q4_0 = 'q4_0',
}

/** Options of llama.cpp's server. */
export interface LlamaCppOptions extends ServerOptions {
  /** @default KvCacheType.F16 */
  readonly cacheType?: KvCacheType;
  /**
   * Main memory for prompts that were seen before.
   * @default - none: llama.cpp's own 8 GiB would take the pod over its limit
   */
  readonly promptCache?: Size;
}

// Blocks of 32 figures: 32 or 16 bytes and a scale of two (ggml-common.h).
const BYTES: Readonly<Record<KvCacheType, number>> = {
  [KvCacheType.F16]: 2,
  [KvCacheType.Q8_0]: 34 / 32,
  [KvCacheType.Q4_0]: 18 / 32,
};

// llama.cpp's default for `--ubatch-size`.
const BATCH = 512;
/** CUDA's context and the workspace of its libraries on each device: an allowance, 300 to 500 MiB were seen on data-centre cards. */
const CUDA_BYTES = 512 * MEBIBYTE;
/** The process without a model: 24 MB measured with Debian's build, and CUDA's libraries in memory where there is a device. */
const PROCESS_BYTES = { cpu: 64 * MEBIBYTE, gpu: 1024 * MEBIBYTE };

/** Arguments that the component decides; a user's own must not contradict them. */
const OWN_ARGS: ReadonlySet<string> = new Set(
  `--host --port --metrics --slots --no-slots --ui --no-ui --webui --no-webui --cors-origins --cors-credentials --no-cors-credentials
   --model -m --alias -a --parallel -np --ctx-size -c --n-gpu-layers --gpu-layers -ngl --timeout -to --api-key --api-key-file
   --cache-ram -cram --cache-type-k -ctk --cache-type-v -ctv --threads -t`.split(/\s+/),
);

/**
 * Waits until the server has answered all that it has begun, and nothing waits: told to stop, llama.cpp drops what it generates
 * (measured: the client gets no answer, and the process does not end before the kill).
 */
const DRAIN = `
sleep "$1"
end=$((SECONDS + $2))
key=$(cat "$4" 2> /dev/null)
while [ "$SECONDS" -lt "$end" ]; do
  exec 3<> "/dev/tcp/127.0.0.1/$3" || exit 0
  printf 'GET /metrics HTTP/1.0\\r\\nAuthorization: Bearer %s\\r\\n\\r\\n' "$key" >&3
  figures=$(cat <&3)
  exec 3>&-
  if [[ $figures == *$'\\nllamacpp:requests_processing 0'* && $figures == *$'\\nllamacpp:requests_deferred 0'* ]]; then exit 0; fi
  sleep 1
done
`.trim();

const drain = (lifecycle: Lifecycle, port: number, keyFile: string): readonly string[] => {
  const { preStopSeconds, longestRequestSeconds } = lifecycle;
  return ['/bin/bash', '-c', DRAIN, 'drain', ...[preStopSeconds, longestRequestSeconds, port].map(String), keyFile];
};

/** llama.cpp's server, as the component sees it. */
export function llamaCppEngine(options: LlamaCppOptions): InferenceEngine {
  const { slots = DEFAULT_SLOTS, contextPerSlot = DEFAULT_CONTEXT, cacheType = KvCacheType.F16, promptCache } = options;
  return {
    kind: 'llama.cpp',
    slots,
    contextPerSlot,
    cacheBytes: { key: BYTES[cacheType], value: BYTES[cacheType] },
    figures: LLAMA_CPP_FIGURES,
    // Both are answered without a key, and with 503 while the model loads.
    probes: { liveness: '/v1/health', readiness: '/health' },
    sharedMemory: Size.mebibytes(256),
    directories: [API_KEY_MOUNT],
    check: (problems) => {
      checkServerOptions(problems, options, OWN_ARGS);
      problems.size('promptCache', promptCache, Size.mebibytes(1));
    },
    refuses: () => undefined,
    usable: (deviceBytes) => deviceBytes,
    // Whole layers go to each device, and the output counts as one.
    share: ({ layers }, devices) => ({
      weights: Math.ceil((layers + 1) / devices) / (layers + 1),
      cache: Math.ceil(layers / devices) / layers,
    }),
    // Figures for every token of a batch: one for each entry of the vocabulary, and two rows of a layer. For Llama 3 8B these are
    // 267 MB; llama.cpp's log says 258.5 MiB.
    buffers: ({ vocabulary, embedding }, accelerated) =>
      BATCH * (vocabulary + 2 * embedding) * 4 + (accelerated ? CUDA_BYTES : 0),
    process: (devices) =>
      (devices > 0 ? PROCESS_BYTES.gpu : PROCESS_BYTES.cpu) + (promptCache === undefined ? 0 : sizeBytes(promptCache)),
    container: (context) => container(options, context),
  };
}

/**
 * Its own defaults listen on loopback, hide the metrics, show every user's prompt on `/slots`, allow pages of any origin to call it
 * with credentials, serve a web interface, start a thread for each processor of the node, and keep up to 8 GiB of old prompts.
 */
function container(options: LlamaCppOptions, context: ServerContext): ServerContainer {
  const { slots = DEFAULT_SLOTS, contextPerSlot = DEFAULT_CONTEXT, cacheType, promptCache, extraArgs = [] } = options;
  const { secretName, processors, lifecycle, targetPort } = context;
  const keyFile = `${API_KEY_MOUNT}/${API_KEY_NAME}`;
  const quantized = cacheType !== undefined && cacheType !== KvCacheType.F16;
  const cacheMebibytes = promptCache === undefined ? 0 : Math.floor(sizeBytes(promptCache) / MEBIBYTE);
  const args = [
    ...['--host', '0.0.0.0', '--port', String(targetPort)],
    '--metrics',
    '--no-slots',
    '--no-webui',
    ...['--cors-origins', allowedOrigins(options, context).join(',')],
    '--no-cors-credentials',
    ...['--model', context.modelPath, '--alias', context.name],
    // The server divides the context among the slots.
    ...['--parallel', String(slots), '--ctx-size', String(slots * contextPerSlot)],
    // Values can be kept in fewer bits with flash attention only.
    ...(quantized ? ['--cache-type-k', cacheType, '--cache-type-v', cacheType, '--flash-attn', 'on'] : []),
    // More layers than any model has: all of them, in every version of the server.
    ...['--n-gpu-layers', context.accelerated ? '999' : '0'],
    ...(processors === undefined ? [] : ['--threads', String(processors)]),
    ...['--cache-ram', String(cacheMebibytes)],
    ...['--timeout', String(lifecycle.longestRequestSeconds)],
    ...(secretName === undefined ? [] : ['--api-key-file', keyFile]),
    ...extraArgs,
  ];
  return { args, preStopCommand: drain(lifecycle, targetPort, keyFile), ...apiKeyVolume(secretName) };
}

/** The API key as a file that the server's group may read. */
const apiKeyVolume = (secretName: string | undefined): Pick<ServerContainer, 'volumes' | 'mounts'> =>
  secretName === undefined
    ? {}
    : {
        volumes: [{ name: 'api-key', secret: { secretName, defaultMode: 0o440 } }],
        mounts: [{ name: 'api-key', mountPath: API_KEY_MOUNT, readOnly: true }],
      };
