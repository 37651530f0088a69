import { Duration, Size } from 'cdk8s';
import type { ContainerResources, EnvValue } from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';
import { Construct, Dependable } from 'constructs';
import type { IClient } from './connections';
import { pgHbaConf } from './database-access';
import { DatabaseBackend } from './database-backend';
import type { DatabaseBackupOptions } from './database-backup';
import { DatabaseBackup } from './database-backup';
import type { DatabaseSettings } from './database-configuration';
import { databaseSettings, postgresqlConf } from './database-configuration';
import type { ExternalDatabaseAttributes, IStatefulDatabase } from './database-connection';
import { DATABASE_URL, databaseEnv, ExternalDatabase } from './database-connection';
import { DatabaseEndpoint } from './database-endpoint';
import type { DatabaseEngine } from './database-engine';
import type { DatabaseMetrics } from './database-metrics';
import { METRICS_PORT, METRICS_PORT_NAME } from './database-metrics';
import { databasePod, passwordSource } from './database-pod';
import type { PoolerSettings } from './database-pooler';
import { DatabasePooler, POOLER_SUFFIX, poolerSettings } from './database-pooler';
import type { StatefulDatabaseProps } from './database-props';
import { DatabaseReplicas, REPLICA_SUFFIX } from './database-replicas';
import { checkDatabase, databaseMachine } from './database-rules';
import { DIRECT_URL, databaseSecretData, USERS_KEY } from './database-secret';
import type { DatabaseTls } from './database-tls';
import type { Labels, NetworkPolicyPeer } from './kube';
import { kubeObject } from './kube';
import type { Late } from './late';
import type { WorkloadPolicy } from './network';
import { podsPeer } from './network';
import { compute } from './pod';
import { RemovalPolicy } from './release-options';
import { retain, serviceHost, statefulWorkload } from './stateful-workload';

export type { StatefulDatabaseProps } from './database-props';

/**
 * PostgreSQL: one server that writes, replicas that read, a pooler in front where they are asked for. Nothing reaches it but the clients
 * that `allowFrom` names, and nothing replaces it.
 * @stateful
 */
export class StatefulDatabase extends Construct implements IStatefulDatabase {
  /** A database that something else runs, for the same kind of client. */
  public static fromExternal(scope: Construct, id: string, attributes: ExternalDatabaseAttributes): IStatefulDatabase {
    return new ExternalDatabase(scope, id, attributes);
  }

  public readonly engine: DatabaseEngine;
  public readonly backend: DatabaseBackend;
  public readonly name: string;
  public readonly databaseName: string;
  public readonly username: string;
  public readonly storage: Size;
  public readonly resources: ContainerResources;
  public readonly removalPolicy: RemovalPolicy;
  public readonly terminationGrace: Duration;
  public readonly startupDeadline: Duration;
  public readonly readReplicas: number;
  public readonly replicaMaxLag: Duration;
  public readonly tls: DatabaseTls | undefined;
  public readonly metrics: DatabaseMetrics | undefined;
  /** The pooler's options with every default filled in. */
  public readonly pooler: PoolerSettings | undefined;
  /** Settings with every default filled in. */
  public readonly settings: DatabaseSettings;
  /** Where clients write: the pooler, or the primary where there is none. */
  public readonly host: string;
  public readonly port: number;
  public readonly peer: NetworkPolicyPeer;
  /** Secret with the passwords and the URLs. */
  public readonly secretName: string;
  public readonly urlKey = DATABASE_URL;
  /** The primary itself, around the pooler: for migrations, and for what needs a session of its own. */
  public readonly direct: IStatefulDatabase;
  /** The replicas; the same as `direct` where there are none, so that a program need not know. */
  public readonly readOnly: IStatefulDatabase;

  private readonly policy: WorkloadPolicy;
  private readonly labels: Labels;
  private readonly primary: { readonly host: string; readonly peer: NetworkPolicyPeer };
  private readonly proxy: DatabasePooler | undefined;
  private readonly followers: DatabaseReplicas | undefined;

