import type { Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { GpuRequest } from '../../components/gpu-request';
import type { Late, LateSecret } from '../../components/late';
import type { DatabaseValues, ServiceValues, StoreValues, SystemValues } from '../values';

/** All that differs between two Noa Servers: plain data, images and secrets. */
export interface NoaServerValues extends SystemValues {
  readonly images: Readonly<
    Record<'ui' | 'mcp' | 'claudeFlow' | 'agenticOs' | 'llamaCpp' | 'postgres' | 'redis', Late>
  >;
  readonly secrets: {
    readonly postgresPassword: LateSecret;
    readonly redisPassword: LateSecret;
    /** Key that services sign and check tokens with. */
    readonly secretKey: LateSecret;
    /** Key that other systems' credentials are encrypted with. */
    readonly encryptionKey: LateSecret;
    /** What the model server asks for. */
    readonly llamaApiKey: LateSecret;
  };
  readonly ui: ServiceValues;
  readonly mcp: MemoryBoundValues;
  readonly claudeFlow: MemoryBoundValues;
  readonly agenticOs: { readonly replicas: number; readonly resources: ContainerResources };
  readonly llamaCpp: LlamaValues;
  readonly postgres: DatabaseValues;
  readonly redis: StoreValues;
  /** Environment variables of the services that differ from their defaults; see VARIABLES. */
  readonly variables: Readonly<Record<string, string>>;
}

/** A service that scales by memory too. */
export interface MemoryBoundValues extends ServiceValues {
  /** Memory use, in percent of the request, that pods are added above. */
  readonly memoryTarget: number;
}

/** The model server, on a GPU or on the CPU. */
export interface LlamaValues {
  readonly replicas: number;
  readonly resources: ContainerResources;
  readonly gpu: GpuRequest;
  /** Where the GGUF file lies in the image. */
  readonly modelPath: string;
  readonly modelSize: Size;
  readonly slots: number;
  readonly contextPerSlot: number;
}
