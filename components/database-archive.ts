import type { Size } from 'cdk8s';
import { Duration } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { ArchiveKeys } from './database-archive-keys';
import type { SecretKey } from './database-tls';
import type { NetworkPolicyPeer } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import { compute } from './pod';
import { durationProblem } from './stateful-workload';
import type { Problems } from './validation';

/** What holds for an archive wherever it is. */
export interface DatabaseArchiveOptions {
  /**
   * What is written reaches the archive within this time, be it ever so little: what a lost server takes along at most.
   * @default Duration.minutes(1)
   */
  readonly maxLoss?: Duration;
  /**
   * A full base backup is made where the newest is so old.
   * @default Duration.days(7)
   */
  readonly fullEvery?: Duration;
  /**
   * A differential one, of what changed since the last full one, is made where the newest of either kind is so old.
   * @default Duration.days(1)
   */
  readonly differentialEvery?: Duration;
  /**
   * Full base backups that are kept, with the log since the oldest: how far back a point in time may lie, at least.
   * @default 2
   */
  readonly keepFull?: number;
  /**
   * Log that may wait for an archive which is away. With more of it the oldest is given up, so that the server's disk does not fill; no
   * point in time can then be reached until the next base backup.
   * @default - a quarter of the database's storage
   */
  readonly maxQueue?: Size;
  /**
   * Requests and limits of the container that makes the base backups; whole cores of its limit work at once.
   * @default - cpu 50m/1, memory 64Mi/256Mi
   */
  readonly resources?: ContainerResources;
}

/** A bucket that speaks S3 over HTTPS. */
export interface ArchiveStorageOptions extends DatabaseArchiveOptions {
  /** Host, without scheme and port, such as `s3.eu-central-1.amazonaws.com`. */
  readonly endpoint: Late;
  /** @default 443 */
  readonly port?: number;
  /** As the store calls it; requests are signed for it. */
  readonly region: string;
  /** It has to exist. */
  readonly bucket: string;
  /**
   * Folder in the bucket, such as `/shop/eu`: one for each database and each place, and never a second server's.
   * @default "/"
   */
  readonly prefix?: string;
  /** Access to the bucket, and the passphrase that everything in it is encrypted with. */
  readonly keys: ArchiveKeys;
  /**
   * Whether the bucket is part of the path, as most stores of one's own have it, and not of the host's name.
   * @default false
   */
  readonly pathStyle?: boolean;
  /**
   * Authority that signed the store's certificate, in a Secret of the database's namespace.
   * @default - those that the image trusts
   */
  readonly authority?: SecretKey;
  /**
   * Who the store is to a NetworkPolicy, such as `{ ipBlock: { cidr: '10.0.0.0/8' } }`. Policies know no host names.
   * @default - anybody, on the store's port only
   */
  readonly peer?: NetworkPolicyPeer;
}

/** A volume of its own beside the database's. */
export interface ArchiveVolumeOptions extends DatabaseArchiveOptions {
  /** The passphrase alone. */
  readonly keys: ArchiveKeys;
  /**
   * It may grow where its class can expand.
   * @default - twice the database's storage
   */
  readonly storage?: Size;
  /** @default - the database's storage class */
  readonly storageClass?: Late;
}

/** Options of either kind with their defaults. */
export type ArchiveSettings = Required<Omit<DatabaseArchiveOptions, 'maxQueue'>> &
  Pick<DatabaseArchiveOptions, 'maxQueue'> & { readonly keys: ArchiveKeys };

type Place =
  | { readonly kind: 'objectStorage'; readonly options: ArchiveStorageOptions }
  | { readonly kind: 'volume'; readonly options: ArchiveVolumeOptions };

/** Shortest time between two base backups: each reads all of the data. */
const LEAST_EVERY = 3600;

/**
 * Where a database's write-ahead log and base backups go, encrypted, each file with its checksum: what any point in time can be recovered
 * from, and what a standby follows. pgBackRest does the work.
 */
