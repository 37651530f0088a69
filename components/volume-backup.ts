import type { Size } from 'cdk8s';
import { Construct } from 'constructs';
import { BackupJobs, streaming } from './backup-jobs';
import type { BackupOptions } from './backup-options';
import { backupSettings } from './backup-options';
import type { Labels } from './kube';
import type { Late } from './late';
import type { PodSelector } from './network';
import type { RemovalPolicy } from './release-options';

/** What the jobs know about a volume. */
export interface VolumeBackupProps {
  /** Begin of the names of archives and objects. */
  readonly name: string;
  /** Service that writes to it. */
  readonly service: string;
  readonly claimName: string;
  /** Numeric user and group that its files belong to. */
  readonly user: number;
  /** Pods that have it mounted: most volumes can be on one node at a time. Nothing for a volume that several nodes may mount. */
  readonly nodeOf: PodSelector | undefined;
  readonly size: Size;
  readonly storageClass: Late | undefined;
  readonly options: BackupOptions;
  readonly labels: Labels;
  readonly removalPolicy: RemovalPolicy;
}

const DIRECTORY = '/data';

/** Archives of the files of one volume, and drills of their restore. A backup only reads; a restore mounts the volume to write. */
export class VolumeBackup extends Construct {
  public constructor(scope: Construct, id: string, props: VolumeBackupProps) {
    super(scope, id);
    const { name, service, claimName, user, nodeOf, size, storageClass, options, labels, removalPolicy } = props;
    new BackupJobs(this, 'Jobs', {
      source: {
        ...{ kind: 'volume', name, of: service, user, env: {}, resources: streaming() },
        ...(nodeOf === undefined ? {} : { nodeOf }),
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
        mounts: [{ name: 'data', mountPath: DIRECTORY, readOnly: true }],
        data: { size, storageClass },
      },
      settings: backupSettings(options),
      ...{ labels, removalPolicy },
    });
  }
}
