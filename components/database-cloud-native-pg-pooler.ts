import { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { OPERATOR_PORT } from './database-cloud-native-pg-rules';
import type { PoolerSettings } from './database-pooler';
import { serverConnectionsPerPod } from './database-pooler';
import type { DatabaseParts } from './database-servers';
import type { Kinds, Labels, NetworkPolicyPeer } from './kube';
import { kubeObject } from './kube';
import { LateTokens } from './late';
import { Lifecycle } from './lifecycle';
import { podsPeer, WorkloadPolicy } from './network';
import { resourceRequirements, startupProbe } from './pod';
import { serviceHost } from './stateful-workload';

type PoolerSpec = Kinds['postgresql.cnpg.io/v1/Pooler']['spec'];

/** Name of the Pooler of a database, and of the Service that the operator makes for it. */
export const poolerName = (database: string): string => `${database}-pooler-rw`;

/**
 * PgBouncer as the operator runs it, in front of whichever server is the primary. It looks up users in the database, and logs in there with a
 * certificate of its own.
 */
export class CloudNativePgPooler extends Construct {
  public readonly host: string;
  /** How NetworkPolicies name the pooler's pods. */
  public readonly peer: NetworkPolicyPeer;
  public readonly policy: WorkloadPolicy;
  private readonly selector: Labels;
  private readonly lifecycle = new Lifecycle(Duration.seconds(30), { loadBalancerPropagation: Duration.seconds(5) });

  public constructor(
    scope: Construct,
    id: string,
    private readonly database: DatabaseParts,
    private readonly settings: PoolerSettings,
    ownLabels: Labels,
  ) {
    super(scope, id);
    const name = poolerName(database.name);
    this.selector = { 'cnpg.io/poolerName': name };
    const metadata = { name, labels: ownLabels };
    this.host = serviceHost(this, name);
    this.peer = podsPeer(this, this.selector);
    this.policy = new WorkloadPolicy(this, name, ownLabels, { matchLabels: this.selector });
    kubeObject(this, 'PodDisruptionBudget', 'policy/v1/PodDisruptionBudget', metadata, {
      spec: {
        maxUnavailable: 1,
        selector: { matchLabels: this.selector },
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
      },
    });
    kubeObject(this, 'Pooler', 'postgresql.cnpg.io/v1/Pooler', metadata, { spec: this.spec(ownLabels) });
  }

  private spec(labels: Labels): PoolerSpec {
    const { database, settings } = this;
    const { replicas } = settings;
    // With more than one none is added first, so that all together never open more connections than they may.
    const rollingUpdate = replicas === 1 ? { maxSurge: 1, maxUnavailable: 0 } : { maxSurge: 0, maxUnavailable: 1 };
    return {
      cluster: { name: database.name },
      type: 'rw',
      instances: replicas,
      deploymentStrategy: { type: 'RollingUpdate', rollingUpdate },
      pgbouncer: { poolMode: settings.poolMode, parameters: this.parameters() },
      template: { metadata: { labels }, spec: this.pod() },
    };
  }

  private parameters(): Readonly<Record<string, string>> {
    const { database, settings } = this;
    const perPod = String(serverConnectionsPerPod(settings));
    return {
      max_client_conn: String(settings.maxClientConnections),
      default_pool_size: perPod,
      max_db_connections: perPod,
      // Longer than a primary takes to come back or to be replaced, so that this is a delay and no error.
      query_wait_timeout: '120',
      server_login_retry: '2',
      server_idle_timeout: '300',
      application_name_add_host: '1',
      // Added to what the operator ignores itself.
      ignore_startup_parameters: 'statement_timeout,lock_timeout,idle_in_transaction_session_timeout',
      log_connections: '0',
      log_disconnections: '0',
      ...(database.tls === undefined ? {} : { client_tls_sslmode: 'require' }),
    };
  }

  /** What the operator fills up: command, account, mounts and security contexts, which are those of Pod Security `restricted`. */
  private pod() {
    const { settings, lifecycle, selector } = this;
    const listens = { tcpSocket: { port: OPERATOR_PORT } };
    const wish = (topologyKey: string) => ({
      topologyKey,
      maxSkew: 1,
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: selector },
    });
    return {
      enableServiceLinks: false,
      terminationGracePeriodSeconds: lifecycle.grace.toSeconds(),
      topologySpreadConstraints: [wish('topology.kubernetes.io/zone'), wish('kubernetes.io/hostname')],
      // The operator's, which brings the program that starts PgBouncer: it would else ask for nothing, which a quota refuses.
      initContainers: [{ name: 'bootstrap-controller', resources: resourceRequirements(settings.resources) }],
      containers: [
        {
          name: 'pgbouncer',
          image: LateTokens.of(this).asString(this, settings.image),
          imagePullPolicy: 'Always',
          resources: resourceRequirements(settings.resources),
          lifecycle: { preStop: { sleep: { seconds: lifecycle.preStopSeconds } } },
          startupProbe: startupProbe(listens, Duration.seconds(lifecycle.startupSeconds)),
          livenessProbe: { ...listens, periodSeconds: 20, timeoutSeconds: 5, failureThreshold: 3 },
          readinessProbe: { ...listens, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 },
        },
      ],
    };
  }
}
