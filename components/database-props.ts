import type { Duration, Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { DatabaseBackend } from './database-backend';
import type { DatabaseBackupOptions } from './database-backup';
import type { DatabaseConfiguration } from './database-configuration';
import type { DatabaseEngine } from './database-engine';
import type { DatabaseMetrics } from './database-metrics';
import type { DatabasePoolerOptions } from './database-pooler';
import type { DatabaseTls } from './database-tls';
import type { Labels } from './kube';
import type { Late, LateSecret } from './late';
import type { RemovalPolicy } from './release-options';

/** Props of a StatefulDatabase. */
export interface StatefulDatabaseProps {
  /** Which database, in which version, from which image. */
  readonly engine: DatabaseEngine;
  /**
   * Password of `username`, kept in the component's Secret and mounted as a file.
   * It becomes part of a URL that nothing can escape once it is known: letters, digits, `-`, `.`, `_` and `~` only, at least eight.
   */
  readonly password: LateSecret;
  /**
   * Name of the objects; at most 52 characters, 45 with a backup.
   * @default - the construct's id
   */
  readonly name?: string;
  /** @default "app" */
  readonly databaseName?: string;
  /**
   * Owner of the database, without any right above that; the superuser `postgres` cannot log in from other pods.
   * @default "app"
   */
  readonly username?: string;
  /**
   * Size of each replica's volume, at least 1 GiB. To raise it grows the volumes while the server runs, where their class can expand;
   * to lower it is refused.
   * @default Size.gibibytes(10)
   */
  readonly storage?: Size;
  /**
   * Class of the volumes. A later change holds for those of further replicas only.
   * @default - the cluster's default StorageClass
   */
  readonly storageClass?: Late;
  /**
   * Requests and limits of the server; memory has to be limited, to 256 MiB or more, since its settings follow from it.
   * @default - cpu 250m/1, memory 512Mi/1Gi
   */
  readonly resources?: ContainerResources;
  /**
   * Settings of the server.
   * @default - derived from the limits and the storage, see DatabaseConfiguration
   */
  readonly configuration?: DatabaseConfiguration;
  /**
   * SQL by file name (`*.sql`), run in the order of their names when the data folder is made, and never again.
   * @default - none
   */
  readonly initScripts?: Readonly<Record<string, string>>;
  /**
   * Whether volumes, Secret and configuration stay when they leave the definition; the pods then run on with nothing to restart them.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Time for the fast shutdown, which ends every session and writes a checkpoint; a kill before its end means recovery at the next start.
   * @default Duration.minutes(2)
   */
  readonly terminationGrace?: Duration;
  /**
   * Time for the start, which may have to replay the write-ahead log since the last checkpoint.
   * @default Duration.minutes(10)
   */
  readonly startupDeadline?: Duration;
  /**
   * Scheduled dumps to a volume of their own. With CloudNativePG: when its own kind of backup is made, and only that.
   * @default - none
   */
  readonly backup?: DatabaseBackupOptions;
  /**
   * Further labels of the objects and pods; those that select pods are the component's.
   * @default - none
   */
  readonly labels?: Labels;
  /**
   * What runs the servers.
   * @default DatabaseBackend.statefulSet()
   */
  readonly backend?: DatabaseBackend;
  /**
   * Servers that follow the primary and answer what only reads, behind a Service of their own; eight at most. The first one restarts the
   * primary once, a further one does not.
   * @default 0
   */
  readonly readReplicas?: number;
  /**
   * Password that replicas follow their primary with; characters as in `password`. Required with read replicas, unused without;
   * CloudNativePG wants none.
   * @default - none
   */
  readonly replicationPassword?: LateSecret;
  /**
   * What readers of a replica see is at most so old, or it gets no readers. CloudNativePG measures in bytes, and has `maximumLag` for that.
   * @default Duration.seconds(30)
   */
  readonly replicaMaxLag?: Duration;
  /**
   * PgBouncer between the clients and the primary. Backups and `direct` go around it.
   * @default - none: clients connect to the server
   */
  readonly pooler?: DatabasePoolerOptions;
  /**
   * Certificate of servers and pooler, which then refuse clients without TLS.
   * @default - none: traffic is not encrypted
   */
  readonly tls?: DatabaseTls;
  /**
   * An exporter beside each server, on port 9187, which only `allowScraping` opens. CloudNativePG needs none for the same port.
   * @default - none
   */
  readonly metrics?: DatabaseMetrics;
}
