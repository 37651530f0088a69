import { Duration } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { addBudget, addDeployment, scoreIgnored } from './http-objects';
import type { HttpProbes, HttpWorkloadProps } from './http-props';
import { HttpWorkload } from './http-workload';
import { kubeObject } from './kube';
import { wholeSeconds } from './lifecycle';
import { compute } from './pod';
import { setReleaseOptions } from './release-options';
import type { Scaling } from './scaling';
import { ScalingSignal, autoscalerSpec, checkScaling } from './scaling';

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
}

/**
 * A stateless HTTP service: Deployment, HorizontalPodAutoscaler, disruption budget, Service, ServiceAccount without a token, NetworkPolicy.
 * A rollout never takes a pod away before its successor is ready, and the count of pods belongs to the autoscaler alone.
 */
export class AutoscaledService extends HttpWorkload {
  public readonly minReplicas: number;
  public readonly maxReplicas: number;
  public readonly minAvailable: number;

  /** @throws ValidationError with every problem of the props. */
  public constructor(scope: Construct, id: string, props: AutoscaledServiceProps) {
    const minReplicas = props.minReplicas ?? 2;
    const scaling: Scaling = {
      minReplicas,
      maxReplicas: props.maxReplicas ?? 5 * minReplicas,
      scaleOn: props.scaleOn ?? [ScalingSignal.cpu(70)],
      minAvailable: props.minAvailable ?? minReplicas - 1,
      scaleUpWindowSeconds: wholeSeconds(props.scaleUpWindow ?? Duration.seconds(0)),
    };
    const defaults = {
      resources: compute([250, 500], [256, 512]),
      probes: { liveness: '/health', readiness: '/ready' },
    };
    super(scope, id, props, defaults, (problems, { resources }) => checkScaling(problems, scaling, resources));
    this.minReplicas = scaling.minReplicas;
    this.maxReplicas = scaling.maxReplicas;
    this.minAvailable = scaling.minAvailable;
    this.addObjects(scaling);
  }

  private addObjects(scaling: Scaling): void {
    const { minReplicas, maxReplicas, minAvailable } = scaling;
    const fixed = minReplicas === maxReplicas;
    const deployment = addDeployment(this, this._settings, this._env, {
      ...(fixed ? { replicas: minReplicas } : {}),
      waves: minReplicas,
      strategy: { maxSurge: 1, maxUnavailable: 0 },
      ...(fixed && minReplicas === 1
        ? { ignored: { 'deployment-replicas': 'one pod was asked for, so an outage of its node is accepted' } }
        : {}),
    });
    addBudget(this, this._settings, minReplicas, minAvailable);
    if (!fixed) {
      setReleaseOptions(deployment, { ignoreChanges: ['spec.replicas'] });
      this.addAutoscaler(scaling);
    }
  }

  private addAutoscaler(scaling: Scaling): void {
    const annotations = scoreIgnored(
      scaling.minReplicas === 1
        ? { 'horizontalpodautoscaler-replicas': 'one pod was asked for at rest, so an outage of its node is accepted' }
        : {},
    );
    kubeObject(
      this,
      'HorizontalPodAutoscaler',
      'autoscaling/v2/HorizontalPodAutoscaler',
      { name: this.name, labels: this._settings.labels, annotations },
      { spec: autoscalerSpec(this.name, scaling, this.lifecycle) },
    );
  }
}
