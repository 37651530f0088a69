import { Duration } from 'cdk8s';
import type { IConstruct } from 'constructs';
import type { IClient } from './connections';
import { pgHbaConf } from './database-access';
import type { DatabaseBackupOptions } from './database-backup';
import { DatabaseBackup } from './database-backup';
import { postgresqlConf } from './database-configuration';
import { DatabaseEndpoint } from './database-endpoint';
import { METRICS_PORT, METRICS_PORT_NAME } from './database-metrics';
import { databaseMonitoring } from './database-monitoring';
import { databasePod, passwordSource } from './database-pod';
import type { PoolerSettings } from './database-pooler';
import { DatabasePooler, POOLER_SUFFIX } from './database-pooler';
import { DatabaseReplicas, REPLICA_SUFFIX } from './database-replicas';
import { databaseMachine } from './database-rules';
import { DIRECT_URL, databaseSecretData, USERS_KEY } from './database-secret';
import type { DatabaseParts, DatabaseServers, DatabaseServersInput } from './database-servers';
import type { NetworkPolicyPeer } from './kube';
import { kubeObject } from './kube';
import type { Monitoring } from './monitoring';
import { NO_MONITORING } from './monitoring-parts';
import type { WorkloadPolicy } from './network';
import { podsPeer } from './network';
import { retain, serviceHost, statefulWorkload } from './stateful-workload';
import { sizeBytes } from './units';

/** A database whose servers are StatefulSets of the library's own. */
export class StatefulSetServers implements DatabaseServers {
  public readonly host: string;
  public readonly peer: NetworkPolicyPeer;
  public readonly direct: DatabaseEndpoint | undefined;
  public readonly readOnly: DatabaseReplicas | undefined;
  private readonly database: DatabaseParts;
  private readonly policy: WorkloadPolicy;
  private readonly primary: { readonly host: string; readonly peer: NetworkPolicyPeer };
  private readonly proxy: DatabasePooler | undefined;

  public constructor(private readonly input: DatabaseServersInput) {
    const { database, props, labels, selector } = input;
    this.database = database;
    this.primary = { host: this.hostOf(''), peer: podsPeer(database, selector) };
    database.tls?._addCertificate(database, database.name, this.services(), { ...labels, ...selector });
    this.addSecret();
    this.addConfiguration();
    this.policy = this.addServer();
    this.proxy = database.pooler && this.addPooler(database.pooler);
    this.readOnly = database.readReplicas > 0 ? this.addReplicas() : undefined;
    this.host = this.proxy?.host ?? this.primary.host;
    this.peer = this.proxy?.peer ?? this.primary.peer;
    this.direct = this.proxy === undefined ? undefined : this.addDirect();
    if (props.backup !== undefined) this.addBackup(props.backup);
  }

  public allowFrom(...clients: readonly IClient[]): void {
    if (this.proxy !== undefined) this.proxy.allowFrom(...clients);
    else for (const client of clients) this.policy.allowFrom(client.peer, this.database.port);
  }

  public allowScraping(...clients: readonly IClient[]): void {
    if (this.database.metrics === undefined) return;
    for (const client of clients) this.policy.allowFrom(client.peer, METRICS_PORT);
    this.readOnly?.allowScraping(...clients);
  }

  public monitoring(): Monitoring {
    const { database } = this;
    const { name, storage, readReplicas, settings } = database;
    if (database.metrics === undefined) return NO_MONITORING;
    return databaseMonitoring({ scope: database, storageBytes: sizeBytes(storage), name, readReplicas, settings });
  }

  /** A client that writes need not wait for the replicas, which are inside of the database too. */
  public needs(): readonly IConstruct[] {
    return this.database.node.children.filter((child) => child !== this.readOnly);
  }

  /** Every Service that a certificate has to name. */
  private services(): readonly string[] {
    const { name, pooler, readReplicas } = this.database;
    const parts = [
      name,
      ...(pooler === undefined ? [] : [`${name}${POOLER_SUFFIX}`]),
      ...(readReplicas > 0 ? [`${name}${REPLICA_SUFFIX}`] : []),
    ];
    return parts.map((part) => `${part}-service`);
  }

  private hostOf(suffix: string): string {
    return serviceHost(this.database, `${this.database.name}${suffix}-service`);
  }

  private addSecret(): void {
    const { database, input } = this;
    const { username, databaseName, port, tls, pooler, readReplicas, secretName, removalPolicy } = database;
    const metadata = { name: secretName, labels: { ...input.labels, ...input.selector } };
    const { password, replicationPassword } = input.props;
    const stringData = databaseSecretData(database, {
      ...{ password, username, databaseName, port },
      primaryHost: this.primary.host,
      sslMode: tls?.sslMode,
      poolerHost: pooler && this.hostOf(POOLER_SUFFIX),
      ...(readReplicas === 0 ? {} : { replicas: { host: this.hostOf(REPLICA_SUFFIX), password: replicationPassword } }),
    });
    retain(removalPolicy, kubeObject(database, 'Secret', 'v1/Secret', metadata, { type: 'Opaque', stringData }));
  }

