import { Duration } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { IClient } from './connections';
import type { DatabaseTls, SecretKey } from './database-tls';
import { scoreIgnored } from './http-objects';
import type { Labels, NetworkPolicyPeer, PodSpec } from './kube';
import { kubeObject } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import { Lifecycle } from './lifecycle';
import { podsPeer, WorkloadPolicy } from './network';
import { compute, hardenedPod, startupProbe } from './pod';
import { serviceHost } from './stateful-workload';

/** When a connection to the server goes back to the pool. */
export enum PoolMode {
  /**
   * After each transaction: many clients share few connections. What belongs to a session (`SET`, advisory locks of the session, `LISTEN`,
   * temporary tables, named prepared statements) must not be used.
   */
  TRANSACTION = 'transaction',
  /** When the client leaves: everything works, and no more clients at once than server connections. */
  SESSION = 'session',
}

/** PgBouncer between the clients and the server. */
export interface DatabasePoolerOptions {
  /** Image that follows the contract of `images/pgbouncer`. */
  readonly image: Late;
  /**
   * Connections to the server at most, of all pooler pods together and also while a rollout replaces them.
   * @default 20
   */
  readonly maxServerConnections?: number;
  /**
   * Connections of clients at most, for each pooler pod; those beyond the server's wait for one.
   * @default 500
   */
  readonly maxClientConnections?: number;
  /**
   * Pods. With one only, there is no way to the database while its node is away.
   * @default 2
   */
  readonly replicas?: number;
  /** @default PoolMode.TRANSACTION */
  readonly poolMode?: PoolMode;
  /**
   * PgBouncer uses one core at most.
   * @default - cpu 50m/1, memory 32Mi/128Mi
   */
  readonly resources?: ContainerResources;
  /**
   * Numeric user and group of the image's process.
   * @default 10073
   */
  readonly user?: number;
}

/** The options with every default filled in. */
export type PoolerSettings = Required<DatabasePoolerOptions>;

/** Suffix of the objects of a database's pooler. */
export const POOLER_SUFFIX = '-pooler';

export const poolerSettings = (options: DatabasePoolerOptions): PoolerSettings => ({
  maxServerConnections: 20,
  maxClientConnections: 500,
  replicas: 2,
  poolMode: PoolMode.TRANSACTION,
  resources: compute([50, 1000], [32, 128]),
  user: 10073,
  ...options,
});

/** Connections of one pod: a single one has a second beside it while a rollout replaces it. */
export const serverConnectionsPerPod = ({ maxServerConnections, replicas }: PoolerSettings): number =>
  Math.floor(maxServerConnections / Math.max(2, replicas));

/** What a pooler knows about its database. */
export interface DatabasePoolerProps {
  /** Of the database. */
  readonly name: string;
  readonly settings: PoolerSettings;
  readonly server: { readonly host: string; readonly port: number };
  readonly databaseName: string;
  readonly username: string;
  readonly labels: Labels;
  readonly tls: DatabaseTls | undefined;
  /** Users and passwords, as PgBouncer reads them. */
  readonly users: SecretKey;
  /** Whether the users change while it runs, which its image notices; who waits for that has to find each pod. */
  readonly rotating: boolean;
}

const CONFIG = '/etc/pgbouncer/pgbouncer.ini';
const TLS_DIRECTORY = '/etc/pgbouncer/tls';
const USERS_DIRECTORY = '/run/secrets/pgbouncer';
const PORT_NAME = 'postgres';

/**
 * PgBouncer in front of one server, under the server's own port. Clients wait here while the server restarts, instead of failing.
 * `SIGINT` lets transactions end before the process does.
 */
