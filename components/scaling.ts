import type { ContainerResources } from 'cdk8s-plus-28';
import type { Kinds } from './kube';
import type { Lifecycle } from './lifecycle';
import type { ScalingSignal } from './scaling-signal';
import type { Problems } from './validation';

export { ScalingSignal } from './scaling-signal';

type HpaSpec = Kinds['autoscaling/v2/HorizontalPodAutoscaler']['spec'];

/** How many pods, and what decides. */
export interface Scaling {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly scaleOn: readonly ScalingSignal[];
  readonly minAvailable: number;
  readonly scaleUpWindowSeconds: number;
  /** Fewest zones that the pods stand in; 1 promises nothing. */
  readonly zones: number;
  /** Whether the count is fixed, so that no autoscaler owns it. */
  readonly fixed: boolean;
  /** The part of the requests that these pods answer, in percent. */
  readonly percent: number;
}

/** Adds what is wrong with counts and signals. */
export function checkScaling(problems: Problems, scaling: Scaling, resources: ContainerResources): void {
  const { minReplicas, maxReplicas, minAvailable, scaleOn, zones } = scaling;
  problems
    .integer('minReplicas', minReplicas, { min: 1, max: 1000 })
    .integer('maxReplicas', maxReplicas, { min: 1, max: 5000 })
    .integer('minAvailable', minAvailable, { min: 0, max: 1000 })
    .integer('scaleUpWindow in seconds', scaling.scaleUpWindowSeconds, { min: 0, max: 3600 })
    .integer('zones', zones, { min: 1, max: 20 })
    .require(
      !(minReplicas > maxReplicas),
      `minReplicas (${minReplicas}) must not be above maxReplicas (${maxReplicas})`,
    )
    .require(
      !(minReplicas >= 1 && minAvailable >= minReplicas),
      `minAvailable (${minAvailable}) must be below minReplicas (${minReplicas}), or no node could ever be drained`,
    )
    .require(
      !(zones > 1 && minReplicas >= 1 && minReplicas < zones),
      `minReplicas (${minReplicas}) must be at least zones (${zones}), or at rest a zone has no pod`,
    )
    .require(
      minReplicas === maxReplicas || scaleOn.length > 0,
      'scaleOn needs at least one signal; for a fixed number of pods set maxReplicas to minReplicas',
    );
  for (const signal of scaleOn) signal._check(problems, resources);
  const keys = scaleOn.map((signal) => signal.key);
  for (const key of new Set(keys.filter((one, index) => keys.indexOf(one) !== index))) {
    problems.require(false, `scaleOn has the signal '${key}' twice`);
  }
}

/** What an autoscaler scales. */
export interface ScaleTarget {
  readonly kind: 'Deployment' | 'StatefulSet';
  /** Of the object, and of the container in its pods. */
  readonly name: string;
}

/**
 * Spec of the autoscaler: up at once (double, or four pods a minute, whichever is more), down slowly
 * (after a quiet window, a quarter of the pods or one a minute), since a pod too many costs less than one too few.
 */
export const autoscalerSpec = (target: ScaleTarget, scaling: Scaling, lifecycle: Lifecycle): HpaSpec => ({
  scaleTargetRef: { apiVersion: 'apps/v1', kind: target.kind, name: target.name },
  minReplicas: scaling.minReplicas,
  maxReplicas: scaling.maxReplicas,
  metrics: scaling.scaleOn.map((signal) => signal._metric({ container: target.name, percent: scaling.percent })),
  behavior: {
    scaleUp: {
      stabilizationWindowSeconds: scaling.scaleUpWindowSeconds,
      selectPolicy: 'Max',
      policies: [
        { type: 'Percent', value: 100, periodSeconds: 60 },
        { type: 'Pods', value: 4, periodSeconds: 60 },
      ],
    },
    scaleDown: {
      stabilizationWindowSeconds: lifecycle.scaleDownWindowSeconds,
      selectPolicy: 'Max',
      policies: [
        { type: 'Percent', value: 25, periodSeconds: 60 },
        { type: 'Pods', value: 1, periodSeconds: 60 },
      ],
    },
  },
});