  private addConfiguration(): void {
    const { database, input } = this;
    const { name, settings, tls, metrics, readReplicas, removalPolicy } = database;
    const labels = { ...input.labels, ...input.selector };
    const data = {
      'postgresql.conf': postgresqlConf(databaseMachine(database), settings),
      'pg_hba.conf': pgHbaConf({
        tls: tls !== undefined,
        replicas: readReplicas > 0,
        metrics: metrics !== undefined,
      }),
    };
    const metadata = { name: `${name}-config`, labels };
    retain(removalPolicy, kubeObject(database, 'Config', 'v1/ConfigMap', metadata, { data }));
    const { initScripts = {} } = input.props;
    if (Object.keys(initScripts).length === 0) return;
    const init = { name: `${name}-init`, labels };
    retain(removalPolicy, kubeObject(database, 'Init', 'v1/ConfigMap', init, { data: initScripts }));
  }

  private addServer(): WorkloadPolicy {
    const { database, input } = this;
    const { name, removalPolicy, startupDeadline, storage, port, tls, metrics, readReplicas } = database;
    const { labels, selector, props } = input;
    const { storageClass, initScripts = {} } = props;
    return statefulWorkload(database, {
      ...{ name, selector, labels, removalPolicy, startupDeadline },
      port: { name: 'postgres', port },
      ...(metrics === undefined ? {} : { morePorts: [{ name: METRICS_PORT_NAME, port: METRICS_PORT }] }),
      claim: { size: storage, ...(storageClass === undefined ? {} : { storageClass }) },
      pod: databasePod(database, {
        ...{ name, selector, tls, metrics },
        host: this.primary.host,
        init: Object.keys(initScripts).length > 0,
        followed: readReplicas > 0,
      }),
    });
  }

  private addPooler(settings: PoolerSettings): DatabasePooler {
    const { database, primary, input } = this;
    const { name, databaseName, username, tls, port, secretName } = database;
    const pooler = new DatabasePooler(database, 'Pooler', {
      ...{ name, settings, databaseName, username, labels: input.labels, tls },
      server: { host: primary.host, port },
      users: { secretName, key: USERS_KEY },
    });
    pooler.allowTo(primary.peer, port);
    this.policy.allowFrom(pooler.peer, port);
    pooler.node.addDependency(database.node.findChild('StatefulSet'));
    return pooler;
  }

  private addReplicas(): DatabaseReplicas {
    const { database, primary, input } = this;
    const { tls, metrics, readReplicas: count, replicaMaxLag: maxLag, port } = database;
    const { labels, props } = input;
    const replicas = new DatabaseReplicas(database, 'Replica', {
      ...{ database, count, maxLag, primaryHost: primary.host, tls, metrics, labels },
      storageClass: props.storageClass,
    });
    replicas.allowTo(primary.peer);
    this.policy.allowFrom(replicas.peer, port);
    // Settings that a replica may not have lower than its primary reach the primary first.
    replicas.node.addDependency(database.node.findChild('StatefulSet'));
    return replicas;
  }

  private addDirect(): DatabaseEndpoint {
    const { database, policy, primary } = this;
    const { port, databaseName, secretName, tls, name } = database;
    return new DatabaseEndpoint(database, 'Direct', {
      ...{ port, databaseName, secretName, policy, ...primary },
      urlKey: DIRECT_URL,
      authority: tls?._authority(name),
      needs: () => this.needs().filter((child) => child !== this.proxy),
    });
  }

  private addBackup(options: DatabaseBackupOptions): void {
    const { database, primary, input } = this;
    const { keep = 7, storage = database.storage, deadline = Duration.hours(6) } = options;
    const ownClass = options.storageClass ?? input.props.storageClass;
    const { name, engine, databaseName, username, removalPolicy, tls, secretName, port } = database;
    const backup = new DatabaseBackup(database, 'Backup', {
      ...{ name, engine, host: primary.host, databaseName, username, labels: input.labels, removalPolicy, tls },
      options: {
        schedule: options.schedule,
        ...{ keep, storage, deadline },
        ...(ownClass === undefined ? {} : { storageClass: ownClass }),
      },
      password: passwordSource(secretName),
    });
    backup.allowTo(primary.peer);
    this.policy.allowFrom(backup.peer, port);
  }
}