export class DatabaseArchive {
  /** A bucket, which another cluster can read too. */
  public static objectStorage(options: ArchiveStorageOptions): DatabaseArchive {
    return new DatabaseArchive({ kind: 'objectStorage', options });
  }

  /** A volume in the database's namespace: it survives the loss of the database's own volume, and not that of the cluster. */
  public static volume(options: ArchiveVolumeOptions): DatabaseArchive {
    return new DatabaseArchive({ kind: 'volume', options });
  }

  private constructor(private readonly place: Place) {}

  /** @internal */
  public get _place(): Place {
    return this.place;
  }

  /** @internal */
  public get _settings(): ArchiveSettings {
    const { options } = this.place;
    return {
      maxLoss: options.maxLoss ?? Duration.minutes(1),
      fullEvery: options.fullEvery ?? Duration.days(7),
      differentialEvery: options.differentialEvery ?? Duration.days(1),
      keepFull: options.keepFull ?? 2,
      resources: options.resources ?? compute([50, 1000], [64, 256]),
      keys: options.keys,
      ...(options.maxQueue === undefined ? {} : { maxQueue: options.maxQueue }),
    };
  }

  /** Host and port of a bucket; both are names to a policy only where `peer` says so. @internal */
  public get _store(): { readonly peers: readonly NetworkPolicyPeer[]; readonly port: number } | undefined {
    if (this.place.kind === 'volume') return undefined;
    const { peer, port = 443 } = this.place.options;
    const anybody = ['0.0.0.0/0', '::/0'].map((cidr) => ({ ipBlock: { cidr } }));
    return { peers: peer === undefined ? anybody : [peer], port };
  }

  /** Whether both are one place. A volume is only ever the same object's. @internal */
  public _is(scope: Construct, other: DatabaseArchive): boolean {
    if (this === other) return true;
    if (this.place.kind === 'volume' || other.place.kind === 'volume') return false;
    const [one, two] = [this.place.options, other.place.options].map(
      ({ endpoint, bucket, prefix = '/' }) =>
        `${LateTokens.of(scope).asString(scope, endpoint)}|${bucket}|${prefix.replace(/\/+$/, '')}`,
    );
    return one === two;
  }

  /** @internal */
  public _check(problems: Problems, scope: Construct, prop: string): void {
    const { maxLoss, fullEvery, differentialEvery, keepFull, maxQueue, resources, keys } = this._settings;
    durationProblem(problems, `${prop}.maxLoss`, maxLoss);
    durationProblem(problems, `${prop}.fullEvery`, fullEvery, LEAST_EVERY);
    durationProblem(problems, `${prop}.differentialEvery`, differentialEvery, LEAST_EVERY);
    problems
      .integer(`${prop}.keepFull`, keepFull, { min: 1, max: 1000 })
      .size(`${prop}.maxQueue`, maxQueue)
      .resources(`${prop}.resources`, resources);
    keys._check(problems, `${prop}.keys`, this.place.kind === 'objectStorage');
    if (this.place.kind === 'volume') problems.size(`${prop}.storage`, this.place.options.storage);
    else this.checkBucket(problems, scope, prop, this.place.options);
  }

  private checkBucket(problems: Problems, scope: Construct, prop: string, options: ArchiveStorageOptions): void {
    const { endpoint, port, region, bucket, prefix = '/', authority } = options;
    problems
      .host(`${prop}.endpoint`, LateTokens.of(scope).asString(scope, endpoint))
      .port(`${prop}.port`, port)
      .require(
        /^[a-z0-9][a-z0-9-]{0,62}$/.test(region),
        `${prop}.region must be a name such as eu-central-1, got '${region}'`,
      )
      .require(
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket),
        `${prop}.bucket must be the name of a bucket (a-z, 0-9, '-', '.', 3 to 63 characters), got '${bucket}'`,
      )
      .require(
        /^(\/|(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+)$/.test(prefix),
        `${prop}.prefix must be an absolute folder such as /shop/eu, got '${prefix}'`,
      )
      .dnsSubdomain(`${prop}.authority.secretName`, authority?.secretName);
  }
}
