import { Duration, Size } from 'cdk8s';
import type { ContainerResources, EnvValue } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { IClient } from './connections';
import type { DatabaseBackupOptions } from './database-backup';
import { DatabaseBackup } from './database-backup';
import type { DatabaseConfiguration, DatabaseSettings } from './database-configuration';
import { databaseSettings, postgresqlConf } from './database-configuration';
import type { ExternalDatabaseAttributes, IStatefulDatabase } from './database-connection';
import { DATABASE_URL, databaseEnv, databaseUrl, ExternalDatabase } from './database-connection';
import type { DatabaseEngine } from './database-engine';
import { databasePod, PASSWORD_KEY, passwordSource } from './database-pod';
import { checkDatabase, databaseMachine } from './database-rules';
import type { Labels, NetworkPolicyPeer } from './kube';
import { kubeObject } from './kube';
import type { Late, LateSecret } from './late';
import { LateTokens } from './late';
import type { WorkloadPolicy } from './network';
import { podsPeer } from './network';
import { compute } from './pod';
import { RemovalPolicy } from './release-options';
import { retain, serviceHost, statefulWorkload } from './stateful-workload';

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
   * Scheduled dumps to a volume of their own.
   * @default - none
   */
  readonly backup?: DatabaseBackupOptions;
  /**
   * Further labels of the objects and pods; those that select pods are the component's.
   * @default - none
   */
  readonly labels?: Labels;
}

/**
 * PostgreSQL with one instance: nothing reaches it but the clients that `allowFrom` names, and nothing replaces it.
 * @stateful
 */
export class StatefulDatabase extends Construct implements IStatefulDatabase {
  /** A database that something else runs, for the same kind of client. */
  public static fromExternal(scope: Construct, id: string, attributes: ExternalDatabaseAttributes): IStatefulDatabase {
    return new ExternalDatabase(scope, id, attributes);
  }

  public readonly engine: DatabaseEngine;
  public readonly name: string;
  public readonly databaseName: string;
  public readonly username: string;
  public readonly storage: Size;
  public readonly resources: ContainerResources;
  public readonly removalPolicy: RemovalPolicy;
  public readonly terminationGrace: Duration;
  public readonly startupDeadline: Duration;
  /** Settings with every default filled in. */
  public readonly settings: DatabaseSettings;
  public readonly host: string;
  public readonly port: number;
  public readonly peer: NetworkPolicyPeer;
  /** Secret with the keys `POSTGRES_PASSWORD` and `DATABASE_URL`. */
  public readonly secretName: string;

  private readonly policy: WorkloadPolicy;
  private readonly labels: Labels;

  /** @throws ValidationError with every problem of the props, before any object is made */
  public constructor(scope: Construct, id: string, props: StatefulDatabaseProps) {
    super(scope, id);
    this.engine = props.engine;
    this.name = props.name ?? id;
    this.databaseName = props.databaseName ?? 'app';
    this.username = props.username ?? 'app';
    this.storage = props.storage ?? Size.gibibytes(10);
    this.resources = props.resources ?? compute([250, 1000], [512, 1024]);
    this.removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    this.terminationGrace = props.terminationGrace ?? Duration.minutes(2);
    this.startupDeadline = props.startupDeadline ?? Duration.minutes(10);
    this.labels = props.labels ?? {};
    this.port = this.engine.port;
    const selector = { 'app.kubernetes.io/name': this.name };
    const { configuration = {}, initScripts = {} } = props;
    const { password, backup } = props;
    checkDatabase(this, { ...this, password, selector, configuration, initScripts, backup, labels: this.labels });

    this.settings = databaseSettings(databaseMachine(this), configuration);
    this.host = serviceHost(this, `${this.name}-service`);
    this.secretName = `${this.name}-secret`;
    this.peer = podsPeer(this, selector);
    this.addSecret(password, selector);
    this.addConfiguration(initScripts, selector);
    this.policy = this.addServer(props.storageClass, initScripts, selector);
    if (backup !== undefined) this.addBackup(backup, props.storageClass);
  }

  /** `DATABASE_URL`, read from the Secret. */
  public connectionEnv(prefix?: string): Readonly<Record<string, EnvValue>> {
    return databaseEnv(this.secretName, prefix);
  }

  public allowFrom(...clients: readonly IClient[]): void {
    for (const client of clients) this.policy.allowFrom(client.peer, this.port);
  }

  private addSecret(password: LateSecret, selector: Labels): void {
    const { username, host, port, databaseName, secretName } = this;
    const token = LateTokens.of(this).asSecret(this, password);
    const metadata = { name: secretName, labels: { ...this.labels, ...selector } };
    const secret = kubeObject(this, 'Secret', 'v1/Secret', metadata, {
      type: 'Opaque',
      stringData: {
        [PASSWORD_KEY]: token,
        [DATABASE_URL]: databaseUrl({ username, password: token, host, port, databaseName }),
      },
    });
    retain(this.removalPolicy, secret);
  }

  private addConfiguration(initScripts: Readonly<Record<string, string>>, selector: Labels): void {
    const labels = { ...this.labels, ...selector };
    const text = postgresqlConf(databaseMachine(this), this.settings);
    const config = kubeObject(
      this,
      'Config',
      'v1/ConfigMap',
      { name: `${this.name}-config`, labels },
      { data: { 'postgresql.conf': text } },
    );
    retain(this.removalPolicy, config);
    if (Object.keys(initScripts).length === 0) return;
    const init = kubeObject(this, 'Init', 'v1/ConfigMap', { name: `${this.name}-init`, labels }, { data: initScripts });
    retain(this.removalPolicy, init);
  }

  private addServer(
    storageClass: Late | undefined,
    initScripts: Readonly<Record<string, string>>,
    selector: Labels,
  ): WorkloadPolicy {
    const { name, labels, removalPolicy, startupDeadline, storage, port } = this;
    return statefulWorkload(this, {
      name,
      selector,
      labels,
      port: { name: 'postgres', port },
      removalPolicy,
      startupDeadline,
      claim: { size: storage, ...(storageClass === undefined ? {} : { storageClass }) },
      pod: databasePod(this, selector, Object.keys(initScripts).length > 0),
    });
  }

  private addBackup(options: DatabaseBackupOptions, storageClass: Late | undefined): void {
    const { keep = 7, storage = this.storage, deadline = Duration.hours(6) } = options;
    const ownClass = options.storageClass ?? storageClass;
    const { name, engine, host, databaseName, username, labels, removalPolicy } = this;
    const backup = new DatabaseBackup(this, 'Backup', {
      ...{ name, engine, host, databaseName, username, labels, removalPolicy },
      options: {
        schedule: options.schedule,
        ...{ keep, storage, deadline },
        ...(ownClass === undefined ? {} : { storageClass: ownClass }),
      },
      password: passwordSource(this.secretName),
    });
    backup.allowTo(this.peer);
    this.policy.allowFrom(backup.peer, this.port);
  }
}