export class DatabasePooler extends Construct {
  public readonly host: string;
  public readonly port: number;
  /** How NetworkPolicies name the pooler's pods. */
  public readonly peer: NetworkPolicyPeer;
  private readonly name: string;
  private readonly selector: Labels;
  private readonly policy: WorkloadPolicy;
  // A transaction that runs may go on for half a minute; what waits for a connection goes to another pod.
  private readonly lifecycle = new Lifecycle(Duration.seconds(30), { loadBalancerPropagation: Duration.seconds(5) });

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: DatabasePoolerProps,
  ) {
    super(scope, id);
    this.name = `${props.name}${POOLER_SUFFIX}`;
    this.selector = { 'app.kubernetes.io/name': this.name };
    this.port = props.server.port;
    this.host = serviceHost(this, `${this.name}-service`);
    this.peer = podsPeer(this, this.selector);
    this.policy = new WorkloadPolicy(this, this.name, this.selector);
    this.addObjects();
    this.addDeployment();
  }

  /** Name that every pod is an address of; there is one where the password rotates. */
  public get membersHost(): string {
    return serviceHost(this, this.membersName);
  }

  private get membersName(): string {
    return `${this.name}-members`;
  }

  public allowFrom(...clients: readonly IClient[]): void {
    for (const client of clients) this.policy.allowFrom(client.peer, this.port);
  }

  /** Lets the pooler reach its server. */
  public allowTo(server: NetworkPolicyPeer, port: number): void {
    this.policy.allowTo(server, port);
  }

  private addObjects(): void {
    const { name, selector, port } = this;
    const metadata = { name, labels: { ...this.props.labels, ...selector } };
    const ports = [{ name: PORT_NAME, port, targetPort: PORT_NAME, protocol: 'TCP' }];
    const budget = { maxUnavailable: 1, selector: { matchLabels: selector } };
    kubeObject(this, 'ServiceAccount', 'v1/ServiceAccount', metadata, { automountServiceAccountToken: false });
    kubeObject(
      this,
      'Config',
      'v1/ConfigMap',
      { ...metadata, name: `${name}-config` },
      { data: { 'pgbouncer.ini': pgbouncerIni(this.props) } },
    );
    kubeObject(
      this,
      'Service',
      'v1/Service',
      { ...metadata, name: `${name}-service` },
      { spec: { type: 'ClusterIP', selector, ports } },
    );
    if (this.props.rotating) {
      kubeObject(this, 'Members', 'v1/Service', { ...metadata, name: this.membersName }, () => ({
        spec: { type: 'ClusterIP', clusterIP: 'None', selector, ports },
      }));
    }
    kubeObject(this, 'PodDisruptionBudget', 'policy/v1/PodDisruptionBudget', metadata, {
      spec: { ...budget, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
    });
  }

  private addDeployment(): void {
    const { name, selector, lifecycle } = this;
    const { replicas } = this.props.settings;
    const labels = { ...this.props.labels, ...selector };
    const annotations = {
      'pulumi.com/timeoutSeconds': String(lifecycle.awaitSeconds(replicas)),
      ...scoreIgnored({
        'pod-probes-identical': 'both ask the pooler alone; only the number of misses differs',
        ...(replicas === 1
          ? { 'deployment-replicas': 'one pod was asked for, so an outage of its node is accepted' }
          : {}),
      }),
    };
    // With more than one none is added first, so that all together never open more connections than they may.
    const rollingUpdate = replicas === 1 ? { maxSurge: 1, maxUnavailable: 0 } : { maxSurge: 0, maxUnavailable: 1 };
    kubeObject(this, 'Deployment', 'apps/v1/Deployment', { name, labels, annotations }, () => ({
      spec: {
        replicas,
        selector: { matchLabels: selector },
        strategy: { type: 'RollingUpdate', rollingUpdate },
        revisionHistoryLimit: 5,
        progressDeadlineSeconds: lifecycle.progressDeadlineSeconds,
        template: { metadata: { labels }, spec: this.pod() },
      },
    }));
  }

  private pod(): PodSpec {
    const { settings, tls, users, name: database } = this.props;
    const image = LateTokens.of(this).asString(this, settings.image);
    const files = tls?._files(database, TLS_DIRECTORY, image, this.host);
    const { databaseName, username } = this.props;
    const ask = ['pg_isready', '-q', '-h', '127.0.0.1', '-p', String(this.port), '-U', username, '-d', databaseName];
    const answers = { exec: { command: ask } };
    return hardenedPod({
      labels: this.selector,
      serviceAccount: this.name,
      user: settings.user,
      grace: this.lifecycle.grace,
      ...(files === undefined ? {} : { initContainers: files.initContainers }),
      volumes: [
        { name: 'config', configMap: { name: `${this.name}-config` } },
        {
          name: 'users',
          secret: { secretName: users.secretName, defaultMode: 0o440, items: [{ key: users.key, path: 'users' }] },
        },
        ...(files === undefined ? [] : [files.volume]),
      ],
      containers: [
        {
          name: 'pgbouncer',
          image,
          ports: [{ name: PORT_NAME, port: this.port }],
          resources: settings.resources,
          drainSeconds: this.lifecycle.preStopSeconds,
          // Of the pooler alone: while the server is away clients wait here, which is better than to find nobody. Whether it listens is asked
          // often, and without a process of its own, which takes the node 70 ms of processor time; whether it answers, seldom.
          probes: {
            startup: startupProbe(answers, Duration.seconds(this.lifecycle.startupSeconds)),
            liveness: { ...answers, periodSeconds: 20, timeoutSeconds: 5, failureThreshold: 3 },
            readiness: { tcpSocket: { port: PORT_NAME }, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 },
          },
          mounts: [
            { name: 'config', mountPath: CONFIG, subPath: 'pgbouncer.ini', readOnly: true },
            { name: 'users', mountPath: USERS_DIRECTORY, readOnly: true },
            ...(files === undefined ? [] : [files.mount]),
          ],
        },
      ],
    });
  }
}

/** The text of `pgbouncer.ini`. */
function pgbouncerIni({ settings, server, databaseName, tls }: DatabasePoolerProps): string {
  const perPod = serverConnectionsPerPod(settings);
  const options: Readonly<Record<string, string | number>> = {
    listen_addr: '*',
    listen_port: server.port,
    // No socket: nobody administers it from inside of the container.
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: `${USERS_DIRECTORY}/users`,
    pool_mode: settings.poolMode,
    max_client_conn: settings.maxClientConnections,
    default_pool_size: perPod,
    max_db_connections: perPod,
    // Longer than a restart of the server takes, so that one is a delay and no error.
    query_wait_timeout: 120,
    // Its default of 15 s would be added to each restart.
    server_login_retry: 2,
    server_idle_timeout: 300,
    application_name_add_host: 1,
    // What drivers send at the start and a shared connection cannot keep; the server's own limits hold instead.
    ignore_startup_parameters: 'extra_float_digits,statement_timeout,lock_timeout,idle_in_transaction_session_timeout',
    log_connections: 0,
    log_disconnections: 0,
    ...(tls === undefined
      ? {}
      : {
          client_tls_sslmode: 'require',
          client_tls_cert_file: `${TLS_DIRECTORY}/tls.crt`,
          client_tls_key_file: `${TLS_DIRECTORY}/tls.key`,
          server_tls_sslmode: tls.sslMode,
          ...(tls._authority('') === undefined ? {} : { server_tls_ca_file: `${TLS_DIRECTORY}/ca.crt` }),
        }),
  };
  return [
    '[databases]',
    `${databaseName} = host=${server.host} port=${server.port} dbname=${databaseName}`,
    '',
    '[pgbouncer]',
    ...Object.entries(options).map(([name, value]) => `${name} = ${value}`.trimEnd()),
    '',
  ].join('\n');
}
