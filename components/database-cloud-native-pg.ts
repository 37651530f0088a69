import type { IConstruct } from 'constructs';
import type { IClient } from './connections';
import type { DatabaseBackupOptions } from './database-backup';
import { BACKUP_SUFFIX } from './database-backup';
import { clusterSpec, initName, instanceLabels, ownedScripts, ROLE_LABEL } from './database-cloud-native-pg-cluster';
import { cloudNativePgMonitoring } from './database-cloud-native-pg-monitoring';
import type { BackupMethod, CloudNativePgSettings } from './database-cloud-native-pg-options';
import { CloudNativePgPooler, poolerName } from './database-cloud-native-pg-pooler';
import { OPERATOR_PORT } from './database-cloud-native-pg-rules';
import { DATABASE_URL, databaseUrl } from './database-connection';
import { DatabaseEndpoint } from './database-endpoint';
import { METRICS_PORT } from './database-metrics';
import type { PoolerSettings } from './database-pooler';
import { READ_ONLY_URL } from './database-replicas';
import { DIRECT_URL } from './database-secret';
import type { DatabaseParts, DatabaseServers, DatabaseServersInput } from './database-servers';
import type { Labels, NetworkPolicyPeer } from './kube';
import { kubeObject } from './kube';
import { LateTokens } from './late';
import type { Monitoring } from './monitoring';
import { podsPeer, WorkloadPolicy } from './network';
import { retain, serviceHost } from './stateful-workload';

/** Where a server tells the operator, and other servers, how it is. */
const STATUS_PORT = 8000;
/** The operator reads what has this label anew when it changes. */
const RELOAD: Labels = { 'cnpg.io/reload': 'true' };
/** Seconds for what the operator does around the start of one server. */
const OPERATOR_SECONDS = 300;

/** `@daily` and the like in the operator's own words; all others get a field for the second in front. */
const MACROS: Readonly<Record<string, string>> = {
  '@hourly': '0 0 * * * *',
  '@daily': '0 0 0 * * *',
  '@midnight': '0 0 0 * * *',
  '@weekly': '0 0 0 * * 0',
  '@monthly': '0 0 0 1 * *',
  '@yearly': '0 0 0 1 1 *',
  '@annually': '0 0 0 1 1 *',
};

/** A database whose servers are run by the operator CloudNativePG: its `Cluster`, `Pooler` and `ScheduledBackup`. */
export class CloudNativePgServers implements DatabaseServers {
  public readonly host: string;
  public readonly peer: NetworkPolicyPeer;
  public readonly direct: DatabaseEndpoint | undefined;
  public readonly readOnly: DatabaseEndpoint | undefined;
  private readonly database: DatabaseParts;
  private readonly labels: Labels;
  private readonly policy: WorkloadPolicy;
  private readonly servers: NetworkPolicyPeer;
  private readonly proxy: CloudNativePgPooler | undefined;

  public constructor(
    private readonly input: DatabaseServersInput,
    private readonly operator: CloudNativePgSettings,
  ) {
    const { database, props } = input;
    this.database = database;
    this.labels = { ...input.labels, ...input.selector };
    this.servers = podsPeer(database, instanceLabels(database.name));
    database.tls?._addCertificate(database, database.name, this.services(), this.labels, RELOAD);
    this.policy = this.addPolicy();
    this.addSecret();
    this.addScripts(props.initScripts ?? {});
    this.addCluster();
    this.proxy = database.pooler && this.addPooler(database.pooler);
    this.host = this.proxy?.host ?? this.hostOf('rw');
    this.peer = this.proxy?.peer ?? this.servers;
    this.direct = this.proxy === undefined ? undefined : this.addEndpoint('Direct', 'rw', DIRECT_URL);
    this.readOnly = database.readReplicas > 0 ? this.addEndpoint('Replica', 'ro', READ_ONLY_URL) : undefined;
    if (props.backup !== undefined && operator.backup !== undefined) this.addBackup(props.backup, operator.backup);
  }

  public allowFrom(...clients: readonly IClient[]): void {
    const policy = this.proxy?.policy ?? this.policy;
    for (const client of clients) policy.allowFrom(client.peer, OPERATOR_PORT);
  }

  public allowScraping(...clients: readonly IClient[]): void {
    for (const client of clients) this.policy.allowFrom(client.peer, METRICS_PORT);
  }

  public monitoring(): Monitoring {
    return cloudNativePgMonitoring(this.database);
  }

  /** All of it: the operator says that a cluster is ready when each of its servers is. */
  public needs(): readonly IConstruct[] {
    return this.database.node.children.filter((child) => child.node.id !== 'Backup');
  }

  /** Every Service of the operator's, which a certificate has to name. */
  private services(): readonly string[] {
    const { name, pooler } = this.database;
    return [`${name}-rw`, `${name}-ro`, `${name}-r`, ...(pooler === undefined ? [] : [poolerName(name)])];
  }

  private hostOf(role: 'rw' | 'ro'): string {
    return serviceHost(this.database, `${this.database.name}-${role}`);
  }

