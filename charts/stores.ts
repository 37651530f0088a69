import type { Construct } from 'constructs';
import { CachePersistence, EvictionPolicy } from '../components/cache-options';
import { CacheStore } from '../components/cache-store';
import { CacheTopology } from '../components/cache-topology';
import { DatabaseEngine } from '../components/database-engine';
import type { Late, LateSecret } from '../components/late';
import type { RemovalPolicy } from '../components/release-options';
import { StatefulDatabase } from '../components/stateful-database';
import type { CacheValues, DatabaseValues } from './values';

/** Images of a system's stores and of what stands beside them. */
export type StoreImages = Readonly<
  Record<'postgres' | 'pooler' | 'postgresExporter' | 'redis' | 'redisExporter', Late>
>;

interface DatabaseOptions {
  /** Name of the database and of its owner. */
  readonly name: string;
  readonly values: DatabaseValues;
  readonly images: StoreImages;
  readonly password: LateSecret;
  readonly replicationPassword: LateSecret;
  readonly removalPolicy: RemovalPolicy;
  /** SQL that runs when the data folder is made. @default - none */
  readonly initScripts?: Readonly<Record<string, string>>;
}

/** A system's PostgreSQL 15, with pooler, replicas and TLS as its values say, and an exporter beside each server. */
export function addDatabase(scope: Construct, options: DatabaseOptions): StatefulDatabase {
  const { name, values, images, password, replicationPassword, removalPolicy, initScripts } = options;
  const { replicas, maxServerConnections } = values.pooler;
  return new StatefulDatabase(scope, 'postgres', {
    engine: DatabaseEngine.postgres('15', { image: images.postgres }),
    databaseName: name,
    username: name,
    ...{ password, removalPolicy },
    resources: values.resources,
    storage: values.storage,
    ...(values.storageClass === undefined ? {} : { storageClass: values.storageClass }),
    ...(initScripts === undefined ? {} : { initScripts }),
    ...(replicas === 0 ? {} : { pooler: { image: images.pooler, replicas, maxServerConnections } }),
    ...(values.readReplicas === 0 ? {} : { readReplicas: values.readReplicas, replicationPassword }),
    ...(values.tls === undefined ? {} : { tls: values.tls }),
    metrics: { image: images.postgresExporter },
    backup: values.backup,
  });
}

interface CacheOptions {
  readonly values: CacheValues;
  readonly images: StoreImages;
  readonly password: LateSecret;
  /** What several servers prove to each other who they are with. */
  readonly systemPassword: LateSecret;
  readonly removalPolicy: RemovalPolicy;
}

/** A system's Redis 7, in the topology that its values say, with an exporter beside each server. */
export function addCache(
  scope: Construct,
  { values, images, password, systemPassword, removalPolicy }: CacheOptions,
): CacheStore {
  return new CacheStore(scope, 'redis', {
    image: images.redis,
    ...{ password, removalPolicy },
    ...(values.sentinel === undefined ? {} : { topology: CacheTopology.sentinel(values.sentinel), systemPassword }),
    resources: values.resources,
    // Sessions, locks and queues live here too, so the file is kept, and only keys that may expire are dropped.
    persistence: CachePersistence.appendOnly(values.storage),
    eviction: EvictionPolicy.VOLATILE_LRU,
    ...(values.storageClass === undefined ? {} : { storageClass: values.storageClass }),
    metrics: { image: images.redisExporter },
  });
}

/** Largest pool that one pod may open, as the systems' descriptions have it. */
const LARGEST_POOL = 20;
/** Connections that pools leave free, for backups, migrations and an operator. */
const SPARE_CONNECTIONS = 10;

/**
 * Connections of one pod, so that all pods at once never exhaust what they connect to: the pooler, or the database where there is none.
 * @param pods most pods of each service that connects; one more of each runs while a rollout replaces them
 */
export function poolSize({ pooler, settings }: StatefulDatabase, pods: readonly number[]): number {
  // One pod of the pooler must be able to take all, since a second one may be away.
  const free = pooler?.maxClientConnections ?? settings.maxConnections - SPARE_CONNECTIONS;
  const clients = pods.reduce((sum, count) => sum + count + 1, 0);
  return Math.max(1, Math.min(LARGEST_POOL, Math.floor(free / clients)));
}
