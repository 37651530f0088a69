import type { Duration, Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { CacheMetrics } from './cache-metrics';
import type { CachePersistence, EvictionPolicy } from './cache-options';
import type { CacheTopology } from './cache-topology';
import type { CacheUser } from './cache-users';
import type { Labels } from './kube';
import type { Late, LateSecret } from './late';
import type { RemovalPolicy } from './release-options';

/** Props of a CacheStore. */
export interface CacheStoreProps {
  /**
   * Image of Redis 7 that follows the contract of `images/redis`: settings in `/etc/redis/redis.conf`, data in `/data`,
   * password in the file that `REDIS_PASSWORD_FILE` names, rules of the clients' user in `REDIS_ACL_RULES`, `redis-ping` as probe.
   * Sentinels and router run from it too.
   */
  readonly image: Late;
  /**
   * Kept in the component's Secret and mounted as a file. It becomes part of a URL that nothing can escape once it is known:
   * letters, digits, `-`, `.`, `_` and `~` only, at least eight.
   * @default - no authentication; the clients that `allowFrom` names are still the only ones that can connect
   */
  readonly password?: LateSecret;
  /**
   * One server, a primary with replicas and sentinels, or a cluster. Members of the last two need `password` and `systemPassword`.
   * To change it on a living store means to make a new one: data is not carried over.
   * @default CacheTopology.standalone()
   */
  readonly topology?: CacheTopology;
  /**
   * By which members, sentinels and router know each other; kept like `password`, of the same characters, and other than it. It is no
   * client's: what it opens can hand the primary over, though it reads no key.
   * @default - none; required with more than one server
   */
  readonly systemPassword?: LateSecret;
  /**
   * Users besides the one that every client has, each with keys, channels and permissions of its own: see `as`.
   * @default - none
   */
  readonly users?: readonly CacheUser[];
  /**
   * An exporter beside each server; see `allowScraping`.
   * @default - none
   */
  readonly metrics?: CacheMetrics;
  /**
   * Name of the objects; at most 52 characters, 43 with sentinels.
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
   * @default - 75 % of the memory limit; 60 % with an append-only file or replicas
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
   * Commands of Redis' category `dangerous` that clients may use nevertheless, such as `flushdb` or `keys`. `config` is refused with more
   * than one server: it shows the members' password.
   * @default - those that read only and take no longer with every key: info, sort, role, slowlog, latency, lastsave
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
   * Time to hand the primary over, write out the append-only file and end; at least 30 s with more than one server.
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
