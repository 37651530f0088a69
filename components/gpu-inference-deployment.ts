import type { Size } from 'cdk8s';
import { Duration } from 'cdk8s';
import type { ContainerResources, EnvValue } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { secretKey } from './connections';
import {
  API_KEY_FILE,
  API_KEY_MOUNT,
  API_KEY_NAME,
  DEFAULT_SHARED_MEMORY,
  apiKeyVolume,
  serverArgs,
} from './gpu-server';
import type { GpuRequest } from './gpu-request';
import { checkInference, loadTime } from './gpu-rules';
import { addBudget, addDeployment } from './http-objects';
import type { HttpProbes, HttpWorkloadProps } from './http-props';
import { HttpWorkload } from './http-workload';
import type { Labels } from './kube';
import { kubeObject } from './kube';
import type { Late, LateSecret } from './late';
import { LateTokens } from './late';
import type { LifecycleProps } from './lifecycle';
import type { ModelSource } from './model-source';
import { compute } from './pod';
import { sizeQuantity } from './units';

/** A llama.cpp server, its model and its accelerator. */
export interface GpuInferenceDeploymentProps extends HttpWorkloadProps {
  /** Accelerators of each pod; GpuRequest.none() runs the model on CPU. */
  readonly gpu: GpuRequest;
  /** Where the weights come from. */
  readonly model: ModelSource;
  /** Size of the weights; the time to load them is part of the start-up budget. */
  readonly modelSize: Size;
  /**
   * What a second of loading reads.
   * @default Size.mebibytes(125), the baseline of an AWS gp3 volume and the slowest disk in common use
   */
  readonly loadBandwidth?: Size;
  /** @default 1 */
  readonly replicas?: number;
  /** Whether a rollout starts a new pod beside the old one, which needs a spare device. @default - only without a GPU */
  readonly surge?: boolean;
  /** Requests that are answered at the same time, each with a context of its own. @default 4 */
  readonly slots?: number;
  /** Tokens of context for each slot. @default 4096 */
  readonly contextPerSlot?: number;
  /** Key that clients must send; they get it by `connects`. At least 16 printable characters. @default - none; clients are still limited to those that connect */
  readonly apiKey?: LateSecret;
  /** Origins whose pages may call the server from a browser. @default - none but its own address */
  readonly corsOrigins?: readonly string[];
  /** Further arguments of the server, such as `--flash-attn`. @default - none */
  readonly extraArgs?: readonly string[];
  /** `/dev/shm`, over which several devices exchange data; counts as memory of the container. @default Size.mebibytes(256) */
  readonly sharedMemory?: Size;
  /** Nodes to run on. @default - every node that has the device */
  readonly nodeSelector?: Labels;
  /** Such as `nvidia`, where that is not what the node uses anyway. @default - the cluster's default */
  readonly runtimeClass?: string;
  /** Requests and limits of the container beside the device. @default - cpu 1/4, memory 2Gi/4Gi */
  readonly resources?: ContainerResources;
  /** @default - liveness `/v1/health`, readiness `/health`, which llama.cpp answers without a key, and with 503 while it loads */
  readonly probes?: HttpProbes;
  /** @default - longest request 2 min: 4096 tokens at 30 ms each; see LifecycleProps */
  readonly lifecycle?: LifecycleProps;
}

/**
 * A language model behind HTTP, served by llama.cpp on a GPU or, with the same API, on the CPU.
 * A pod is never killed while it loads the weights, finishes what it generates before it goes, and a rollout needs no spare device.
 */
export class GpuInferenceDeployment extends HttpWorkload {
  public readonly replicas: number;
  public readonly gpu: GpuRequest;
  public readonly model: ModelSource;
  private readonly secretName: string | undefined;

  /** @throws ValidationError with every problem of the props. */
  public constructor(scope: Construct, id: string, props: GpuInferenceDeploymentProps) {
    const extraStartup = loadTime(props);
    const defaults = {
      resources: compute([1000, 4000], [2048, 4096]),
      probes: { liveness: '/v1/health', readiness: '/health' },
      lifecycle: { longestRequest: Duration.minutes(2) },
      directories: ['/dev/shm', API_KEY_MOUNT, ...props.model._directories],
      ...(extraStartup === undefined ? {} : { extraStartup }),
    };
    super(scope, id, props, defaults, (problems, { resources }) => checkInference(problems, props, resources));
    this.replicas = props.replicas ?? 1;
    this.gpu = props.gpu;
    this.model = props.model;
    props.model._declare(this);
    this.secretName = props.apiKey === undefined ? undefined : this.addApiKey(props.apiKey);
    this.addObjects(props);
  }

  /** `<NAME>_URL`, and `<NAME>_API_KEY` from the Secret where there is a key. */
  public override connectionEnv(prefix = ''): Readonly<Record<string, Late | EnvValue>> {
    const env = super.connectionEnv(prefix);
    if (this.secretName === undefined) return env;
    const [url = ''] = Object.keys(env);
    return { ...env, [url.replace(/_URL$/, '_API_KEY')]: secretKey(this.secretName, API_KEY_NAME) };
  }

  private addApiKey(apiKey: LateSecret): string {
    const name = `${this.name}-secret`;
    const stringData = { [API_KEY_NAME]: LateTokens.of(this).asSecret(this, apiKey) };
    kubeObject(this, 'Secret', 'v1/Secret', { name, labels: this._settings.labels }, { type: 'Opaque', stringData });
    return name;
  }

  private addObjects(props: GpuInferenceDeploymentProps): void {
    const surge = props.surge ?? !props.gpu.accelerated;
    const key = this.secretName === undefined ? { volumes: [], mounts: [] } : apiKeyVolume(this.secretName);
    const sharedMemory = sizeQuantity(props.sharedMemory ?? DEFAULT_SHARED_MEMORY);
    addDeployment(this, this._settings, this._env, {
      replicas: this.replicas,
      waves: this.replicas,
      strategy: surge ? { maxSurge: 1, maxUnavailable: 0 } : { maxSurge: 0, maxUnavailable: 1 },
      ...(this.replicas === 1
        ? { ignored: { 'deployment-replicas': 'one pod was asked for, since each takes a device of its own' } }
        : {}),
      container: {
        args: serverArgs(this, props, this.secretName === undefined ? undefined : API_KEY_FILE),
        extendedResources: props.gpu._resources,
        mounts: [{ name: 'dshm', mountPath: '/dev/shm' }, ...props.model._mounts, ...key.mounts],
      },
      pod: {
        volumes: [
          { name: 'dshm', emptyDir: { medium: 'Memory', sizeLimit: sharedMemory } },
          ...props.model._volumes,
          ...key.volumes,
        ],
        ...(props.gpu.accelerated ? { tolerations: props.gpu._tolerations } : {}),
        ...(props.nodeSelector === undefined ? {} : { nodeSelector: props.nodeSelector }),
        ...(props.runtimeClass === undefined ? {} : { runtimeClass: props.runtimeClass }),
      },
    });
    addBudget(this, this._settings, this.replicas, this.replicas - 1);
  }
}
