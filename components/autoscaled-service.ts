import type { ApiObject } from 'cdk8s';
import { Duration } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { Canary, CanaryRoute } from './canary';
import { CANARY_SUFFIX } from './canary';
import type { IClient } from './connections';
import { addService } from './http-objects';
import type { HttpProbes, HttpWorkloadProps } from './http-props';
import type { ScaledShape } from './http-scaled';
import { addScaledPods } from './http-scaled';
import { twinService, twinSettings } from './http-settings';
import { HttpWorkload } from './http-workload';
import { LateTokens } from './late';
import { wholeSeconds } from './lifecycle';
import type { IMonitored, Monitoring } from './monitoring';
import { joinMonitoring, NO_MONITORING } from './monitoring-parts';
import { compute } from './pod';
import type { Scaling } from './scaling';
import { ScalingSignal, checkScaling } from './scaling';
import { ServiceMetrics } from './service-metrics';
import { serviceMonitoring } from './service-monitoring';
import type { ServiceRole } from './service-role';
import type { ServiceVolume } from './service-volume';

/** An HTTP service and how far it scales. */
export interface AutoscaledServiceProps extends HttpWorkloadProps {
  /** Requests and limits of the container. @default - cpu 250m/500m, memory 256Mi/512Mi: a lightweight service */
  readonly resources?: ContainerResources;
  /** @default - liveness `/health`, readiness `/ready`; see HttpProbes */
  readonly probes?: HttpProbes;
  /** Pods that always run. @default 2 */
  readonly minReplicas?: number;
  /** Equal to `minReplicas` it means a fixed number of pods and no autoscaler. @default - 5 × minReplicas */
  readonly maxReplicas?: number;
  /** @default [ScalingSignal.cpu(70)] */
  readonly scaleOn?: readonly ScalingSignal[];
  /** How long the load must stay high before pods are added. @default Duration.seconds(0) */
  readonly scaleUpWindow?: Duration;
  /** Pods that a node drain leaves running; below `minReplicas`. @default - minReplicas - 1, or with a single pod that it may go */
  readonly minAvailable?: number;
  /**
   * Fewest zones that the pods stand in at rest; with 2 or more a pod that would make them uneven waits, so that the loss of a zone leaves
   * some. At most `minReplicas`, and nodes need the label `topology.kubernetes.io/zone`.
   * @default 1, which promises nothing: pods spread over zones where there are several
   */
  readonly zones?: number;
  /** What outlives the pods. @default - nothing: the pods keep nothing */
  readonly volume?: ServiceVolume;
  /** What the service may do at the API server. @default - nothing, and its pods have no token */
  readonly role?: ServiceRole;
  /** A second version that answers some of the requests. @default - none */
  readonly canary?: Canary;
  /** What the service tells of itself on its port, and what is promised of it. @default ServiceMetrics.prometheus(), at `/metrics` */
  readonly metrics?: ServiceMetrics;
}

/**
 * An HTTP service: Deployment, HorizontalPodAutoscaler, disruption budget, Service, ServiceAccount without a token, NetworkPolicy.
 * A rollout never takes a pod away before its successor is ready, save where a volume can be with one of them only, and the count of pods
 * belongs to the autoscaler alone.
 */
export class AutoscaledService extends HttpWorkload implements IMonitored {
  public readonly minReplicas: number;
  public readonly maxReplicas: number;
  public readonly minAvailable: number;
  public readonly zones: number;
  /** Pods that may run at the same time: a canary's too, all autoscalers at their maximum, every roll-out under way. */
  public readonly mostPods: number;
  /** Where routes find the second version, if there is one. */
  public readonly canary: CanaryRoute | undefined;
  public readonly metrics: ServiceMetrics;

