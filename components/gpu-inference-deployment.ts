import type { ApiObject, Size } from 'cdk8s';
import { Duration } from 'cdk8s';
import type { ContainerResources, EnvValue } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { IClient } from './connections';
import { mergeEnv, secretKey } from './connections';
import type { GpuRequest } from './gpu-request';
import { checkInference, inferenceResources, loadTime, scalingOf } from './gpu-rules';
import { addBudget, addDeployment, scoreIgnored } from './http-objects';
import type { HttpProbes, HttpWorkloadProps } from './http-props';
import { HttpWorkload } from './http-workload';
import { inferenceMonitoring } from './inference-monitoring';
import { API_KEY_NAME } from './inference-options';
import type { InferencePlan } from './inference-plan';
import { planInference } from './inference-plan';
import type { ServerContainer } from './inference-server';
import { InferenceServer } from './inference-server';
import type { Labels, PodSpec } from './kube';
import { kubeObject } from './kube';
import type { Late, LateSecret } from './late';
import { LateTokens } from './late';
import type { LifecycleProps } from './lifecycle';
import type { ModelDescription } from './model-description';
import { ModelDownload } from './model-download';
import type { ModelSource } from './model-source';
import type { IMonitored, Monitoring } from './monitoring';
import type { PodOptions } from './pod';
import { setReleaseOptions } from './release-options';
import type { Scaling, ScalingSignal } from './scaling';
import { autoscalerSpec } from './scaling';
import { cpuMillis, sizeQuantity } from './units';

/** A language model, the server that answers with it, and its accelerator. */
export interface GpuInferenceDeploymentProps extends HttpWorkloadProps {
  /** @default InferenceServer.llamaCpp() */
  readonly server?: InferenceServer;
  /** Accelerators of each pod; GpuRequest.none() runs the model on CPU. */
  readonly gpu: GpuRequest;
  /** Where the weights come from. */
  readonly model: ModelSource;
  /**
   * What the model is made of; memory, devices and their sizes are planned from it, and what cannot fit is refused.
   * @default - not known: nothing is planned
   */
  readonly description?: ModelDescription;
  /** Size of the weights; the time to load them is part of the start-up budget. @default - of the description, or of the download */
  readonly modelSize?: Size;
  /**
   * What a second of loading reads.
   * @default Size.mebibytes(125), the baseline of an AWS gp3 volume and the slowest disk in common use
   */
  readonly loadBandwidth?: Size;
  /** Pods that always run. @default 1 */
  readonly replicas?: number;
  /** Above `replicas`, an autoscaler adds pods. @default - as many as `replicas` */
  readonly maxReplicas?: number;
  /** @default - two waiting requests a pod, by the server's own figure; it needs a custom-metrics API in the cluster */
  readonly scaleOn?: readonly ScalingSignal[];
  /** Whether a device is free for a new pod beside the old one during a rollout. @default - only without a GPU */
  readonly spareGpu?: boolean;
  /** Key that clients must send; they get it by `connects`. At least 16 printable characters. @default - none; clients are still limited to those that connect */
  readonly apiKey?: LateSecret;
  /** `/dev/shm`, over which several devices exchange data; counts as memory of the container. @default - 256 MiB for llama.cpp, 2 GiB for vLLM */
  readonly sharedMemory?: Size;
  /** Nodes to run on. @default - every node that has the device */
  readonly nodeSelector?: Labels;
  /** Beside the one for nodes that are tainted with the device's name. @default - none */
  readonly tolerations?: PodSpec['tolerations'];
  /** Such as `nvidia`, where that is not what the node uses anyway. @default - the cluster's default */
  readonly runtimeClass?: string;
  /** Requests and limits of the container beside the device. @default - cpu 1/4; memory as the plan says, or 2Gi/4Gi without a description */
  readonly resources?: ContainerResources;
  /** @default - what the server answers without a key: llama.cpp `/v1/health` and `/health`, vLLM `/health` and `/version` */
  readonly probes?: HttpProbes;
  /** @default - longest request 2 min: 4096 tokens at 30 ms each; see LifecycleProps */
  readonly lifecycle?: LifecycleProps;
}

