import type { ContainerResources } from 'cdk8s-plus-28';
import type { Kinds, Labels } from './kube';
import { cpuMillis, sizeBytes } from './units';
import type { Problems } from './validation';

type HpaSpec = Kinds['autoscaling/v2/HorizontalPodAutoscaler']['spec'];
type MetricSpec = NonNullable<HpaSpec['metrics']>[number];
type Compute = 'cpu' | 'memory';

/** An object of the service's namespace that a figure describes, such as an Ingress. */
export interface DescribedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/** Where a figure comes from. */
type Source =
  | { readonly type: 'Resource'; readonly resource: Compute }
  | { readonly type: 'ContainerResource'; readonly resource: Compute }
  | { readonly type: 'Pods'; readonly metric: string; readonly labels: Labels }
  | { readonly type: 'External'; readonly metric: string; readonly labels: Labels }
  | { readonly type: 'Object'; readonly metric: string; readonly labels: Labels; readonly of: DescribedObject };

/**
 * What a figure is held at: a percentage of the request, an average for each pod, or a value as it is, which pods are added or taken
 * in proportion to.
 */
type Aim = 'percent' | 'average' | 'value';

/** Whose pods a signal is for. */
export interface ScaledPods {
  /** Name of the container that serves. */
  readonly container: string;
  /** The part of all requests that these pods answer, in percent. */
  readonly percent: number;
}

/** Which figure decides how many pods there are; the largest answer of several signals wins. */
export class ScalingSignal {
  /** Mean CPU use of the pods, in percent of the request. */
  public static cpu(percent: number): ScalingSignal {
    return new ScalingSignal({ type: 'Resource', resource: 'cpu' }, percent, 'percent');
  }

  /** Mean memory use, in percent of the request. Fits programs that give memory back, since pods only leave when it falls. */
  public static memory(percent: number): ScalingSignal {
    return new ScalingSignal({ type: 'Resource', resource: 'memory' }, percent, 'percent');
  }

  /** As `cpu`, of the service's own container alone: for pods into which a mesh or an agent puts a container of its own. */
  public static containerCpu(percent: number): ScalingSignal {
    return new ScalingSignal({ type: 'ContainerResource', resource: 'cpu' }, percent, 'percent');
  }

  /** As `memory`, of the service's own container alone. */
  public static containerMemory(percent: number): ScalingSignal {
    return new ScalingSignal({ type: 'ContainerResource', resource: 'memory' }, percent, 'percent');
  }

  /** A figure that each pod reports, such as requests a second, held at `average` a pod. Needs a custom-metrics API in the cluster. */
  public static pods(metric: string, average: number, labels: Labels = {}): ScalingSignal {
    return new ScalingSignal({ type: 'Pods', metric, labels }, average, 'average');
  }

  /** A figure that adds up over the pods, such as the requests of an Ingress, held at `average` a pod. Needs a custom-metrics API. */
  public static object(metric: string, of: DescribedObject, average: number, labels: Labels = {}): ScalingSignal {
    return new ScalingSignal({ type: 'Object', metric, of, labels }, average, 'average');
  }

  /** A figure that does not add up, such as the latency of an Ingress, held at `value`. Needs a custom-metrics API. */
  public static objectValue(metric: string, of: DescribedObject, value: number, labels: Labels = {}): ScalingSignal {
    return new ScalingSignal({ type: 'Object', metric, of, labels }, value, 'value');
  }

  /** A figure from outside the cluster that adds up, such as the length of a queue, held at `average` a pod. Needs an external-metrics API. */
  public static external(metric: string, average: number, labels: Labels = {}): ScalingSignal {
    return new ScalingSignal({ type: 'External', metric, labels }, average, 'average');
  }

  /** A figure from outside the cluster that does not add up, such as the age of the oldest message, held at `value`. */
  public static externalValue(metric: string, value: number, labels: Labels = {}): ScalingSignal {
    return new ScalingSignal({ type: 'External', metric, labels }, value, 'value');
  }

  private constructor(
    private readonly source: Source,
    private readonly target: number,
    private readonly aim: Aim,
  ) {}

