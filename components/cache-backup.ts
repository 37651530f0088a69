import { Size } from 'cdk8s';
import { Construct } from 'constructs';
import { BackupJobs } from './backup-jobs';
import type { BackupOptions } from './backup-options';
import { backupSettings } from './backup-options';
import type { CacheMembers } from './cache-members';
import { passwordKey } from './cache-users';
import type { IBackend, IClient } from './connections';
import type { Labels, NetworkPolicyPeer } from './kube';
import type { Late } from './late';
import { compute } from './pod';
import type { RemovalPolicy } from './release-options';
import { sizeBytes } from './units';

/** What the jobs know about the cache. */
export interface CacheBackupProps {
  readonly cache: CacheMembers & {
    readonly host: string;
    readonly maxMemory: Size;
    readonly removalPolicy: RemovalPolicy;
  };
  readonly options: BackupOptions;
  /** The way to the replicas; nothing where there is one server. */
  readonly readOnly: IBackend | undefined;
  readonly storageClass: Late | undefined;
  readonly labels: Labels;
}

const USER = 10_076;
const DIRECTORY = '/run/secrets/redis';

/** Snapshots of one cache, taken as one of its replicas would, and drills of their restore. */
export class CacheBackup extends Construct implements IClient {
  /** How the cache's NetworkPolicy names the pods of backups and restores. */
  public readonly peer: NetworkPolicyPeer;
  private readonly jobs: BackupJobs;

  public constructor(
    scope: Construct,
    id: string,
    { cache, options, readOnly, storageClass, labels }: CacheBackupProps,
  ) {
    super(scope, id);
    const { name, port, secretName, removalPolicy } = cache;
    // A copy is read from a replica, which nobody waits for, and brought back to the primary.
    const from = readOnly ?? cache;
    const secret = { secretName, defaultMode: 0o440, items: [{ key: passwordKey(), path: 'password' }] };
    const mebibytes = Math.ceil(sizeBytes(cache.maxMemory) / 1024 ** 2);
    this.jobs = new BackupJobs(this, 'Jobs', {
      source: {
        ...{ kind: 'redis', name, of: name, user: USER },
        env: {
          REDIS_HOST: from.host,
          REDIS_PORT: String(from.port),
          REDIS_PRIMARY_HOST: cache.host,
          REDIS_PRIMARY_PORT: String(port),
          REDIS_PASSWORD_FILE: `${DIRECTORY}/password`,
        },
        volumes: [{ name: 'password', secret }],
        mounts: [{ name: 'password', mountPath: DIRECTORY, readOnly: true }],
        // A restore loads the copy into a server of its own.
        resources: compute([50, 1000], [64, 256 + 2 * mebibytes]),
        scratch: Size.mebibytes(64 + 2 * mebibytes),
        data: { size: Size.mebibytes(64 + 2 * mebibytes), storageClass },
      },
      settings: backupSettings(options),
      ...{ labels, removalPolicy },
    });
    this.peer = this.jobs.peer;
  }

  /** Lets the jobs reach the cache; nothing can reach the jobs. */
  public allowTo(peer: NetworkPolicyPeer, port: number): void {
    this.jobs.allowTo(peer, port);
  }
}