/**
 * A language model behind HTTP, served by llama.cpp or vLLM on a GPU or, with the same API, by llama.cpp on the CPU.
 * A pod is never killed while it loads the weights, finishes what it generates before it goes, and a rollout needs no spare device.
 */
export class GpuInferenceDeployment extends HttpWorkload implements IMonitored {
  public readonly server: InferenceServer;
  public readonly gpu: GpuRequest;
  public readonly model: ModelSource;
  public readonly replicas: number;
  public readonly maxReplicas: number;
  /** Accelerators of one pod. */
  public readonly devices: number;
  /** What the model needs and how that was computed; nothing where it was not described. */
  public readonly plan: InferencePlan | undefined;
  private readonly secretName: string | undefined;
  private readonly apiKey: LateSecret | undefined;

  /** @throws ValidationError with every problem of the props. */
  public constructor(scope: Construct, id: string, props: GpuInferenceDeploymentProps) {
    const server = props.server ?? InferenceServer.llamaCpp();
    const engine = server._engine;
    const plan = props.description && planInference(props.description, engine, props.gpu);
    const scaling = scalingOf(props, engine);
    const extraStartup = loadTime(props);
    const defaults = {
      resources: inferenceResources(props, engine, plan),
      probes: engine.probes,
      lifecycle: { longestRequest: Duration.minutes(2) },
      directories: ['/dev/shm', ...engine.directories, ...props.model._directories],
      ...(extraStartup === undefined ? {} : { extraStartup }),
    };
    super(scope, id, props, defaults, (problems, { name, resources }) =>
      checkInference(problems, { name, props, engine, plan, scaling, resources }),
    );
    this.server = server;
    this.gpu = props.gpu;
    this.model = props.model;
    this.replicas = scaling.minReplicas;
    this.maxReplicas = scaling.maxReplicas;
    this.plan = plan;
    this.devices = plan?.devices ?? props.gpu.count ?? 0;
    props.model._declare(this);
    this.apiKey = props.apiKey;
    this.secretName = props.apiKey === undefined ? undefined : this.addApiKey(props.apiKey);
    this.addObjects(props, scaling);
  }

  /** `<NAME>_URL`, and `<NAME>_API_KEY` from the Secret where there is a key. */
  public override connectionEnv(prefix = ''): Readonly<Record<string, Late | EnvValue>> {
    const env = super.connectionEnv(prefix);
    if (this.secretName === undefined) return env;
    const [url = ''] = Object.keys(env);
    return { ...env, [url.replace(/_URL$/, '_API_KEY')]: secretKey(this.secretName, API_KEY_NAME) };
  }

  /** What there is to watch, by the server's own figures. */
  public monitoring(): Monitoring {
    const { slots, figures } = this.server._engine;
    const { startupSeconds } = this.lifecycle;
    const { name, targetPort: port, apiKey } = this;
    return inferenceMonitoring({ ...{ scope: this, name, port, slots, startupSeconds, figures }, apiKey });
  }

  /** Lets who scrapes in, to the port that the server answers on: its metrics are there. */
  public allowScraping(...clients: readonly IClient[]): void {
    this.allowFrom(...clients);
  }

  private addApiKey(apiKey: LateSecret): string {
    const name = `${this.name}-secret`;
    const stringData = { [API_KEY_NAME]: LateTokens.of(this).asSecret(this, apiKey) };
    kubeObject(this, 'Secret', 'v1/Secret', { name, labels: this._settings.labels }, { type: 'Opaque', stringData });
    return name;
  }

