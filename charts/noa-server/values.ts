import type { Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { GpuRequest } from '../../components/gpu-request';
import type { Late, LateSecret } from '../../components/late';
import type { Password } from '../../components/rotating-password';
import type { StoreImages } from '../stores';
import type {
  CacheValues,
  DatabaseValues,
  FrontValues,
  ServiceValues,
  StoreBackupValues,
  KeptValues,
  SystemValues,
} from '../values';

/** All that differs between two Noa Servers: plain data, images and secrets. */
export interface NoaServerValues extends SystemValues, KeptValues {
  readonly images: Readonly<
    Record<'ui' | 'uiCanary' | 'mcp' | 'claudeFlow' | 'agenticOs' | 'llamaCpp' | 'modelFetch', Late>
  > &
    StoreImages;
  readonly secrets: {
    readonly postgresPassword: Password;
    /** What read replicas follow their primary with. */
    readonly replicationPassword: LateSecret;
    /** What an archive on a volume is encrypted with. */
    readonly archivePassphrase: LateSecret;
    readonly redisPassword: Password;
    /** What several servers of Redis prove to each other who they are with. */
    readonly redisSystemPassword: LateSecret;
    /** What archives are encrypted with. */
    readonly backupKey: LateSecret;
    /** Key that services sign and check tokens with. */
    readonly secretKey: LateSecret;
    /** Key that other systems' credentials are encrypted with. */
    readonly encryptionKey: LateSecret;
    /** What the model server asks for. */
    readonly llamaApiKey: LateSecret;
  };
  readonly ui: FrontValues;
  readonly mcp: MemoryBoundValues & {
    readonly storage: Size;
    readonly storageClass: string | undefined;
    readonly backup: StoreBackupValues;
  };
  readonly claudeFlow: MemoryBoundValues;
  readonly agenticOs: { readonly replicas: number; readonly resources: ContainerResources };
  readonly llamaCpp: LlamaValues;
  readonly postgres: DatabaseValues;
  readonly redis: CacheValues;
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
  readonly model: ModelValues;
  readonly slots: number;
  readonly contextPerSlot: number;
}

/** Which model, and where it is: in the image, or downloaded once and verified. */
export interface ModelValues {
  /** Size of the file. */
  readonly size: Size;
  /** Absolute path of the GGUF file in the image; read where `uri` is empty. */
  readonly path: string;
  /** See ModelUri; empty for a model in the image. */
  readonly uri: string;
  readonly revision: string;
  readonly sha256: string;
}