  /** @throws ValidationError with every problem of the props, before any object is made */
  public constructor(scope: Construct, id: string, props: StatefulDatabaseProps) {
    super(scope, id);
    this.engine = props.engine;
    this.backend = props.backend ?? DatabaseBackend.statefulSet();
    this.name = props.name ?? id;
    this.databaseName = props.databaseName ?? 'app';
    this.username = props.username ?? 'app';
    this.storage = props.storage ?? Size.gibibytes(10);
    this.resources = props.resources ?? compute([250, 1000], [512, 1024]);
    this.removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    this.terminationGrace = props.terminationGrace ?? Duration.minutes(2);
    this.startupDeadline = props.startupDeadline ?? Duration.minutes(10);
    this.readReplicas = props.readReplicas ?? 0;
    this.replicaMaxLag = props.replicaMaxLag ?? Duration.seconds(30);
    this.pooler = props.pooler && poolerSettings(props.pooler);
    this.tls = props.tls;
    this.metrics = props.metrics;
    this.labels = props.labels ?? {};
    this.port = this.engine.port;
    const selector = { 'app.kubernetes.io/name': this.name };
    const { configuration = {}, initScripts = {} } = props;
    const { password, backup, replicationPassword } = props;
    const asked = { password, replicationPassword, backup, configuration, initScripts };
    checkDatabase(this, { ...this, ...asked, selector, labels: this.labels });

    this.settings = databaseSettings(databaseMachine(this), configuration);
    this.secretName = `${this.name}-secret`;
    this.primary = { host: this.hostOf(''), peer: podsPeer(this, selector) };
    this.tls?._addCertificate(this, this.name, this.services(), { ...this.labels, ...selector });
    this.addSecret(props, selector);
    this.addConfiguration(initScripts, selector);
    this.policy = this.addServer(props.storageClass, initScripts, selector);
    this.proxy = this.pooler && this.addPooler(this.pooler);
    this.followers = this.readReplicas > 0 ? this.addReplicas(props.storageClass) : undefined;
    this.host = this.proxy?.host ?? this.primary.host;
    this.peer = this.proxy?.peer ?? this.primary.peer;
    this.direct = this.proxy === undefined ? this : this.addDirect();
    this.readOnly = this.followers ?? this.direct;
    if (backup !== undefined) this.addBackup(backup, props.storageClass);
    // A client that writes need not wait for the replicas, which are inside of this construct too.
    Dependable.implement(
      this,
      dependable(() => this.withoutReplicas()),
    );
  }

  /** `DATABASE_URL`, read from the Secret, and `DATABASE_CA_CERT` where clients verify the server. */
  public connectionEnv(prefix?: string): Readonly<Record<string, EnvValue>> {
    const { secretName, urlKey } = this;
    return databaseEnv({ secretName, key: urlKey }, prefix, this.tls?._authority(this.name));
  }

  public allowFrom(...clients: readonly IClient[]): void {
    if (this.proxy !== undefined) this.proxy.allowFrom(...clients);
    else for (const client of clients) this.policy.allowFrom(client.peer, this.port);
  }

  /** Lets clients read the metrics of every server, on port 9187 of its pod. Does nothing where there are none. */
  public allowMetricsFrom(...clients: readonly IClient[]): void {
    if (this.metrics === undefined) return;
    for (const client of clients) this.policy.allowFrom(client.peer, METRICS_PORT);
    this.followers?.allowMetricsFrom(...clients);
  }

  /** Every Service that a certificate has to name. */
  private services(): readonly string[] {
    const { name } = this;
    const parts = [
      name,
      ...(this.pooler === undefined ? [] : [`${name}${POOLER_SUFFIX}`]),
      ...(this.readReplicas > 0 ? [`${name}${REPLICA_SUFFIX}`] : []),
    ];
    return parts.map((part) => `${part}-service`);
  }

  private hostOf(suffix: string): string {
    return serviceHost(this, `${this.name}${suffix}-service`);
  }

  private withoutReplicas(): readonly IConstruct[] {
    return this.node.children.filter((child) => child !== this.followers);
  }

  private addSecret(props: StatefulDatabaseProps, selector: Labels): void {
    const metadata = { name: this.secretName, labels: { ...this.labels, ...selector } };
    const { password, replicationPassword } = props;
    const stringData = databaseSecretData(this, {
      ...{ password, username: this.username, databaseName: this.databaseName, port: this.port },
      primaryHost: this.primary.host,
      sslMode: this.tls?.sslMode,
      poolerHost: this.pooler && this.hostOf(POOLER_SUFFIX),
      ...(this.readReplicas === 0
        ? {}
        : { replicas: { host: this.hostOf(REPLICA_SUFFIX), password: replicationPassword } }),
    });
    retain(this.removalPolicy, kubeObject(this, 'Secret', 'v1/Secret', metadata, { type: 'Opaque', stringData }));
  }

