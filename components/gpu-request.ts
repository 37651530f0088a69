import type { PodSpec } from './kube';
import type { Problems } from './validation';

const NVIDIA = 'nvidia.com/gpu';
const MIG_PROFILE = /^[1-7]g\.[1-9][0-9]{0,2}gb(\.[a-z]+)*$/;
// What the device plugin appends where it shares one device between pods, and is told to rename it.
const SHARED = '.shared';

interface Spec {
  readonly resource?: string;
  readonly count: number;
  /** Taint that nodes with the device carry, by NVIDIA's convention. */
  readonly taint?: string;
  readonly migProfile?: string;
}

/** Which accelerator a pod gets, as an extended resource of the node. */
export class GpuRequest {
  /** Whole NVIDIA devices. */
  public static nvidia(count: number): GpuRequest {
    return new GpuRequest({ resource: NVIDIA, count, taint: NVIDIA });
  }

  /**
   * One share of an NVIDIA device that time-slicing or MPS divides. Time-slicing does not divide its memory.
   * More than one share is no more compute, which is why there is no count.
   */
  public static nvidiaShared(): GpuRequest {
    return new GpuRequest({ resource: `${NVIDIA}${SHARED}`, count: 1, taint: NVIDIA });
  }

  /** Hardware partitions of an NVIDIA device, such as `1g.10gb`. */
  public static nvidiaMig(profile: string, count: number): GpuRequest {
    return new GpuRequest({ resource: `nvidia.com/mig-${profile}`, count, taint: NVIDIA, migProfile: profile });
  }

  /** A device of any other plugin, by the name of its resource; nodes are expected to be tainted with that name. */
  public static custom(resource: string, count: number): GpuRequest {
    return new GpuRequest({ resource, count, taint: resource });
  }

  /** No accelerator: the same server on the CPU, for development. */
  public static none(): GpuRequest {
    return new GpuRequest({ count: 0 });
  }

  private constructor(private readonly spec: Spec) {}

  /** Whether there is an accelerator at all. */
  public get accelerated(): boolean {
    return this.spec.resource !== undefined;
  }

  /** @internal */
  public get _resources(): Readonly<Record<string, number>> {
    return this.spec.resource === undefined ? {} : { [this.spec.resource]: this.spec.count };
  }

  /** @internal */
  public get _tolerations(): NonNullable<PodSpec['tolerations']> {
    return this.spec.taint === undefined ? [] : [{ key: this.spec.taint, operator: 'Exists', effect: 'NoSchedule' }];
  }

  /** @internal */
  public _check(problems: Problems): void {
    const { resource, count, migProfile } = this.spec;
    if (resource === undefined) return;
    problems.integer(`gpu: count of ${resource}`, count, { min: 1, max: 64 });
    if (migProfile !== undefined) {
      problems.require(
        MIG_PROFILE.test(migProfile),
        `gpu: '${migProfile}' is not a MIG profile such as 1g.10gb or 4g.71gb`,
      );
      return;
    }
    problems
      .require(
        /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(resource),
        `gpu: '${resource}' is not the name of an extended resource such as amd.com/gpu`,
      )
      .require(
        !(resource.endsWith(SHARED) && count > 1),
        `gpu: ${count} of ${resource} were asked for; the shares of one device add up to no more of it, so ask for 1`,
      );
  }
}
