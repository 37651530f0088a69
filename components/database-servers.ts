import type { Duration, Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { Construct, IConstruct } from 'constructs';
import type { IClient } from './connections';
import type { DatabaseSettings } from './database-configuration';
import type { IStatefulDatabase } from './database-connection';
import type { DatabaseEngine } from './database-engine';
import type { DatabaseMetrics } from './database-metrics';
import type { PoolerSettings } from './database-pooler';
import type { StatefulDatabaseProps } from './database-props';
import type { DatabaseTls } from './database-tls';
import type { Labels, NetworkPolicyPeer } from './kube';
import type { Monitoring } from './monitoring';
import type { RemovalPolicy } from './release-options';

/** What a back end knows about its database: the decided props. */
export interface DatabaseParts extends Construct {
  readonly engine: DatabaseEngine;
  readonly name: string;
  readonly databaseName: string;
  readonly username: string;
  readonly storage: Size;
  readonly resources: ContainerResources;
  readonly removalPolicy: RemovalPolicy;
  readonly terminationGrace: Duration;
  readonly startupDeadline: Duration;
  readonly readReplicas: number;
  readonly replicaMaxLag: Duration;
  readonly tls: DatabaseTls | undefined;
  readonly metrics: DatabaseMetrics | undefined;
  readonly pooler: PoolerSettings | undefined;
  readonly settings: DatabaseSettings;
  readonly port: number;
  readonly secretName: string;
}

/** What a back end makes its objects of; they become children of the database. */
export interface DatabaseServersInput {
  readonly database: DatabaseParts;
  readonly props: StatefulDatabaseProps;
  readonly labels: Labels;
  /** Labels of the objects that are the component's own, and of the pods that it makes itself. */
  readonly selector: Labels;
}

/** The servers of one database, whatever runs them. */
export interface DatabaseServers {
  /** Where clients write. */
  readonly host: string;
  readonly peer: NetworkPolicyPeer;
  /** The way around the pooler; nothing where there is no pooler. */
  readonly direct: IStatefulDatabase | undefined;
  /** The replicas; nothing where there are none. */
  readonly readOnly: IStatefulDatabase | undefined;
  allowFrom(...clients: readonly IClient[]): void;
  allowScraping(...clients: readonly IClient[]): void;
  /** Nothing where there are no metrics. */
  monitoring(): Monitoring;
  /** What has to be there before a client that writes starts; asked at synth. */
  needs(): readonly IConstruct[];
}
