import type { Size } from 'cdk8s';
import type { EnvMap } from './connections';
import type { InferenceFigures } from './inference-figures';
import type { LlamaCppOptions } from './inference-llama-cpp';
import { llamaCppEngine } from './inference-llama-cpp';
import type { VllmOptions } from './inference-vllm';
import { vllmEngine } from './inference-vllm';
import type { Volume, VolumeMount } from './kube';
import type { Lifecycle } from './lifecycle';
import type { ModelDescription } from './model-description';
import type { Problems } from './validation';

/** What a server has to know of the deployment around it. */
export interface ServerContext {
  readonly name: string;
  readonly host: string;
  /** Port of the Service. */
  readonly port: number;
  /** Port of the container. */
  readonly targetPort: number;
  readonly lifecycle: Lifecycle;
  /** Absolute path of the file or the directory with the weights. */
  readonly modelPath: string;
  readonly accelerated: boolean;
  /** Accelerators of one pod that one process can use together. */
  readonly devices: number;
  /** Whole processors that the container may use; nothing where it has no limit. */
  readonly processors: number | undefined;
  /** Secret with the key that clients send, under {@link API_KEY_NAME}. */
  readonly secretName: string | undefined;
}

/** What a server adds to the container and to the pod. */
export interface ServerContainer {
  readonly command?: readonly string[];
  readonly args: readonly string[];
  readonly env?: EnvMap;
  readonly preStopCommand?: readonly string[];
  readonly mounts?: readonly VolumeMount[];
  readonly volumes?: readonly Volume[];
}

/** What one of several devices has to hold of a model, as parts of the whole. */
export interface DeviceShare {
  readonly weights: number;
  readonly cache: number;
}

/** One kind of server, as the component sees it. */
export interface InferenceEngine {
  readonly kind: string;
  readonly slots: number;
  readonly contextPerSlot: number;
  /** Bytes of one figure of a kept key, and of a kept value. */
  readonly cacheBytes: { readonly key: number; readonly value: number };
  /** Its own figures, each one for each pod. */
  readonly figures: InferenceFigures;
  readonly probes: { readonly liveness: string; readonly readiness: string };
  /** `/dev/shm` where nothing else is said. */
  readonly sharedMemory: Size;
  /** Directories that it mounts something on. */
  readonly directories: readonly string[];
  /** Adds what is wrong with its options. */
  check(problems: Problems): void;
  /** Why it cannot run on that many devices; nothing where it can. */
  refuses(devices: number, model: ModelDescription | undefined): string | undefined;
  /** The part of a device's memory that it may fill. */
  usable(deviceBytes: number): number;
  share(model: ModelDescription, devices: number): DeviceShare;
  /** Bytes on each device (or in memory, without one) beside weights and cache. */
  buffers(model: ModelDescription, accelerated: boolean): number;
  /** Bytes of the process itself, which are in memory even where all else is on devices. */
  process(devices: number): number;
  container(context: ServerContext): ServerContainer;
}

/** The program that serves a model, and how many requests it answers at the same time. */
export class InferenceServer {
  /** llama.cpp's server: GGUF files, on a GPU or on the CPU. Its image needs `bash`, by which a pod that stops asks whether it is idle. */
  public static llamaCpp(options: LlamaCppOptions = {}): InferenceServer {
    return new InferenceServer(llamaCppEngine(options));
  }

  /** vLLM from version 0.18, which can drain: models as Hugging Face has them, on GPUs only. */
  public static vllm(options: VllmOptions = {}): InferenceServer {
    return new InferenceServer(vllmEngine(options));
  }

  private constructor(private readonly engine: InferenceEngine) {}

  /** Requests that are answered at the same time. */
  public get slots(): number {
    return this.engine.slots;
  }

  /** Tokens of context for each slot. */
  public get contextPerSlot(): number {
    return this.engine.contextPerSlot;
  }

  /** Name under which the server reports how many requests wait, in the format of Prometheus. */
  public get queueMetric(): string {
    return this.engine.figures.waiting;
  }

  /** @internal */
  public get _engine(): InferenceEngine {
    return this.engine;
  }
}
