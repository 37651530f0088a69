import type { EnvMap } from './connections';
import type { Late } from './late';
import type { Scaling } from './scaling';
import type { Problems } from './validation';

/** Suffix of the canary's Deployment and of all beside it. */
export const CANARY_SUFFIX = '-canary';
/** From this share of the requests on, one pod less would be felt by most users. */
const MAJORITY_PERCENT = 50;

/** Where a route finds a canary; its Service has the port of the service that it belongs to. */
export interface CanaryRoute {
  readonly serviceName: string;
  /** Percent of the requests that go to it; the rest goes to the service itself. */
  readonly weight: number;
}

/** How much of the traffic a canary gets, and what makes it differ. */
export interface CanaryOptions {
  /** Whole percent of the requests, from 0 to 100, that routes pass on to the canary. */
  readonly weight: number;
  /** Set over the environment of the service. @default - none: the environment of the service as it is */
  readonly env?: EnvMap;
  /** Pods of the canary that always run. @default - its share of the service's, at least one, and two from half of the requests on */
  readonly minReplicas?: number;
  /** @default - its share of the service's, at least `minReplicas` */
  readonly maxReplicas?: number;
}

/**
 * A second version of a service, which answers some of its requests: a Deployment, a Service, a disruption budget and an autoscaler of
 * its own, so that neither version scales by the load of the other, with the account, configuration and connections of the service.
 * The pods of the service are divided by weight. To promote a canary, give the service its image and leave the canary out.
 */
export class Canary {
  /** The same program in another version. */
  public static ofImage(image: Late, options: CanaryOptions): Canary {
    return new Canary(image, options);
  }

  private constructor(
    /** Image reference of the canary's pods. */
    public readonly image: Late,
    private readonly options: CanaryOptions,
  ) {}

  /** Percent of the requests. */
  public get weight(): number {
    return this.options.weight;
  }

  /** @internal */
  public get _env(): EnvMap {
    return this.options.env ?? {};
  }

  /** Pods of the canary. @internal */
  public _scaling(service: Scaling): Scaling {
    const share = sharedScaling(service, this.weight);
    const minReplicas = this.options.minReplicas ?? share.minReplicas;
    const maxReplicas = Math.max(minReplicas, this.options.maxReplicas ?? share.maxReplicas);
    return { ...share, minReplicas, maxReplicas, minAvailable: minReplicas - 1 };
  }

  /** Pods that are left to the service. @internal */
  public _rest(service: Scaling): Scaling {
    return sharedScaling(service, 100 - this.weight);
  }

  /** @internal */
  public _check(problems: Problems, image: string): void {
    const { weight, minReplicas, maxReplicas } = this.options;
    problems
      .image('canary.image', image)
      .integer('canary.weight', weight, { min: 0, max: 100 })
      .environment('canary.env', this.options.env)
      .integer('canary.minReplicas', minReplicas, { min: 1, max: 1000 })
      .integer('canary.maxReplicas', maxReplicas, { min: 1, max: 5000 })
      .require(
        minReplicas === undefined || maxReplicas === undefined || !(minReplicas > maxReplicas),
        `canary.minReplicas (${String(minReplicas)}) must not be above canary.maxReplicas (${String(maxReplicas)})`,
      );
  }
}

/** The pods that `percent` of the requests need, rounded up: for a moment one pod too many costs less than one too few. */
function sharedScaling(scaling: Scaling, percent: number): Scaling {
  const part = (pods: number): number => Math.ceil((pods * percent) / 100);
  const least = percent >= MAJORITY_PERCENT ? Math.min(2, scaling.minReplicas) : 1;
  const minReplicas = Math.max(least, part(scaling.minReplicas));
  return {
    ...scaling,
    minReplicas,
    maxReplicas: Math.max(minReplicas, part(scaling.maxReplicas)),
    minAvailable: Math.min(scaling.minAvailable, minReplicas - 1),
    percent,
  };
}