  /** @throws ValidationError with every problem of the props. */
  public constructor(scope: Construct, id: string, props: AutoscaledServiceProps) {
    const scaling = scalingOf(props);
    const { canary, volume, role, metrics = ServiceMetrics.prometheus() } = props;
    const defaults = {
      resources: compute([250, 500], [256, 512]),
      probes: { liveness: '/health', readiness: '/ready' },
      ...(canary === undefined ? {} : { twinSuffix: CANARY_SUFFIX }),
      ...(volume === undefined ? {} : { directories: [volume.directory] }),
    };
    super(scope, id, props, defaults, (problems, { name, resources }) => {
      checkScaling(problems, scaling, resources);
      volume?._check(problems, name, scaling, canary !== undefined);
      role?._check(problems);
      metrics._check(problems);
      canary?._check(problems, LateTokens.of(scope).asString(scope, canary.image));
    });
    this.minReplicas = scaling.minReplicas;
    this.maxReplicas = scaling.maxReplicas;
    this.minAvailable = scaling.minAvailable;
    this.canary = canary && { serviceName: twinService(this._settings), weight: canary.weight };
    this.metrics = metrics;
    this.zones = scaling.zones;
    this.mostPods = this.addPods(props, scaling);
  }

  /** What there is to watch of the service, and of its canary by itself; nothing where it has no metrics. */
  public monitoring(): Monitoring {
    const { settings } = this.metrics;
    if (settings === undefined) return NO_MONITORING;
    const { liveness, readiness, startup } = this._settings.probes;
    const facts = { scope: this, port: this.targetPort, metrics: settings, probes: [liveness, readiness, startup] };
    const names = [this.name, ...(this.canary === undefined ? [] : [`${this.name}${CANARY_SUFFIX}`])];
    return joinMonitoring(...names.map((name) => serviceMonitoring({ ...facts, name })));
  }

  /** Lets who scrapes in, to the port that the service serves on: its metrics are there. Does nothing where it has none. */
  public allowScraping(...clients: readonly IClient[]): void {
    if (this.metrics.settings !== undefined) this.allowFrom(...clients);
  }

  /** @returns how many pods may run at the same time. */
  private addPods({ canary, volume, role }: AutoscaledServiceProps, scaling: Scaling): number {
    const shape = { volume, apiToken: role !== undefined };
    const stable = canary?._rest(scaling) ?? scaling;
    const objects = [addScaledPods(this, this._settings, this._env, stable, shape)];
    const surge = volume?._perReplica === true || volume?._exclusive === true ? 0 : 1;
    let most = stable.maxReplicas + surge;
    if (canary !== undefined) {
      const second = canary._scaling(scaling);
      objects.push(this.addCanary(canary, second, shape));
      most += second.maxReplicas + surge;
    }
    const first = [
      ...(volume?._addClaims(this, this._settings, scaling.minReplicas) ?? []),
      ...(role === undefined ? [] : [this.addRole(role)]),
    ];
    for (const object of objects) object.node.addDependency(...first);
    return most;
  }

  private addCanary(canary: Canary, scaling: Scaling, shape: ScaledShape): ApiObject {
    const scope = new Construct(this, 'Canary');
    const settings = twinSettings(this._settings, LateTokens.of(this).asString(this, canary.image));
    addService(scope, settings);
    return addScaledPods(scope, settings, this._env, scaling, { ...shape, env: canary._env });
  }

  private addRole(role: ServiceRole): ApiObject {
    for (const { peer, port } of role._edges) this._policy.allowTo(peer, port);
    return role._add(this, this._settings);
  }
}

function scalingOf(props: AutoscaledServiceProps): Scaling {
  const minReplicas = props.minReplicas ?? 2;
  const maxReplicas = props.maxReplicas ?? 5 * minReplicas;
  return {
    minReplicas,
    maxReplicas,
    scaleOn: props.scaleOn ?? [ScalingSignal.cpu(70)],
    minAvailable: props.minAvailable ?? minReplicas - 1,
    scaleUpWindowSeconds: wholeSeconds(props.scaleUpWindow ?? Duration.seconds(0)),
    zones: props.zones ?? 1,
    fixed: minReplicas === maxReplicas,
    percent: 100,
  };
}