  /** What tells this signal from another; two with the same key would overrule each other. */
  public get key(): string {
    const { source } = this;
    if (source.type === 'Resource') return source.resource;
    if (source.type === 'ContainerResource') return `container ${source.resource}`;
    const of = source.type === 'Object' ? ` of ${source.of.kind} ${source.of.name}` : '';
    const labels = Object.entries(source.labels).map(([name, value]) => `${name}=${value}`);
    const selected = labels.length === 0 ? '' : ` {${labels.sort().join(',')}}`;
    return `${source.type.toLowerCase()} ${source.metric}${of}${selected}`;
  }

  /** @internal */
  public _metric({ container, percent }: ScaledPods): MetricSpec {
    const { source } = this;
    if (source.type === 'Resource') {
      return { type: source.type, resource: { name: source.resource, target: this.share() } };
    }
    if (source.type === 'ContainerResource') {
      return { type: source.type, containerResource: { container, name: source.resource, target: this.share() } };
    }
    const selector = Object.keys(source.labels).length === 0 ? {} : { selector: { matchLabels: source.labels } };
    const metric = { name: source.metric, ...selector };
    switch (source.type) {
      case 'Pods':
        return { type: source.type, pods: { metric, target: this.amount(100) } };
      case 'External':
        return { type: source.type, external: { metric, target: this.amount(percent) } };
      case 'Object':
        return { type: source.type, object: { metric, describedObject: source.of, target: this.amount(percent) } };
    }
  }

  /** @internal */
  public _check(problems: Problems, resources: ContainerResources): void {
    const { source, target, key } = this;
    if (!('resource' in source)) {
      problems
        .require(
          target >= 0.001 && Number.isFinite(target),
          `scaleOn ${key}: the ${this.aim} must be at least 0.001, got ${target}`,
        )
        .require(source.metric !== '', `scaleOn ${source.type.toLowerCase()}: the metric needs a name`);
      for (const [name, value] of Object.entries(source.labels))
        problems.labelValue(`scaleOn ${key}: '${name}'`, value);
      if (source.type === 'Object') {
        problems.dnsSubdomain(`scaleOn ${key}: the name of the object`, source.of.name);
        const { apiVersion, kind } = source.of;
        problems
          .require(/^[A-Z][A-Za-z0-9]*$/.test(kind), `scaleOn ${key}: '${kind}' is not a kind such as Ingress`)
          .require(
            /^([a-z0-9.-]+\/)?v[0-9]+[a-z0-9]*$/.test(apiVersion),
            `scaleOn ${key}: '${apiVersion}' is not an API version such as networking.k8s.io/v1`,
          );
      }
      return;
    }
    this.checkShare(problems, source.resource, resources);
  }

  private checkShare(problems: Problems, resource: Compute, resources: ContainerResources): void {
    const { target, key } = this;
    problems.percent(`scaleOn ${key}`, target, 1000);
    const [request, limit] = amounts(resource, resources);
    problems.require(
      request !== undefined,
      `scaleOn ${key} is a percentage of resources.${resource}.request, which is missing`,
    );
    if (request === undefined || limit === undefined || limit < request) return;
    const ceiling = (100 * limit) / request;
    problems.require(
      !(target >= ceiling),
      `scaleOn ${key} of ${target} % can never be passed: the limit is ${Math.floor(ceiling)} % of the request`,
    );
  }

  private share() {
    return { type: 'Utilization', averageUtilization: this.target };
  }

  /**
   * A figure of the whole service is divided by the pods of one version only, which answer `percent` of the requests:
   * the average that they may have rises by as much.
   */
  private amount(percent: number) {
    if (this.aim === 'value') return { type: 'Value', value: quantity(this.target) };
    return { type: 'AverageValue', averageValue: quantity((this.target * 100) / Math.max(1, percent)) };
  }
}

const quantity = (amount: number): string => `${Math.round(amount * 1000)}m`;

function amounts(source: Compute, resources: ContainerResources): readonly (number | undefined)[] {
  if (source === 'cpu') return [resources.cpu?.request, resources.cpu?.limit].map((cpu) => cpu && cpuMillis(cpu));
  return [resources.memory?.request, resources.memory?.limit].map((size) => size && sizeBytes(size));
}
