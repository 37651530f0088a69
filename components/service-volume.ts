import type { ApiObject, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import type { BackupOptions } from './backup-options';
import { backupProblems } from './backup-options';
import type { HttpSettings } from './http-settings';
import type { Volume, VolumeMount } from './kube';
import type { Late } from './late';
import { RemovalPolicy } from './release-options';
import type { Scaling } from './scaling';
import { DATA_VOLUME, STATEFUL_NAME_MAX, replicaClaims } from './stateful-workload';
import type { Problems } from './validation';
import { VolumeBackup } from './volume-backup';
import type { VolumeClaim } from './volume-claim';
import { ADOPT_ANNOTATION, volumeClaim } from './volume-claim';

/** Suffix of the one claim that pods share. */
const CLAIM_SUFFIX = '-data';

/** A volume, and where it is mounted. */
export interface ServiceVolumeOptions {
  /** Absolute directory in the container; the process may write to it, and what is in it outlives the pod. */
  readonly directory: string;
  /** May grow where the class can expand it; it never shrinks. */
  readonly size: Size;
  /** @default - the cluster's default StorageClass */
  readonly storageClass?: Late;
  /** What happens to the volume when the service leaves the definition. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Scheduled archives of its files, and drills of their restore. With a volume for each pod: of the pods that always run, one backup each;
   * what those have that the autoscaler adds is not backed up.
   * @default - none
   */
  readonly backup?: BackupOptions;
}

/** A volume that pods on several nodes write to. */
export interface SharedVolumeOptions extends ServiceVolumeOptions {
  /** One that offers `ReadWriteMany`, such as a class of NFS or CephFS; the default class of most clusters does not. */
  readonly storageClass: Late;
}

type Access = 'exclusive' | 'oneNode' | 'shared' | 'perReplica';

/** What the pods of a service keep, and how they share it: the volumes of most classes can be on one node at a time. */
export class ServiceVolume {
  /** One volume for one pod. A roll-out ends the old pod before the new one starts, since both cannot have the volume. */
  public static exclusive(options: ServiceVolumeOptions): ServiceVolume {
    return new ServiceVolume('exclusive', options);
  }

  /** One volume for all pods, which therefore run on one node, and go down with it. Any class will do. */
  public static oneNode(options: ServiceVolumeOptions): ServiceVolume {
    return new ServiceVolume('oneNode', options);
  }

  /** One volume for all pods, wherever they run. */
  public static shared(options: SharedVolumeOptions): ServiceVolume {
    return new ServiceVolume('shared', options);
  }

  /**
   * A volume for each pod: a StatefulSet, whose pods are replaced one by one, each ending before its successor starts.
   * A larger size holds for the pods that always run; those that the autoscaler adds have the size that the service was made with.
   * What a pod has written stays for the next of its number when the autoscaler takes it away.
   */
  public static perReplica(options: ServiceVolumeOptions): ServiceVolume {
    return new ServiceVolume('perReplica', options);
  }

  private constructor(
    private readonly access: Access,
    private readonly options: ServiceVolumeOptions,
  ) {}

  /** Where it is mounted. */
  public get directory(): string {
    return this.options.directory;
  }

  /** Whether the pods have names and volumes of their own. @internal */
  public get _perReplica(): boolean {
    return this.access === 'perReplica';
  }

  /** Whether an old pod must be gone before a new one can have the volume. @internal */
  public get _exclusive(): boolean {
    return this.access === 'exclusive';
  }

  /** Whether all pods must be on one node. @internal */
  public get _oneNode(): boolean {
    return this.access === 'oneNode';
  }

  /** @internal */
  public get _mounts(): readonly VolumeMount[] {
    return [{ name: DATA_VOLUME, mountPath: this.directory }];
  }

  /** Volumes of the pod; a StatefulSet adds its own. @internal */
  public _volumes(service: string): readonly Volume[] {
    if (this._perReplica) return [];
    return [{ name: DATA_VOLUME, persistentVolumeClaim: { claimName: `${service}${CLAIM_SUFFIX}` } }];
  }

  /** @internal */
  public get _claim(): VolumeClaim {
    const { size, storageClass } = this.options;
    return { size, ...(storageClass === undefined ? {} : { storageClass }), shared: this.access === 'shared' };
  }

  /** Adds the claims that are there from the first pod on. @internal */
  public _addClaims(scope: Construct, settings: HttpSettings, replicas: number): readonly ApiObject[] {
    const { name, selector } = settings;
    const removalPolicy = this.options.removalPolicy ?? RemovalPolicy.RETAIN;
    this.addBackups(scope, settings, replicas);
    const claim = this._claim;
    if (this._perReplica) return replicaClaims(scope, { name, selector, claim, removalPolicy, replicas });
    const annotations = { [ADOPT_ANNOTATION]: 'true' };
    const labels = selector;
    return [volumeClaim(scope, 'Data', { name: `${name}${CLAIM_SUFFIX}`, labels, annotations, claim, removalPolicy })];
  }

  private addBackups(scope: Construct, { name, user, labels, podSelector }: HttpSettings, replicas: number): void {
    const { backup, size, storageClass, removalPolicy = RemovalPolicy.RETAIN } = this.options;
    if (backup === undefined) return;
    const common = { service: name, user, size, storageClass, options: backup, labels, removalPolicy };
    if (!this._perReplica) {
      const nodeOf = this.access === 'shared' ? undefined : podSelector;
      new VolumeBackup(scope, 'Backup', { ...common, name, claimName: `${name}${CLAIM_SUFFIX}`, nodeOf });
      return;
    }
    for (let ordinal = 0; ordinal < replicas; ordinal++) {
      const pod = `${name}-${ordinal}`;
      const nodeOf = { matchLabels: { 'statefulset.kubernetes.io/pod-name': pod } };
      new VolumeBackup(scope, `Backup-${ordinal}`, {
        ...{ ...common, name: pod, claimName: `${DATA_VOLUME}-${pod}`, nodeOf },
      });
    }
  }

  /** @internal */
  public _check(problems: Problems, scope: Construct, name: string, scaling: Scaling, canary: boolean): void {
    const { maxReplicas, zones } = scaling;
    problems.size('volume.size', this.options.size);
    // Pods of a StatefulSet have their number in the name.
    backupProblems(problems, scope, this._perReplica ? `${name}-00` : name, this.options.backup, 'volume.backup');
    switch (this.access) {
      case 'exclusive':
        problems
          .require(
            !(maxReplicas > 1),
            `volume: an exclusive volume is for one pod, and maxReplicas is ${maxReplicas}; ServiceVolume.shared with a class that offers ReadWriteMany, perReplica or oneNode are for several`,
          )
          .require(!canary, 'volume: an exclusive volume is for one pod, and a canary is a second one');
        return;
      case 'oneNode':
        problems.require(zones <= 1, `volume: pods that share a node cannot stand in ${zones} zones`);
        return;
      case 'perReplica':
        problems
          .dnsLabel('name with a volume for each replica', name, STATEFUL_NAME_MAX)
          .require(!canary, 'volume: a canary would start with empty volumes of its own; use ServiceVolume.shared');
        return;
      case 'shared':
    }
  }
}
