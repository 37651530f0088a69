import type { Duration, Size } from 'cdk8s';
import type { EnvValue } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { IClient } from './connections';
import type { IStatefulDatabase } from './database-connection';
import { databaseEnv } from './database-connection';
import type { DatabaseMetrics } from './database-metrics';
import { METRICS_PORT, METRICS_PORT_NAME } from './database-metrics';
import type { DatabasePodInput } from './database-pod';
import { databasePod } from './database-pod';
import type { DatabaseTls } from './database-tls';
import type { Labels, NetworkPolicyPeer } from './kube';
import type { Late } from './late';
import type { WorkloadPolicy } from './network';
import { podsPeer } from './network';
import type { RemovalPolicy } from './release-options';
import { serviceHost, statefulWorkload } from './stateful-workload';

/** Suffix of the objects of a database's replicas. */
export const REPLICA_SUFFIX = '-replica';

/** Key of the Secret with the replicas' URL. */
export const READ_ONLY_URL = 'DATABASE_READ_ONLY_URL';

/** What the replicas know about their database. */
export interface DatabaseReplicasProps {
  readonly database: DatabasePodInput & { readonly storage: Size; readonly removalPolicy: RemovalPolicy };
  readonly count: number;
  readonly maxLag: Duration;
  /** Name by which they reach the primary. */
  readonly primaryHost: string;
  readonly storageClass: Late | undefined;
  readonly tls: DatabaseTls | undefined;
  readonly metrics: DatabaseMetrics | undefined;
  readonly labels: Labels;
  /** Whether the clients' password rotates. */
  readonly rotating: boolean;
}

/**
 * Servers that follow the primary and answer what only reads. Each copies the primary at its first start and keeps a slot there, so that
 * a restart of either costs no second copy. None takes the primary's place by itself.
 */
export class DatabaseReplicas extends Construct implements IStatefulDatabase {
  public readonly host: string;
  public readonly port: number;
  public readonly databaseName: string;
  public readonly secretName: string;
  public readonly urlKey = READ_ONLY_URL;
  public readonly peer: NetworkPolicyPeer;
  private readonly policy: WorkloadPolicy;

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: DatabaseReplicasProps,
  ) {
    super(scope, id);
    const { database, maxLag, storageClass, tls, metrics, labels, rotating } = props;
    const name = `${database.name}${REPLICA_SUFFIX}`;
    const selector = { 'app.kubernetes.io/name': name };
    this.host = serviceHost(this, `${name}-service`);
    this.port = database.engine.port;
    this.databaseName = database.databaseName;
    this.secretName = database.secretName;
    this.peer = podsPeer(this, selector);
    this.policy = statefulWorkload(this, {
      ...{ name, selector, labels },
      port: { name: 'postgres', port: this.port },
      ...(metrics === undefined ? {} : { morePorts: [{ name: METRICS_PORT_NAME, port: METRICS_PORT }] }),
      replicas: props.count,
      removalPolicy: database.removalPolicy,
      startupDeadline: database.startupDeadline,
      claim: { size: database.storage, ...(storageClass === undefined ? {} : { storageClass }) },
      pod: databasePod(database, {
        ...{ name, selector, tls, metrics, rotating },
        host: this.host,
        init: false,
        followed: false,
        primary: { host: props.primaryHost, maxLag },
      }),
    });
  }

  /** `DATABASE_URL` of the replicas, read from the Secret. */
  public connectionEnv(prefix?: string): Readonly<Record<string, EnvValue>> {
    const { secretName, urlKey } = this;
    return databaseEnv({ secretName, key: urlKey }, prefix, this.props.tls?._authority(this.props.database.name));
  }

  public allowFrom(...clients: readonly IClient[]): void {
    for (const client of clients) this.policy.allowFrom(client.peer, this.port);
  }

  /** Lets clients read the metrics. */
  public allowScraping(...clients: readonly IClient[]): void {
    for (const client of clients) this.policy.allowFrom(client.peer, METRICS_PORT);
  }

  /** Lets the replicas reach the server that they follow. */
  public allowTo(primary: NetworkPolicyPeer): void {
    this.policy.allowTo(primary, this.port);
  }
}
