import { Construct } from 'constructs';
import { BackupJobs, streaming } from './backup-jobs';
import type { BackupOptions, BackupPolicyOptions } from './backup-options';
import { backupSettings } from './backup-options';
import type { BackupTarget } from './backup-target';
import type { EnvMap, IClient } from './connections';
import { secretKey } from './connections';
import { DATABASE_CA } from './database-connection';
import type { DatabaseParts } from './database-servers';
import type { Labels, NetworkPolicyPeer } from './kube';
import type { Late, LateSecret } from './late';
import { movedFrom } from './release-options';

/**
 * When a database is dumped, how much of it is kept, and where. With CloudNativePG: when the operator makes a backup of its own kind, and
 * nothing else.
 */
export interface DatabaseBackupOptions extends BackupPolicyOptions {
  /** Five fields in UTC, or a macro such as `@daily`. */
  readonly schedule: string;
  /** Image that follows the contract of `images/backup`. Required without CloudNativePG. @default - none */
  readonly image?: Late;
  /** See BackupOptions. Required without CloudNativePG. @default - none */
  readonly encryptionKey?: LateSecret;
  /** Where archives are kept. Required without CloudNativePG. @default - none */
  readonly target?: BackupTarget;
}

/** What the jobs know about the database. */
export interface DatabaseBackupProps {
  readonly database: DatabaseParts;
  readonly options: BackupOptions;
  /** Key of the database's Secret with the URL of the primary itself. */
  readonly urlKey: string;
  /** Class of the data's volume, where it has one of its own. */
  readonly storageClass: Late | undefined;
  readonly labels: Labels;
}

/** Ids of the objects, and those that they had as children of the backup itself. */
const MOVED: readonly (readonly [path: string, before: string])[] = [
  ['Volume', 'Volume'],
  ['Job', 'CronJob'],
  ['JobAccount', 'ServiceAccount'],
  ['JobNetwork/NetworkPolicy', 'NetworkPolicy'],
];

/** Whoever connects from a job belongs to nobody's files. */
const USER = 10_076;
const URL_DIRECTORY = '/run/secrets/database-url';

/** The options of a backup that the component makes itself; the rules have refused those that lack something. */
export const ownBackup = (options: DatabaseBackupOptions | undefined): BackupOptions | undefined => {
  const { image, encryptionKey, target } = options ?? {};
  if (options === undefined || image === undefined || encryptionKey === undefined || target === undefined)
    return undefined;
  return { ...options, image, encryptionKey, target };
};

/** Dumps of one database, and drills of their restore. */
export class DatabaseBackup extends Construct implements IClient {
  /** How the database's NetworkPolicy names the pods of backups and restores. */
  public readonly peer: NetworkPolicyPeer;
  private readonly jobs: BackupJobs;

  public constructor(
    scope: Construct,
    id: string,
    { database, options, urlKey, storageClass, labels }: DatabaseBackupProps,
  ) {
    super(scope, id);
    const { name, secretName, tls, removalPolicy } = database;
    const authority = tls?._authority(name);
    const env: EnvMap = {
      DATABASE_URL_FILE: `${URL_DIRECTORY}/url`,
      ...(authority === undefined ? {} : { [DATABASE_CA]: secretKey(authority.secretName, authority.key) }),
    };
    const secret = { secretName, defaultMode: 0o440, items: [{ key: urlKey, path: 'url' }] };
    this.jobs = new BackupJobs(this, 'Jobs', {
      source: {
        ...{ kind: 'postgres', name, of: name, env, user: USER, resources: streaming() },
        volumes: [{ name: 'url', secret }],
        mounts: [{ name: 'url', mountPath: URL_DIRECTORY, readOnly: true }],
        data: { size: database.storage, storageClass },
      },
      settings: backupSettings(options),
      ...{ labels, removalPolicy },
    });
    this.peer = this.jobs.peer;
    for (const [now, before] of MOVED) {
      const moved = this.jobs.node.findAll().find(({ node }) => node.path === `${this.jobs.node.path}/${now}`);
      if (moved !== undefined) movedFrom(moved, `${this.node.path}/${before}`);
    }
  }

  /** Lets the jobs reach the database; nothing can reach the jobs. */
  public allowTo(database: NetworkPolicyPeer, port: number): void {
    this.jobs.allowTo(database, port);
  }
}
