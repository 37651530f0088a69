import type { ContainerResources } from 'cdk8s-plus-28';
import type { Kinds } from './kube';
import type { Lifecycle } from './lifecycle';
import { cpuMillis, sizeBytes } from './units';
import type { Problems } from './validation';

type HpaSpec = Kinds['autoscaling/v2/HorizontalPodAutoscaler']['spec'];
type MetricSpec = NonNullable<HpaSpec['metrics']>[number];

/** Which figure decides how many pods there are; the largest answer of several signals wins. */
export class ScalingSignal {
  /** Mean CPU use, in percent of the request. */
  public static cpu(percent: number): ScalingSignal {
    return new ScalingSignal('cpu', percent);
  }

  /** Mean memory use, in percent of the request. Fits programs that give memory back, since pods only leave when it falls. */
  public static memory(percent: number): ScalingSignal {
    return new ScalingSignal('memory', percent);
  }

  /** A figure that each pod reports, such as requests a second, to be held at `average` a pod. Needs a custom-metrics API in the cluster. */
  public static perPod(metric: string, average: number): ScalingSignal {
    return new ScalingSignal('pods', average, metric);
  }

  /** A figure from outside the cluster, such as the length of a queue, held at `average` a pod. Needs an external-metrics API. */
  public static external(
    metric: string,
    average: number,
    labels: Readonly<Record<string, string>> = {},
  ): ScalingSignal {
    return new ScalingSignal('external', average, metric, labels);
  }

  private constructor(
    private readonly source: 'cpu' | 'memory' | 'pods' | 'external',
    private readonly target: number,
    private readonly metric = '',
    private readonly labels: Readonly<Record<string, string>> = {},
  ) {}

  /** What tells this signal from another; two with the same key would overrule each other. */
  public get key(): string {
    return `${this.source} ${this.metric}`.trim();
  }

  /** @internal */
  public _metric(): MetricSpec {
    const averageValue = `${Math.round(this.target * 1000)}m`;
    switch (this.source) {
      case 'cpu':
      case 'memory':
        return {
          type: 'Resource',
          resource: { name: this.source, target: { type: 'Utilization', averageUtilization: this.target } },
        };
      case 'pods':
        return {
          type: 'Pods',
          pods: { metric: { name: this.metric }, target: { type: 'AverageValue', averageValue } },
        };
      case 'external': {
        const selector = Object.keys(this.labels).length === 0 ? {} : { selector: { matchLabels: this.labels } };
        return {
          type: 'External',
          external: { metric: { name: this.metric, ...selector }, target: { type: 'AverageValue', averageValue } },
        };
      }
    }
  }

  /** @internal */
  public _check(problems: Problems, resources: ContainerResources): void {
    if (this.source === 'pods' || this.source === 'external') {
      problems.require(
        this.target >= 0.001 && Number.isFinite(this.target),
        `scaleOn ${this.key}: the average must be at least 0.001, got ${this.target}`,
      );
      problems.require(this.metric !== '', `scaleOn ${this.source}: the metric needs a name`);
      return;
    }
    problems.percent(`scaleOn ${this.source}`, this.target, 1000);
    const [request, limit] = amounts(this.source, resources);
    problems.require(
      request !== undefined,
      `scaleOn ${this.source} is a percentage of resources.${this.source}.request, which is missing`,
    );
    if (request === undefined || limit === undefined || limit < request) return;
    const ceiling = (100 * limit) / request;
    problems.require(
      !(this.target >= ceiling),
      `scaleOn ${this.source} of ${this.target} % can never be passed: the limit is ${Math.floor(ceiling)} % of the request`,
    );
  }
}

function amounts(source: 'cpu' | 'memory', resources: ContainerResources): readonly (number | undefined)[] {
  if (source === 'cpu') return [resources.cpu?.request, resources.cpu?.limit].map((cpu) => cpu && cpuMillis(cpu));
  return [resources.memory?.request, resources.memory?.limit].map((size) => size && sizeBytes(size));
}

/** How many pods, and what decides. */
export interface Scaling {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly scaleOn: readonly ScalingSignal[];
  readonly minAvailable: number;
  readonly scaleUpWindowSeconds: number;
}

/** Adds what is wrong with counts and signals. */
export function checkScaling(problems: Problems, scaling: Scaling, resources: ContainerResources): void {
  const { minReplicas, maxReplicas, minAvailable, scaleOn } = scaling;
  problems
    .integer('minReplicas', minReplicas, { min: 1, max: 1000 })
    .integer('maxReplicas', maxReplicas, { min: 1, max: 5000 })
    .integer('minAvailable', minAvailable, { min: 0, max: 1000 })
    .integer('scaleUpWindow in seconds', scaling.scaleUpWindowSeconds, { min: 0, max: 3600 })
    .require(
      !(minReplicas > maxReplicas),
      `minReplicas (${minReplicas}) must not be above maxReplicas (${maxReplicas})`,
    )
    .require(
      !(minReplicas >= 1 && minAvailable >= minReplicas),
      `minAvailable (${minAvailable}) must be below minReplicas (${minReplicas}), or no node could ever be drained`,
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

/**
 * Spec of the autoscaler: up at once (double, or four pods a minute, whichever is more), down slowly
 * (after a quiet window, a quarter of the pods or one a minute), since a pod too many costs less than one too few.
 */
export const autoscalerSpec = (deployment: string, scaling: Scaling, lifecycle: Lifecycle): HpaSpec => ({
  scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment },
  minReplicas: scaling.minReplicas,
  maxReplicas: scaling.maxReplicas,
  metrics: scaling.scaleOn.map((signal) => signal._metric()),
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
