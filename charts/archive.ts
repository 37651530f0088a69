import type { Size } from 'cdk8s';
import { Duration } from 'cdk8s';
import { DatabaseArchive } from '../components/database-archive';
import { ArchiveKeys } from '../components/database-archive-keys';
import { DatabaseRecovery } from '../components/database-recovery';
import type { LateSecret } from '../components/late';

/** A folder of a bucket, and the Secret that opens it. */
export interface BucketValues {
  readonly endpoint: string;
  readonly port: number;
  readonly region: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly pathStyle: boolean;
  readonly secretName: string;
}

/** Where a database's log and base backups go. */
export interface ArchiveValues {
  /** The bucket, or the size of a volume. */
  readonly target: BucketValues | Size;
  readonly maxLossSeconds: number;
  readonly fullEveryDays: number;
  readonly keepFull: number;
}

/** What a database is, and where the data of an empty volume comes from. */
export interface RecoveryValues {
  readonly role: 'primary' | 'standby';
  /** Archive of another server; nothing for the database's own. */
  readonly source: BucketValues | undefined;
  /** How far an empty volume of a primary is brought; nothing where the own archive is not asked. */
  readonly to: Date | 'latest' | undefined;
}

/** Props of the database. */
export interface ArchiveProps {
  readonly archive?: DatabaseArchive;
  readonly recovery?: DatabaseRecovery;
}

const bucket = ({ secretName, ...place }: BucketValues) => ({ ...place, keys: ArchiveKeys.fromSecret(secretName) });

function archiveOf(values: ArchiveValues, passphrase: LateSecret): DatabaseArchive {
  const { target, keepFull, maxLossSeconds, fullEveryDays } = values;
  const options = {
    keepFull,
    maxLoss: Duration.seconds(maxLossSeconds),
    fullEvery: Duration.days(fullEveryDays),
  };
  return 'bucket' in target
    ? DatabaseArchive.objectStorage({ ...bucket(target), ...options })
    : DatabaseArchive.volume({ storage: target, keys: ArchiveKeys.of({ passphrase }), ...options });
}

/** @param passphrase of an archive on a volume; that of a bucket is in the bucket's Secret */
export function archiveProps(
  archived: ArchiveValues | undefined,
  { role, source: other, to }: RecoveryValues,
  passphrase: LateSecret,
): ArchiveProps {
  const archive = archived && archiveOf(archived, passphrase);
  const source = other === undefined ? archive : DatabaseArchive.objectStorage(bucket(other));
  const wanted = source !== undefined && (other !== undefined || to !== undefined);
  return {
    ...(archive === undefined ? {} : { archive }),
    ...(wanted ? { recovery: recoveryOf(role, source, to) } : {}),
  };
}

const recoveryOf = (
  role: RecoveryValues['role'],
  source: DatabaseArchive,
  to: RecoveryValues['to'],
): DatabaseRecovery =>
  role === 'standby'
    ? DatabaseRecovery.standby(source)
    : DatabaseRecovery.primary(source, to instanceof Date ? { to } : {});
