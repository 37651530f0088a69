import { Duration } from 'cdk8s';

/** What sentinels and their replicas may be given. */
export interface SentinelOptions {
  /**
   * Replicas beside the primary.
   * @default 2 - while one pod is away, the next primary still has a replica, without which it would take no writes
   */
  readonly replicas?: number;
  /**
   * Sentinels: an odd number, at least three.
   * @default 3
   */
  readonly sentinels?: number;
  /**
   * Sentinels that must agree that the primary is down; at least two, and one fewer than there are at most.
   * @default - a majority
   */
  readonly quorum?: number;
  /**
   * Pods of the router, which leads clients to the primary.
   * @default 2
   */
  readonly routers?: number;
  /**
   * Replicas that must be connected for the primary to take writes, so that one that is cut off from the others stops by itself.
   * Fewer than there are replicas, since the next primary has one less.
   * @default - 1 where there are two replicas or more, else 0
   */
  readonly minReplicasToWrite?: number;
  /**
   * A replica that was silent for longer does not count.
   * @default Duration.seconds(10)
   */
  readonly maxReplicaLag?: Duration;
  /**
   * Silence after which a sentinel takes the primary for down.
   * @default Duration.seconds(5) - a fork or a slow disk may take a second or two
   */
  readonly failureDetection?: Duration;
  /**
   * Time for one fail-over before another is tried.
   * @default Duration.seconds(30)
   */
  readonly failoverTimeout?: Duration;
}

/** What a cluster may be given. */
export interface ClusterOptions {
  /**
   * Parts that the 16384 hash slots are divided into, each with a primary; at least three, so that a majority is left to agree.
   * Fixed at creation: pods that are added later become replicas until slots are moved by hand.
   * @default 3
   */
  readonly shards?: number;
  /**
   * Replicas of each primary.
   * @default 1
   */
  readonly replicasPerShard?: number;
  /**
   * Replicas that must be connected for a primary to take writes; fewer than it has.
   * @default - 1 where a shard has two replicas or more, else 0: a primary that sees no majority stops by itself anyway
   */
  readonly minReplicasToWrite?: number;
  /**
   * A replica that was silent for longer does not count.
   * @default Duration.seconds(10)
   */
  readonly maxReplicaLag?: Duration;
  /**
   * Silence after which the others take a member for down.
   * @default Duration.seconds(5)
   */
  readonly failureDetection?: Duration;
}

/** What members of both kinds share. */
interface Members {
  /** Pods with data. */
  readonly count: number;
  /** Replicas of each primary. */
  readonly replicas: number;
  readonly minReplicasToWrite: number;
  readonly maxReplicaLag: Duration;
  readonly failureDetection: Duration;
}

/** Sentinels, with every default decided. */
export interface SentinelSettings extends Members {
  readonly sentinels: number;
  readonly quorum: number;
  readonly routers: number;
  readonly failoverTimeout: Duration;
}

/** A cluster, with every default decided. */
export interface ClusterSettings extends Members {
  readonly shards: number;
}

/** How many servers hold the data, and who of them takes writes. */
export class CacheTopology {
  /** One server. */
  public static standalone(): CacheTopology {
    return new CacheTopology(undefined, undefined);
  }

  /**
   * A primary with replicas, sentinels that agree on the next primary, and a router behind the Service that always leads to it.
   * Clients need to know nothing of it.
   */
  public static sentinel(options: SentinelOptions = {}): CacheTopology {
    const { replicas = 2, sentinels = 3 } = options;
    return new CacheTopology(
      {
        ...common(options, replicas),
        count: replicas + 1,
        sentinels,
        quorum: options.quorum ?? Math.floor(sentinels / 2) + 1,
        routers: options.routers ?? 2,
        failoverTimeout: options.failoverTimeout ?? Duration.seconds(30),
      },
      undefined,
    );
  }

  /** Data divided over several primaries, for clients that speak Redis Cluster. */
  public static cluster(options: ClusterOptions = {}): CacheTopology {
    const { shards = 3, replicasPerShard = 1 } = options;
    return new CacheTopology(undefined, {
      ...common(options, replicasPerShard),
      count: shards * (1 + replicasPerShard),
      shards,
    });
  }

  private constructor(
    private readonly withSentinels: SentinelSettings | undefined,
    private readonly asCluster: ClusterSettings | undefined,
  ) {}

  /** The sentinels' settings, where there are sentinels. */
  public get sentinels(): SentinelSettings | undefined {
    return this.withSentinels;
  }

  /** The cluster's settings, where it is one. */
  public get sharding(): ClusterSettings | undefined {
    return this.asCluster;
  }

  /** What there is to know of the members, where there is more than one. */
  public get members(): SentinelSettings | ClusterSettings | undefined {
    return this.withSentinels ?? this.asCluster;
  }

  /** Pods that hold data. */
  public get count(): number {
    return this.members?.count ?? 1;
  }
}

const common = (options: SentinelOptions | ClusterOptions, replicas: number) => ({
  replicas,
  minReplicasToWrite: options.minReplicasToWrite ?? (replicas >= 2 ? 1 : 0),
  maxReplicaLag: options.maxReplicaLag ?? Duration.seconds(10),
  failureDetection: options.failureDetection ?? Duration.seconds(5),
});
