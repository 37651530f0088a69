import { Duration } from 'cdk8s';
import type { Size } from 'cdk8s';
import type { ContainerResources, EnvValue } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { largestData, redisConf } from './cache-configuration';
import { CachePersistence, EvictionPolicy } from './cache-options';
import { cachePod, PASSWORD_KEY, REDIS_URL } from './cache-pod';
import { checkCache } from './cache-rules';
import type { IBackend, IClient } from './connections';
import { secretKey } from './connections';
import type { Labels, NetworkPolicyPeer } from './kube';
import { kubeObject } from './kube';
import type { Late, LateSecret } from './late';
import { LateTokens } from './late';
import type { WorkloadPolicy } from './network';
import { podsPeer } from './network';
import { compute } from './pod';
import { RemovalPolicy } from './release-options';
import { retain, serviceHost, statefulWorkload } from './stateful-workload';

/** Props of a CacheStore. */
export interface CacheStoreProps {
  /**
   * Image of Redis 7 that follows the contract of `images/redis`: settings in `/etc/redis/redis.conf`, data in `/data`,
   * password in the file that `REDIS_PASSWORD_FILE` names, rules of the clients' user in `REDIS_ACL_RULES`, `redis-ping` as probe.
   */
  readonly image: Late;
  /**
   * Kept in the component's Secret and mounted as a file. It becomes part of a URL that nothing can escape once it is known:
   * letters, digits, `-`, `.`, `_` and `~` only, at least eight.
   * @default - no authentication; the clients that `allowFrom` names are still the only ones that can connect
   */
  readonly password?: LateSecret;
  /**
   * Name of the objects; at most 52 characters.
   * @default - the construct's id
   */
  readonly name?: string;
  /** @default 6379 */
  readonly port?: number;
  /**
   * Numeric user and group that the image's server runs as.
   * @default 10071
   */
  readonly user?: number;
  /**
   * Memory for data. More than the default is refused: what is beyond it is needed for buffers and for the fork of a rewrite.
   * @default - 75 % of the memory limit, 60 % with an append-only file
   */
  readonly maxMemory?: Size;
  /**
   * What is dropped when memory is full. A policy that drops any key is refused together with an append-only file.
   * @default - EvictionPolicy.ALL_KEYS_LRU; with an append-only file EvictionPolicy.VOLATILE_LRU, since keys without expiry are data then
   */
  readonly eviction?: EvictionPolicy;
  /**
   * Whether data survives the pod. To change it on a living store replaces the StatefulSet.
   * @default CachePersistence.none()
   */
  readonly persistence?: CachePersistence;
  /**
   * StorageClass of the append-only file's volume. A later change holds for the volumes of further replicas only.
   * @default - the cluster's default StorageClass
   */
  readonly storageClass?: Late;
  /** @default 1000 */
  readonly maxClients?: number;
  /**
   * Connections without traffic are closed after that long.
   * @default - never: pools keep idle connections on purpose, dead ones are found by keep-alive
   */
  readonly idleTimeout?: Duration;
  /**
   * Commands of Redis' category `dangerous` that clients may use nevertheless, such as `flushdb` or `config|set`.
   * @default - those that read only: info, keys, sort, role, slowlog, latency, lastsave, config|get
   */
  readonly allowedCommands?: readonly string[];
  /**
   * Requests and limits of the server; memory has to be limited, to 32 MiB or more.
   * @default - cpu 100m/500m, memory 256Mi/512Mi
   */
  readonly resources?: ContainerResources;
  /**
   * Whether volumes, Secret and configuration stay when they leave the definition; the pods then run on with nothing to restart them.
   * @default - RemovalPolicy.RETAIN with an append-only file, RemovalPolicy.DESTROY without: nothing would be left to keep
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Time to write out the append-only file and end.
   * @default Duration.minutes(1)
   */
  readonly terminationGrace?: Duration;
  /**
   * Time for the start, which reads the whole append-only file before it answers.
   * @default Duration.minutes(5)
   */
  readonly startupDeadline?: Duration;
  /**
   * Further labels of the objects and pods; those that select pods are the component's.
   * @default - none
   */
  readonly labels?: Labels;
}

/**
 * Redis with one instance: nothing reaches it but the clients that `allowFrom` names.
 * @stateful
 */
export class CacheStore extends Construct implements IBackend {
  public readonly name: string;
  public readonly image: Late;
  public readonly user: number;
  public readonly port: number;
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
  public readonly peer: NetworkPolicyPeer;
  /** Secret with the key `REDIS_URL`, and `REDIS_PASSWORD` where there is a password. */
  public readonly secretName: string;
  /** Whether clients have to prove themselves. */
  public readonly authenticated: boolean;

  private readonly policy: WorkloadPolicy;
  private readonly labels: Labels;
  private readonly allowed: readonly string[];

  /** @throws ValidationError with every problem of the props, before any object is made */
  public constructor(scope: Construct, id: string, props: CacheStoreProps) {
    super(scope, id);
    this.name = props.name ?? id;
    this.image = props.image;
    this.user = props.user ?? 10071;
    this.port = props.port ?? 6379;
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
    const { password, maxMemory } = props;
    checkCache(this, { ...this, labels: this.labels, allowedCommands: this.allowed, selector, password, maxMemory });

    this.maxMemory = maxMemory ?? largestData(this.resources.memory?.limit as Size, this.persistence);
    this.host = serviceHost(this, `${this.name}-service`);
    this.secretName = `${this.name}-secret`;
    this.authenticated = password !== undefined;
    this.peer = podsPeer(this, selector);
    this.addSettings(password, selector);
    this.policy = this.addServer(props.storageClass, selector);
  }

  /** `REDIS_URL`, read from the Secret. */
  public connectionEnv(prefix = ''): Readonly<Record<string, EnvValue>> {
    return { [`${prefix}${REDIS_URL}`]: secretKey(this.secretName, REDIS_URL) };
  }

  public allowFrom(...clients: readonly IClient[]): void {
    for (const client of clients) this.policy.allowFrom(client.peer, this.port);
  }

  private addSettings(password: LateSecret | undefined, selector: Labels): void {
    const labels = { ...this.labels, ...selector };
    const address = `${this.host}:${this.port}/0`;
    const token = password === undefined ? undefined : LateTokens.of(this).asSecret(this, password);
    const secret = kubeObject(
      this,
      'Secret',
      'v1/Secret',
      { name: this.secretName, labels },
      {
        type: 'Opaque',
        stringData:
          token === undefined
            ? { [REDIS_URL]: `redis://${address}` }
            : { [PASSWORD_KEY]: token, [REDIS_URL]: `redis://:${token}@${address}` },
      },
    );
    const config = kubeObject(
      this,
      'Config',
      'v1/ConfigMap',
      { name: `${this.name}-config`, labels },
      { data: { 'redis.conf': redisConf(this) } },
    );
    retain(this.removalPolicy, secret, config);
  }

  private addServer(storageClass: Late | undefined, selector: Labels): WorkloadPolicy {
    const { name, labels, removalPolicy, startupDeadline, port, persistence } = this;
    const { size } = persistence;
    return statefulWorkload(this, {
      name,
      selector,
      labels,
      port: { name: 'redis', port },
      removalPolicy,
      startupDeadline,
      ...(size === undefined ? {} : { claim: { size, ...(storageClass === undefined ? {} : { storageClass }) } }),
      pod: cachePod(this, selector, this.allowed),
    });
  }
}
