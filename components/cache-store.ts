import { Duration } from 'cdk8s';
import type { Size } from 'cdk8s';
import type { ContainerResources, EnvValue } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { BackupOptions } from './backup-options';
import { CacheBackup } from './cache-backup';
import { forks, largestData, redisConf } from './cache-configuration';
import { CacheEndpoint } from './cache-endpoint';
import { BUS_OFFSET, memberHosts, memberServices, SENTINEL_PORT } from './cache-members';
import type { CacheMetrics } from './cache-metrics';
import { METRICS_PORT, METRICS_PORT_NAME } from './cache-metrics';
import { cacheMonitoring } from './cache-monitoring';
import { CachePersistence, EvictionPolicy } from './cache-options';
import { addPasswordCheck, cachePod } from './cache-pod';
import type { CacheStoreProps } from './cache-props';
import { CacheRouter } from './cache-router';
import { checkCache } from './cache-rules';
import { cacheSecret, READ_ONLY_URL_KEY } from './cache-secret';
import { CacheSentinels } from './cache-sentinel';
import { CacheTopology } from './cache-topology';
import type { CacheUser } from './cache-users';
import { urlKey, usersFile } from './cache-users';
import type { IBackend, IClient } from './connections';
import { secretKey } from './connections';
import { ValidationError } from './errors';
import type { Labels, NetworkPolicyPeer } from './kube';
import { kubeObject } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import type { IMonitored, Monitoring } from './monitoring';
import { NO_MONITORING } from './monitoring-parts';
import type { WorkloadPolicy } from './network';
import { podsPeer } from './network';
import { compute } from './pod';
import { RemovalPolicy } from './release-options';
import type { Password } from './rotating-password';
import { retain, serviceHost, statefulWorkload } from './stateful-workload';

export type { CacheStoreProps } from './cache-props';

/**
 * Redis: one server, a primary with replicas behind one Service that always leads to it, or a cluster.
 * Nothing reaches it but the clients that `allowFrom` names, and none of them can drop every key.
 * @stateful
 */
export class CacheStore extends Construct implements IBackend, IMonitored {
  public readonly name: string;
  public readonly image: Late;
  public readonly user: number;
  public readonly port: number;
  public readonly topology: CacheTopology;
  public readonly users: readonly CacheUser[];
  public readonly metrics: CacheMetrics | undefined;
  public readonly backup: BackupOptions | undefined;
  public readonly maxMemory: Size;
  public readonly eviction: EvictionPolicy;
  public readonly persistence: CachePersistence;
  public readonly maxClients: number;
  public readonly idleTimeout: Duration | undefined;
  public readonly resources: ContainerResources;
  public readonly removalPolicy: RemovalPolicy;
  public readonly terminationGrace: Duration;
  public readonly startupDeadline: Duration;
  public readonly host: string;
  /** Pods that clients' traffic goes to: the servers, or the router in front of them. */
  public readonly peer: NetworkPolicyPeer;
  /** Secret with the keys `REDIS_URL` and, where there is a password, `REDIS_PASSWORD`; both again for each user. */
  public readonly secretName: string;
  /** Whether clients have to prove themselves. */
  public readonly authenticated: boolean;
  /** The way to the replicas, or to the primary while there are none; nothing but with sentinels. */
  public readonly readOnly: IBackend | undefined;

  private readonly servers: WorkloadPolicy;
  /** Policy of the pods that clients' traffic goes to. */
  private readonly policy: WorkloadPolicy;
  private readonly labels: Labels;
  private readonly allowed: readonly string[];
  private readonly endpoints = new Map<string, CacheEndpoint>();