  /** For the servers, and for the jobs that make them; poolers have labels of the cluster too, and a policy of their own. */
  private addPolicy(): WorkloadPolicy {
    const { database, operator, labels } = this;
    const members = {
      matchLabels: { 'cnpg.io/cluster': database.name },
      matchExpressions: [{ key: ROLE_LABEL, operator: 'NotIn', values: ['pooler'] }],
    };
    const policy = new WorkloadPolicy(database, database.name, labels, members);
    retain(database.removalPolicy, policy.object);
    const peer = podsPeer(database, {}, members);
    for (const port of [OPERATOR_PORT, STATUS_PORT]) {
      policy.allowFrom(peer, port);
      policy.allowTo(peer, port);
      policy.allowFrom(operatorPeer(operator.operatorNamespace), port);
    }
    this.allowToApiServer(policy);
    if (operator.backup?.kind === 'plugin') {
      const anywhere = ['0.0.0.0/0', '::/0'].map((cidr) => ({ cidr, port: 443 }));
      const { store } = operator.backup.options;
      for (const { cidr, port } of store === undefined ? anywhere : [store])
        policy.allowTo({ ipBlock: { cidr } }, port);
    }
    return policy;
  }

  private allowToApiServer(policy: WorkloadPolicy): void {
    const { apiServer, apiServerPorts } = this.operator;
    for (const cidr of apiServer) for (const port of apiServerPorts) policy.allowTo({ ipBlock: { cidr } }, port);
  }

  /** The operator wants `username` and `password`, and changes the role's password when the Secret's changes. */
  private addSecret(): void {
    const { database, input, labels } = this;
    const { username, databaseName, readReplicas, pooler, removalPolicy, secretName, tls } = database;
    const password = LateTokens.of(database).asSecret(database, input.props.password);
    const url = (host: string): string =>
      databaseUrl({ username, password, host, port: OPERATOR_PORT, databaseName, sslMode: tls?.sslMode });
    const primary = url(this.hostOf('rw'));
    const stringData = {
      username,
      password,
      ...(pooler === undefined
        ? { [DATABASE_URL]: primary }
        : { [DATABASE_URL]: url(serviceHost(database, poolerName(database.name))), [DIRECT_URL]: primary }),
      ...(readReplicas === 0 ? {} : { [READ_ONLY_URL]: url(this.hostOf('ro')) }),
    };
    const metadata = { name: secretName, labels: { ...labels, ...RELOAD } };
    const type = 'kubernetes.io/basic-auth';
    retain(removalPolicy, kubeObject(database, 'Secret', 'v1/Secret', metadata, { type, stringData }));
  }

  private addScripts(scripts: Readonly<Record<string, string>>): void {
    if (Object.keys(scripts).length === 0) return;
    const { database, labels } = this;
    const metadata = { name: initName(database.name), labels };
    const data = ownedScripts(database.username, scripts);
    retain(database.removalPolicy, kubeObject(database, 'Init', 'v1/ConfigMap', metadata, { data }));
  }

  private addCluster(): void {
    const { database, input, operator, labels } = this;
    const { name, readReplicas, startupDeadline, removalPolicy } = database;
    // One server after the other is made by a job and then started.
    const seconds = OPERATOR_SECONDS + (1 + readReplicas) * (startupDeadline.toSeconds() + OPERATOR_SECONDS);
    const annotations = { 'pulumi.com/waitFor': 'condition=Ready', 'pulumi.com/timeoutSeconds': String(seconds) };
    const before = [...database.node.children];
    const cluster = kubeObject(
      database,
      'Cluster',
      'postgresql.cnpg.io/v1/Cluster',
      { name, labels, annotations },
      { spec: clusterSpec(input, operator) },
    );
    // In a namespace that denies all else, its first job could not reach the API server without the policy.
    for (const child of before) cluster.node.addDependency(child);
    retain(removalPolicy, cluster);
  }

  private addPooler(settings: PoolerSettings): CloudNativePgPooler {
    const { database } = this;
    const pooler = new CloudNativePgPooler(database, 'Pooler', database, settings, this.labels);
    pooler.policy.allowTo(this.servers, OPERATOR_PORT);
    this.allowToApiServer(pooler.policy);
    this.policy.allowFrom(pooler.peer, OPERATOR_PORT);
    pooler.node.addDependency(database.node.findChild('Cluster'));
    return pooler;
  }

  private addEndpoint(id: string, role: 'rw' | 'ro', urlKey: string): DatabaseEndpoint {
    const { database, policy, servers: peer } = this;
    const { databaseName, secretName, tls, name } = database;
    return new DatabaseEndpoint(database, id, {
      ...{ host: this.hostOf(role), port: OPERATOR_PORT, databaseName, secretName, urlKey, peer, policy },
      authority: tls?._authority(name),
      needs: () => [database.node.findChild('Cluster')],
    });
  }

  private addBackup({ schedule }: DatabaseBackupOptions, method: BackupMethod): void {
    const { database, labels } = this;
    const plugin = method.kind === 'plugin' ? { pluginConfiguration: { name: method.options.name } } : {};
    const metadata = { name: `${database.name}${BACKUP_SUFFIX}`, labels };
    const backup = kubeObject(database, 'Backup', 'postgresql.cnpg.io/v1/ScheduledBackup', metadata, {
      spec: {
        schedule: MACROS[schedule] ?? `0 ${schedule.trim()}`,
        cluster: { name: database.name },
        method: method.kind,
        ...plugin,
        // The objects that tell of backups, not the backups.
        backupOwnerReference: 'cluster',
        immediate: false,
      },
    });
    backup.node.addDependency(database.node.findChild('Cluster'));
  }
}

const operatorPeer = (namespace: string): NetworkPolicyPeer => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  podSelector: { matchLabels: { 'app.kubernetes.io/name': 'cloudnative-pg' } },
});
