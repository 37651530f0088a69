import type { Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { secretKey } from './connections';
import type { EnvMap } from './connections';
import type { SecretKey } from './database-tls';
import { declareExternal } from './external';
import { isCidr } from './http-settings';
import type { NetworkPolicyPeer, Volume, VolumeMount } from './kube';
import type { Late } from './late';
import type { Problems } from './validation';

/** A bucket of an object storage that speaks S3. */
export interface ObjectStorageOptions {
  /** Its address, such as `https://s3.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
  /** An existing bucket; nothing here makes or deletes one. */
  readonly bucket: string;
  /** Folder in the bucket. Backups of one name in one folder are taken for each other's. @default - the bucket itself */
  readonly prefix?: string;
  /** @default "us-east-1" - what most servers other than AWS' expect */
  readonly region?: string;
  /** An existing Secret of the namespace with the keys `ACCESS_KEY_ID` and `SECRET_ACCESS_KEY`, which may write, list and delete below the prefix. */
  readonly credentialsSecretName: string;
  /** Whether the bucket is a part of the path rather than of the host's name; AWS wants a name. @default true */
  readonly pathStyle?: boolean;
  /**
   * Authority that signed the storage's certificate, in a Secret of the namespace; for an `https://` address.
   * @default - those that the image trusts
   */
  readonly authority?: SecretKey;
  /** Addresses that NetworkPolicies open, as a CIDR block. @default "0.0.0.0/0" - any address, on the endpoint's port only */
  readonly cidr?: string;
}

interface VolumeTarget {
  readonly kind: 'volume';
  readonly size: Size;
  readonly storageClass: Late | undefined;
}
interface ObjectStorageTarget {
  readonly kind: 'objectStorage';
  readonly options: ObjectStorageOptions;
}

/** Keys of the Secret with the credentials of an object storage. */
const CREDENTIALS = {
  RCLONE_CONFIG_TARGET_ACCESS_KEY_ID: 'ACCESS_KEY_ID',
  RCLONE_CONFIG_TARGET_SECRET_ACCESS_KEY: 'SECRET_ACCESS_KEY',
};

/** The authority in the jobs' pods. */
const AUTHORITY = { volume: 'authority', directory: '/run/secrets/backup-authority', file: 'ca.crt' } as const;

/** Where archives are kept. They are encrypted before they get there. */
export class BackupTarget {
  /**
   * A volume of its own beside what is backed up. It outlives the data's volume, not the cluster.
   * @param size holds one archive more than are kept; it may grow where the class can expand
   * @param storageClass the class of the data where it is left out
   */
  public static volume(size: Size, storageClass?: Late): BackupTarget {
    return new BackupTarget({ kind: 'volume', size, storageClass });
  }

  /** A bucket, which outlives the cluster. */
  public static objectStorage(options: ObjectStorageOptions): BackupTarget {
    return new BackupTarget({ kind: 'objectStorage', options });
  }

  private constructor(private readonly target: VolumeTarget | ObjectStorageTarget) {}

  /** The volume; nothing for a bucket. @internal */
  public get _volume(): Omit<VolumeTarget, 'kind'> | undefined {
    return this.target.kind === 'volume' ? this.target : undefined;
  }

  /** What the job's pods must reach. @internal */
  public get _edge(): { readonly peer: NetworkPolicyPeer; readonly port: number } | undefined {
    if (this.target.kind === 'volume') return undefined;
    const { endpoint, cidr = '0.0.0.0/0' } = this.target.options;
    const { protocol, port } = new URL(endpoint);
    return { peer: { ipBlock: { cidr } }, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
  }

  /** Files that the job's pods need to reach it. @internal */
  public get _files(): { readonly volumes: readonly Volume[]; readonly mounts: readonly VolumeMount[] } {
    const authority = this.target.kind === 'volume' ? undefined : this.target.options.authority;
    if (authority === undefined) return { volumes: [], mounts: [] };
    const { volume: name, directory: mountPath, file } = AUTHORITY;
    const { secretName, key } = authority;
    const secret = { secretName, defaultMode: 0o440, items: [{ key, path: file }] };
    return { volumes: [{ name, secret }], mounts: [{ name, mountPath, readOnly: true }] };
  }

  /** How the image finds it. Settings of rclone by the name of its remote, `target`. @internal */
  public _env(scope: Construct): EnvMap {
    if (this.target.kind === 'volume') return {};
    const {
      endpoint,
      bucket,
      prefix = '',
      region = 'us-east-1',
      credentialsSecretName,
      pathStyle = true,
      authority,
    } = this.target.options;
    declareExternal(scope, 'Secret', credentialsSecretName);
    if (authority !== undefined) declareExternal(scope, 'Secret', authority.secretName);
    return {
      BACKUP_REMOTE: `target:${[bucket, prefix].filter(Boolean).join('/')}`,
      RCLONE_CONFIG_TARGET_TYPE: 's3',
      RCLONE_CONFIG_TARGET_PROVIDER: 'Other',
      RCLONE_CONFIG_TARGET_ENDPOINT: endpoint,
      RCLONE_CONFIG_TARGET_REGION: region,
      RCLONE_CONFIG_TARGET_FORCE_PATH_STYLE: String(pathStyle),
      RCLONE_CONFIG_TARGET_NO_CHECK_BUCKET: 'true',
      ...(authority === undefined ? {} : { RCLONE_CA_CERT: `${AUTHORITY.directory}/${AUTHORITY.file}` }),
      ...Object.fromEntries(
        Object.entries(CREDENTIALS).map(([name, key]) => [name, secretKey(credentialsSecretName, key)]),
      ),
    };
  }

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    if (this.target.kind === 'volume') {
      problems.size(`${prop}.size`, this.target.size);
      return;
    }
    const {
      endpoint,
      bucket,
      prefix = '',
      region = '',
      credentialsSecretName,
      authority,
      cidr = '0.0.0.0/0',
    } = this.target.options;
    problems
      .require(
        /^https?:\/\/[a-z0-9.-]+(:[0-9]{1,5})?$/.test(endpoint),
        `${prop}.endpoint must be an address such as https://s3.example.com, got '${endpoint}'`,
      )
      .require(
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket),
        `${prop}.bucket must be the name of a bucket (3 to 63 of a-z, 0-9, '-', '.'), got '${bucket}'`,
      )
      .require(
        prefix === '' || /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/.test(prefix),
        `${prop}.prefix must be folders joined by '/', without one at an end, got '${prefix}'`,
      )
      .require(/^[a-z0-9-]{0,63}$/.test(region), `${prop}.region must be a name such as eu-central-1, got '${region}'`)
      .dnsSubdomain(`${prop}.credentialsSecretName`, credentialsSecretName)
      .dnsSubdomain(`${prop}.authority.secretName`, authority?.secretName)
      .require(
        authority === undefined || endpoint.startsWith('https:'),
        `${prop}.authority is for an https address, and ${prop}.endpoint is '${endpoint}'`,
      )
      .require(isCidr(cidr), `${prop}.cidr must be a CIDR block such as 10.0.0.0/16, got '${cidr}'`);
  }
}