  /** @throws ValidationError with every problem of the props, before any object is made */
  public constructor(scope: Construct, id: string, props: CacheStoreProps) {
    super(scope, id);
    this.name = props.name ?? id;
    this.image = props.image;
    this.user = props.user ?? 10071;
    this.port = props.port ?? 6379;
    this.topology = props.topology ?? CacheTopology.standalone();
    this.users = [...(props.users ?? [])];
    this.metrics = props.metrics;
    this.backup = props.backup;
    this.persistence = props.persistence ?? CachePersistence.none();
    const { durable } = this.persistence;
    this.eviction = props.eviction ?? (durable ? EvictionPolicy.VOLATILE_LRU : EvictionPolicy.ALL_KEYS_LRU);
    this.maxClients = props.maxClients ?? 1000;
    this.idleTimeout = props.idleTimeout;
    this.resources = props.resources ?? compute([100, 500], [256, 512]);
    this.removalPolicy = props.removalPolicy ?? (durable ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY);
    this.terminationGrace = props.terminationGrace ?? Duration.minutes(1);
    this.startupDeadline = props.startupDeadline ?? Duration.minutes(5);
    this.labels = props.labels ?? {};
    this.allowed = [...(props.allowedCommands ?? [])];
    const selector = { 'app.kubernetes.io/name': this.name };
    const { password, systemPassword, maxMemory } = props;
    const own = { labels: this.labels, allowedCommands: this.allowed, selector };
    checkCache(this, { ...this, ...own, password, systemPassword, maxMemory });

    const forking = forks(this.persistence, this.topology);
    this.maxMemory = maxMemory ?? largestData(this.resources.memory?.limit as Size, forking);
    this.host = serviceHost(this, `${this.name}-service`);
    this.secretName = `${this.name}-secret`;
    this.authenticated = password !== undefined;
    this.addSettings(props, selector);
    this.servers = this.addServers(props, selector);
    const members = podsPeer(this, selector);
    this.joinMembers(members);
    this.awaitPasswords(password, members);
    const router = this.addSentinels(members);
    this.peer = router?.peer ?? members;
    this.policy = router?.policy ?? this.servers;
    this.readOnly = router && this.endpoint('ReadOnly', READ_ONLY_URL_KEY, router.readOnlyPort, this.readOnlyHost);
    if (props.backup !== undefined) this.addBackup(props.backup, props.storageClass);
  }

  /** `REDIS_URL`, read from the Secret; in a cluster also `REDIS_CLUSTER_NODES`, its members as `host:port`, separated by commas. */
  public connectionEnv(prefix = ''): Readonly<Record<string, Late | EnvValue>> {
    const env = Object.entries(this.clientEnv(urlKey()));
    return Object.fromEntries(env.map(([name, value]) => [`${prefix}${name}`, value]));
  }

  public allowFrom(...clients: readonly IClient[]): void {
    for (const client of clients) this.policy.allowFrom(client.peer, this.port);
  }

  /**
   * The store as one of its users sees it: services connect to this instead of the store.
   * @throws ValidationError where there is no such user
   */
  public as(user: string): IBackend {
    if (!this.users.some(({ name }) => name === user)) {
      const known = this.users.map(({ name }) => name).join(', ') || 'none';
      throw new ValidationError(this, [`there is no user '${user}', only: ${known}`]);
    }
    return this.endpoint(`User-${user}`, urlKey(user), this.port, this.host);
  }

  /** Lets who scrapes read the metrics of every server, on port 9121. Does nothing where there are none. */
  public allowScraping(...clients: readonly IClient[]): void {
    if (this.metrics === undefined) return;
    for (const client of clients) this.servers.allowFrom(client.peer, METRICS_PORT);
  }

  /** What there is to watch; nothing without `metrics`. */
  public monitoring(): Monitoring {
    return this.metrics === undefined ? NO_MONITORING : cacheMonitoring(this);
  }

  private get readOnlyHost(): string {
    return serviceHost(this, `${this.name}-readonly-service`);
  }

  private clientEnv(key: string): Readonly<Record<string, Late | EnvValue>> {
    const members = memberHosts(this).map((host) => `${host}:${this.port}`);
    return {
      REDIS_URL: secretKey(this.secretName, key),
      ...(this.topology.sharding === undefined ? {} : { REDIS_CLUSTER_NODES: members.join(',') }),
    };
  }

  private addBackup(options: BackupOptions, storageClass: Late | undefined): void {
    const { readOnly, labels } = this;
    const backup = new CacheBackup(this, 'Backup', { cache: this, options, readOnly, storageClass, labels });
    this.allowFrom(backup);
    backup.allowTo(this.peer, this.port);
    if (readOnly === undefined) return;
    readOnly.allowFrom(backup);
    backup.allowTo(readOnly.peer, readOnly.targetPort ?? readOnly.port);
  }

