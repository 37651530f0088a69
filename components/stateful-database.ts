import { Duration, Size } from 'cdk8s';
import type { ContainerResources, EnvValue } from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';
import { Construct, Dependable } from 'constructs';
import type { IClient } from './connections';
import { DatabaseBackend } from './database-backend';
import { CloudNativePgServers } from './database-cloud-native-pg';
import type { DatabaseSettings } from './database-configuration';
import { databaseSettings } from './database-configuration';
import type { ExternalDatabaseAttributes, IStatefulDatabase } from './database-connection';
import { DATABASE_URL, databaseEnv, ExternalDatabase } from './database-connection';
import type { DatabaseEngine } from './database-engine';
import type { DatabaseMetrics } from './database-metrics';
import type { PoolerSettings } from './database-pooler';
import { poolerSettings } from './database-pooler';
import type { StatefulDatabaseProps } from './database-props';
import { checkDatabase, databaseMachine } from './database-rules';
import type { DatabaseServers } from './database-servers';
import { StatefulSetServers } from './database-stateful-set';
import type { DatabaseTls } from './database-tls';
import type { NetworkPolicyPeer } from './kube';
import type { IMonitored, Monitoring } from './monitoring';
import { compute } from './pod';
import { RemovalPolicy } from './release-options';

export type { StatefulDatabaseProps } from './database-props';

/**
 * PostgreSQL: one server that writes, replicas that read, a pooler in front where they are asked for. Nothing reaches it but the clients
 * that `allowFrom` names, and nothing replaces it.
 * @stateful
 */
export class StatefulDatabase extends Construct implements IStatefulDatabase, IMonitored {
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

  private readonly servers: DatabaseServers;

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
    this.port = this.engine.port;
    const selector = { 'app.kubernetes.io/name': this.name };
    const { configuration = {}, initScripts = {}, labels = {} } = props;
    const { password, backup, replicationPassword } = props;
    const asked = { password, replicationPassword, backup, configuration, initScripts, labels };
    checkDatabase(this, { ...this, ...asked, selector, props });

    this.settings = databaseSettings(databaseMachine(this), configuration);
    this.secretName = `${this.name}-secret`;
    const input = { database: this, props, labels, selector };
    const operator = this.backend._operator;
    this.servers = operator === undefined ? new StatefulSetServers(input) : new CloudNativePgServers(input, operator);
    this.host = this.servers.host;
    this.peer = this.servers.peer;
    this.direct = this.servers.direct ?? this;
    this.readOnly = this.servers.readOnly ?? this.direct;
    Dependable.implement(
      this,
      dependable(() => this.servers.needs()),
    );
  }

  /** `DATABASE_URL`, read from the Secret, and `DATABASE_CA_CERT` where clients verify the server. */
  public connectionEnv(prefix?: string): Readonly<Record<string, EnvValue>> {
    const { secretName, urlKey } = this;
    return databaseEnv({ secretName, key: urlKey }, prefix, this.tls?._authority(this.name));
  }

  public allowFrom(...clients: readonly IClient[]): void {
    this.servers.allowFrom(...clients);
  }

  /** Lets who scrapes read the metrics of every server, on port 9187 of its pod. Does nothing where there are none. */
  public allowScraping(...clients: readonly IClient[]): void {
    this.servers.allowScraping(...clients);
  }

  /** What there is to watch; with `metrics` only, save with CloudNativePG, whose servers always have some. */
  public monitoring(): Monitoring {
    return this.servers.monitoring();
  }
}

const dependable = (needs: () => readonly IConstruct[]): Dependable => ({
  get dependencyRoots() {
    return [...needs()];
  },
});
