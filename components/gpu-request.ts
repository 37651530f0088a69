import { Size } from 'cdk8s';
import type { PodSpec } from './kube';
import { sizeBytes } from './units';
import type { Problems } from './validation';

const NVIDIA = 'nvidia.com/gpu';
const MIG_PROFILE = /^[1-7]g\.([1-9][0-9]{0,2})gb(\.[a-z]+)*$/;
// What the device plugin appends where it shares one device between pods, and is told to rename it.
const SHARED = '.shared';
/** Most devices that a node has, where nothing is said. */
const MOST = 64;

/** What is known of a kind of device. */
export interface GpuDevice {
  /** Memory of one device, such as Size.gibibytes(80). @default - not known, so that nothing is refused for want of it */
  readonly memory?: Size;
  /** Devices of the largest node: a pod that wants more would wait forever. @default - not known; at most 64 */
  readonly perNode?: number;
}

/** The same for a device that is shared. */
export interface SharedGpu {
  /** @default "nvidia.com/gpu.shared", as NVIDIA's device plugin names it with `renameByDefault` */
  readonly resource?: string;
  /** Memory that one pod may count on; time-slicing divides none, so it is what the other pods leave. @default - not known */
  readonly memory?: Size;
}

interface Spec {
  readonly resource?: string;
  /** Nothing where the plan decides. */
  readonly count: number | undefined;
  /** Taint that nodes with the device carry, by NVIDIA's convention. */
  readonly taint?: string;
  readonly migProfile?: string;
  readonly device?: GpuDevice;
}

/** Which accelerator a pod gets, as an extended resource of the node. */
export class GpuRequest {
  /** Whole NVIDIA devices. */
  public static nvidia(count: number, device: GpuDevice = {}): GpuRequest {
    return new GpuRequest({ resource: NVIDIA, count, taint: NVIDIA, device });
  }

  /** As many whole NVIDIA devices of this memory as the model needs; its description must be given. */
  public static nvidiaFor(device: GpuDevice & { readonly memory: Size }): GpuRequest {
    return new GpuRequest({ resource: NVIDIA, count: undefined, taint: NVIDIA, device });
  }

  /**
   * Hardware partitions of an NVIDIA device, such as `1g.10gb`, whose memory is in the name.
   * One process sees one partition only, so that a second one holds no more of a model.
   */
  public static mig(profile: string, count = 1): GpuRequest {
    const [, gigabytes] = MIG_PROFILE.exec(profile) ?? [];
    const device = gigabytes === undefined ? {} : { memory: Size.gibibytes(Number(gigabytes)) };
    return new GpuRequest({ resource: `nvidia.com/mig-${profile}`, count, taint: NVIDIA, migProfile: profile, device });
  }

  /**
   * One share of an NVIDIA device that time-slicing or MPS divides. Time-slicing does not divide its memory.
   * More than one share is no more compute, which is why there is no count.
   */
  public static shared(options: SharedGpu = {}): GpuRequest {
    const { resource = `${NVIDIA}${SHARED}`, memory } = options;
    return new GpuRequest({ resource, count: 1, taint: NVIDIA, device: memory === undefined ? {} : { memory } });
  }

  /** A device of any other plugin, by the name of its resource; nodes are expected to be tainted with that name. */
  public static custom(resource: string, count: number, device: GpuDevice = {}): GpuRequest {
    return new GpuRequest({ resource, count, taint: resource, device });
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

  /** Devices of one pod; nothing where the plan decides. */
  public get count(): number | undefined {
    return this.spec.count;
  }

  /** Bytes of one device, where they are known. @internal */
  public get _deviceBytes(): number | undefined {
    const memory = this.spec.device?.memory;
    return memory === undefined ? undefined : sizeBytes(memory);
  }

  /** The largest number of devices that a pod may have. @internal */
  public get _most(): number {
    return this.spec.device?.perNode ?? MOST;
  }

  /** How many of the devices one process can use together. @internal */
  public _together(count: number): number {
    return this.spec.migProfile === undefined ? count : Math.min(1, count);
  }

  /** @internal */
  public _resources(count: number): Readonly<Record<string, number>> {
    return this.spec.resource === undefined ? {} : { [this.spec.resource]: count };
  }

  /** @internal */
  public get _tolerations(): NonNullable<PodSpec['tolerations']> {
    return this.spec.taint === undefined ? [] : [{ key: this.spec.taint, operator: 'Exists', effect: 'NoSchedule' }];
  }

  /** @internal */
  public _check(problems: Problems): void {
    const { resource, count, migProfile, device } = this.spec;
    if (resource === undefined) return;
    problems
      .integer(`gpu: count of ${resource}`, count, { min: 1, max: MOST })
      .integer('gpu: perNode', device?.perNode, { min: 1, max: MOST })
      .size('gpu: memory', device?.memory)
      .require(
        !((count ?? 0) > this._most),
        `gpu: ${count ?? 0} of ${resource} were asked for, and no node has more than ${this._most}`,
      );
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
        !(resource.endsWith(SHARED) && (count ?? 0) > 1),
        `gpu: ${count ?? 0} of ${resource} were asked for; the shares of one device add up to no more of it, so ask for 1`,
      );
  }
}