  private addConfiguration(initScripts: Readonly<Record<string, string>>, selector: Labels): void {
    const labels = { ...this.labels, ...selector };
    const data = {
      'postgresql.conf': postgresqlConf(databaseMachine(this), this.settings),
      'pg_hba.conf': pgHbaConf({
        tls: this.tls !== undefined,
        replicas: this.readReplicas > 0,
        metrics: this.metrics !== undefined,
      }),
    };
    const metadata = { name: `${this.name}-config`, labels };
    retain(this.removalPolicy, kubeObject(this, 'Config', 'v1/ConfigMap', metadata, { data }));
    if (Object.keys(initScripts).length === 0) return;
    const init = kubeObject(this, 'Init', 'v1/ConfigMap', { name: `${this.name}-init`, labels }, { data: initScripts });
    retain(this.removalPolicy, init);
  }

  private addServer(
    storageClass: Late | undefined,
    initScripts: Readonly<Record<string, string>>,
    selector: Labels,
  ): WorkloadPolicy {
    const { name, labels, removalPolicy, startupDeadline, storage, port, tls, metrics } = this;
    return statefulWorkload(this, {
      ...{ name, selector, labels, removalPolicy, startupDeadline },
      port: { name: 'postgres', port },
      ...(metrics === undefined ? {} : { morePorts: [{ name: METRICS_PORT_NAME, port: METRICS_PORT }] }),
      claim: { size: storage, ...(storageClass === undefined ? {} : { storageClass }) },
      pod: databasePod(this, {
        ...{ name, selector, tls, metrics },
        host: this.primary.host,
        init: Object.keys(initScripts).length > 0,
        followed: this.readReplicas > 0,
      }),
    });
  }

  private addPooler(settings: PoolerSettings): DatabasePooler {
    const { name, databaseName, username, labels, tls, primary, port } = this;
    const pooler = new DatabasePooler(this, 'Pooler', {
      ...{ name, settings, databaseName, username, labels, tls },
      server: { host: primary.host, port },
      users: { secretName: this.secretName, key: USERS_KEY },
    });
    pooler.allowTo(primary.peer, port);
    this.policy.allowFrom(pooler.peer, port);
    pooler.node.addDependency(this.node.findChild('StatefulSet'));
    return pooler;
  }

  private addReplicas(storageClass: Late | undefined): DatabaseReplicas {
    const { tls, metrics, labels, readReplicas: count, replicaMaxLag: maxLag, primary } = this;
    const replicas = new DatabaseReplicas(this, 'Replica', {
      ...{ database: this, count, maxLag, primaryHost: primary.host, storageClass, tls, metrics, labels },
    });
    replicas.allowTo(primary.peer);
    this.policy.allowFrom(replicas.peer, this.port);
    // Settings that a replica may not have lower than its primary reach the primary first.
    replicas.node.addDependency(this.node.findChild('StatefulSet'));
    return replicas;
  }

  private addDirect(): DatabaseEndpoint {
    const { port, databaseName, secretName, policy, primary } = this;
    return new DatabaseEndpoint(this, 'Direct', {
      ...{ port, databaseName, secretName, policy, ...primary },
      urlKey: DIRECT_URL,
      authority: this.tls?._authority(this.name),
      needs: () => this.withoutReplicas().filter((child) => child !== this.proxy),
    });
  }

  private addBackup(options: DatabaseBackupOptions, storageClass: Late | undefined): void {
    const { keep = 7, storage = this.storage, deadline = Duration.hours(6) } = options;
    const ownClass = options.storageClass ?? storageClass;
    const { name, engine, databaseName, username, labels, removalPolicy, primary, tls } = this;
    const backup = new DatabaseBackup(this, 'Backup', {
      ...{ name, engine, host: primary.host, databaseName, username, labels, removalPolicy, tls },
      options: {
        schedule: options.schedule,
        ...{ keep, storage, deadline },
        ...(ownClass === undefined ? {} : { storageClass: ownClass }),
      },
      password: passwordSource(this.secretName),
    });
    backup.allowTo(primary.peer);
    this.policy.allowFrom(backup.peer, this.port);
  }
}

const dependable = (needs: () => readonly IConstruct[]): Dependable => ({
  get dependencyRoots() {
    return [...needs()];
  },
});
