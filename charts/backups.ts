import type { Construct } from 'constructs';
import type { BackupOptions } from '../components/backup-options';
import { BackupStatus } from '../components/backup-status';
import { BackupTarget } from '../components/backup-target';
import type { Late, LateSecret } from '../components/late';
import type { RemovalPolicy } from '../components/release-options';
import type { BackupValues, StoreBackupValues } from './values';

interface BackupsOptions {
  /** Nothing where none are made. */
  readonly values: BackupValues | undefined;
  readonly images: Readonly<Record<'backup' | 'backupStatus', Late>>;
  /** What every archive of the system is encrypted with. */
  readonly key: LateSecret;
  readonly removalPolicy: RemovalPolicy;
}

/** How a system's stores are backed up: one image, one key, one place, and one memory of what succeeded. */
export class Backups {
  /** Nothing where no backups are made. */
  public readonly status: BackupStatus | undefined;

  public constructor(
    scope: Construct,
    private readonly options: BackupsOptions,
  ) {
    const { values, images, removalPolicy } = options;
    if (values === undefined) return;
    const { storage, storageClass } = values.status;
    this.status = new BackupStatus(scope, 'backup-status', {
      ...{ image: images.backupStatus, storage, removalPolicy },
      ...(storageClass === undefined ? {} : { storageClass }),
    });
  }

  /** What one store is told: a property of its component, which is not there where no backups are made. */
  public of(store: StoreBackupValues): { readonly backup?: BackupOptions } {
    const { status } = this;
    const { values, images, key } = this.options;
    if (values === undefined || status === undefined) return {};
    const { schedule, keep, maxAge, storage, drillSchedule } = store;
    return {
      backup: {
        ...{ schedule, keep, maxAge, image: images.backup, encryptionKey: key, status },
        target: values.bucket === undefined ? BackupTarget.volume(storage) : BackupTarget.objectStorage(values.bucket),
        ...(drillSchedule === undefined ? {} : { drill: { schedule: drillSchedule } }),
      },
    };
  }
}