  private container(): ServerContainer {
    const cpu = this._settings.resources.cpu?.limit;
    return this.server._engine.container({
      name: this.name,
      host: this.host,
      port: this.port,
      targetPort: this.targetPort,
      lifecycle: this.lifecycle,
      modelPath: this.model._path,
      accelerated: this.gpu.accelerated,
      devices: this.gpu._together(this.devices),
      processors: cpu === undefined ? undefined : Math.max(1, Math.floor(cpuMillis(cpu) / 1000)),
      secretName: this.secretName,
    });
  }

  private addObjects(props: GpuInferenceDeploymentProps, scaling: Scaling): void {
    const { volumes = [], mounts = [], env = {}, ...container } = this.container();
    mergeEnv(this, this._env, env);
    const surge = props.spareGpu ?? !props.gpu.accelerated;
    const sharedMemory = sizeQuantity(props.sharedMemory ?? this.server._engine.sharedMemory);
    const placement = this.placement(props);
    const download = this.addDownload(placement);
    const modelMounts = this.model._mounts(this.name);
    const deployment = addDeployment(this, this._settings, this._env, {
      ...(scaling.fixed ? { replicas: this.replicas } : {}),
      waves: this.replicas,
      strategy: surge ? { maxSurge: 1, maxUnavailable: 0 } : { maxSurge: 0, maxUnavailable: 1 },
      ...(scaling.fixed && this.replicas === 1
        ? { ignored: { 'deployment-replicas': 'one pod was asked for, since each takes a device of its own' } }
        : {}),
      container: {
        ...container,
        extendedResources: props.gpu._resources(this.devices),
        mounts: [{ name: 'dshm', mountPath: '/dev/shm' }, ...modelMounts, ...mounts],
      },
      pod: {
        ...placement,
        volumes: [
          { name: 'dshm', emptyDir: { medium: 'Memory', sizeLimit: sharedMemory } },
          ...this.model._volumes(this.name),
          ...volumes,
        ],
        ...(download === undefined ? {} : { initContainers: [download.waiting(modelMounts)] }),
        ...(props.runtimeClass === undefined ? {} : { runtimeClass: props.runtimeClass }),
      },
    });
    // The volume belongs to one node at a time, so that the Job must be done with it.
    if (download !== undefined) deployment.node.addDependency(download);
    addBudget(this, this._settings, this.replicas, scaling.minAvailable);
    if (!scaling.fixed) this.addAutoscaler(scaling, deployment);
  }

  private placement({
    gpu,
    nodeSelector,
    tolerations = [],
  }: GpuInferenceDeploymentProps): Pick<PodOptions, 'nodeSelector' | 'tolerations'> {
    const all = [...gpu._tolerations, ...tolerations];
    return {
      ...(all.length > 0 ? { tolerations: all } : {}),
      ...(nodeSelector === undefined ? {} : { nodeSelector }),
    };
  }

  private addDownload(placement: Pick<PodOptions, 'nodeSelector' | 'tolerations'>): ModelDownload | undefined {
    const plan = this.model._download;
    if (plan === undefined) return undefined;
    const { labels, user } = this._settings;
    return new ModelDownload(this, 'Model', { name: this.name, plan, labels, user, placement });
  }

  private addAutoscaler(scaling: Scaling, deployment: ApiObject): void {
    // The count of pods belongs to the autoscaler alone.
    setReleaseOptions(deployment, { ignoreChanges: ['spec.replicas'] });
    const { name, labels } = this._settings;
    const annotations = scoreIgnored(
      scaling.minReplicas === 1
        ? { 'horizontalpodautoscaler-replicas': 'one pod was asked for at rest, since each takes a device of its own' }
        : {},
    );
    const spec = autoscalerSpec({ kind: 'Deployment', name }, scaling, this.lifecycle);
    const metadata = { name, labels, annotations };
    kubeObject(this, 'HorizontalPodAutoscaler', 'autoscaling/v2/HorizontalPodAutoscaler', metadata, { spec });
  }
}
