import { Duration } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { Canary, CanaryRoute } from './canary';
import { CANARY_SUFFIX } from './canary';
import { addService } from './http-objects';
import type { HttpProbes, HttpWorkloadProps } from './http-props';
import { addScaledPods } from './http-scaled';
import { twinService, twinSettings } from './http-settings';
import { HttpWorkload } from './http-workload';
import { LateTokens } from './late';
import { wholeSeconds } from './lifecycle';
import { compute } from './pod';
import type { Scaling } from './scaling';
import { ScalingSignal, checkScaling } from './scaling';

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
  /** A second version that answers some of the requests. @default - none */
  readonly canary?: Canary;
}

/**
 * A stateless HTTP service: Deployment, HorizontalPodAutoscaler, disruption budget, Service, ServiceAccount without a token, NetworkPolicy.
 * A rollout never takes a pod away before its successor is ready, and the count of pods belongs to the autoscaler alone.
 */
export class AutoscaledService extends HttpWorkload {
  public readonly minReplicas: number;
  public readonly maxReplicas: number;
  public readonly minAvailable: number;
  /** Where routes find the second version, if there is one. */
  public readonly canary: CanaryRoute | undefined;

  /** @throws ValidationError with every problem of the props. */
  public constructor(scope: Construct, id: string, props: AutoscaledServiceProps) {
    const scaling = scalingOf(props);
    const { canary } = props;
    const defaults = {
      resources: compute([250, 500], [256, 512]),
      probes: { liveness: '/health', readiness: '/ready' },
      ...(canary === undefined ? {} : { twinSuffix: CANARY_SUFFIX }),
    };
    super(scope, id, props, defaults, (problems, { resources }) => {
      checkScaling(problems, scaling, resources);
      canary?._check(problems, LateTokens.of(scope).asString(scope, canary.image));
    });
    this.minReplicas = scaling.minReplicas;
    this.maxReplicas = scaling.maxReplicas;
    this.minAvailable = scaling.minAvailable;
    this.canary = canary && { serviceName: twinService(this._settings), weight: canary.weight };
    addScaledPods(this, this._settings, this._env, canary?._rest(scaling) ?? scaling);
    if (canary !== undefined) this.addCanary(canary, scaling);
  }

  private addCanary(canary: Canary, scaling: Scaling): void {
    const scope = new Construct(this, 'Canary');
    const settings = twinSettings(this._settings, LateTokens.of(this).asString(this, canary.image));
    addService(scope, settings);
    addScaledPods(scope, settings, this._env, canary._scaling(scaling), { env: canary._env });
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
    zones: 1,
    fixed: minReplicas === maxReplicas,
    percent: 100,
  };
}