  private endpoint(id: string, key: string, targetPort: number, host: string): CacheEndpoint {
    const known = this.endpoints.get(id);
    if (known !== undefined) return known;
    const { port, peer, policy } = this;
    const target = { host, port, targetPort, peer, policy, env: this.clientEnv(key) };
    const made = new CacheEndpoint(this, id, target);
    this.endpoints.set(id, made);
    return made;
  }

  private addSettings(props: CacheStoreProps, selector: Labels): void {
    const labels = { ...this.labels, ...selector };
    const { users, topology } = this;
    const { password, systemPassword } = props;
    const readOnlyHost = topology.sentinels === undefined ? undefined : this.readOnlyHost;
    const secret = cacheSecret(this, { host: this.host, readOnlyHost, password, systemPassword, users, labels });
    const settings = { ...this, memory: this.resources.memory?.limit as Size };
    const config = kubeObject(
      this,
      'Config',
      'v1/ConfigMap',
      { name: `${this.name}-config`, labels },
      { data: { 'redis.conf': redisConf(settings), ...(users.length === 0 ? {} : { 'users.acl': usersFile(users) }) } },
    );
    retain(this.removalPolicy, secret, config);
  }

  private addServers({ storageClass, password }: CacheStoreProps, selector: Labels): WorkloadPolicy {
    const { name, labels, removalPolicy, startupDeadline, port, persistence, topology, metrics } = this;
    const { size } = persistence;
    const bus = topology.sharding === undefined ? [] : [{ name: 'bus', port: port + BUS_OFFSET }];
    const ports = [{ name: 'redis', port }, ...bus];
    const policy = statefulWorkload(this, {
      ...{ name, selector, labels, removalPolicy, startupDeadline },
      port: { name: 'redis', port },
      morePorts: [...bus, ...(metrics === undefined ? [] : [{ name: METRICS_PORT_NAME, port: METRICS_PORT }])],
      replicas: topology.count,
      // With sentinels the first pod is the first primary, and the others copy from it. A cluster begins once all its members are there.
      ordered: topology.sentinels !== undefined,
      serves: topology.sentinels === undefined,
      ...(size === undefined ? {} : { claim: { size, ...(storageClass === undefined ? {} : { storageClass }) } }),
      pod: cachePod(this, selector, { allowedCommands: this.allowed, password }),
    });
    if (topology.members !== undefined) {
      retain(removalPolicy, ...memberServices(this, { name, count: topology.count, selector, labels, ports }));
    }
    return policy;
  }

  /** Members reach each other, and nobody else reaches a cluster's bus. */
  private joinMembers(members: NetworkPolicyPeer): void {
    if (this.topology.members === undefined) return;
    for (const port of this.topology.sharding === undefined ? [this.port] : [this.port, this.port + BUS_OFFSET]) {
      this.servers.allowFrom(members, port);
      this.servers.allowTo(members, port);
    }
  }

  private awaitPasswords(password: Password | undefined, members: NetworkPolicyPeer): void {
    const check = addPasswordCheck(this, this.labels, password);
    if (check === undefined) return;
    check.allowTo(members, this.port);
    this.servers.allowFrom(check.peer, this.port);
    check.node.addDependency(...this.node.children.filter((child) => child !== check));
  }

  private addSentinels(members: NetworkPolicyPeer): CacheRouter | undefined {
    const settings = this.topology.sentinels;
    if (settings === undefined) return undefined;
    const image = LateTokens.of(this).asString(this, this.image);
    const sentinels = new CacheSentinels(this, settings, image, this.labels);
    const router = new CacheRouter(this, settings, image, this.labels, sentinels);
    for (const helper of [sentinels, router]) {
      this.servers.allowFrom(helper.peer, this.port);
      helper.policy.allowTo(members, this.port);
    }
    this.servers.allowTo(sentinels.peer, SENTINEL_PORT);
    sentinels.policy.allowFrom(members, SENTINEL_PORT);
    sentinels.policy.allowFrom(router.peer, SENTINEL_PORT);
    router.policy.allowTo(sentinels.peer, SENTINEL_PORT);
    return router;
  }
}
