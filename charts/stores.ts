import type { Construct } from 'constructs';
import type { AutoscaledService } from '../components/autoscaled-service';
import { CachePersistence, EvictionPolicy } from '../components/cache-options';
import { CacheStore } from '../components/cache-store';
import { CacheTopology } from '../components/cache-topology';
import { DatabaseEngine } from '../components/database-engine';
import type { Late, LateSecret } from '../components/late';
import type { RemovalPolicy } from '../components/release-options';
import type { Password } from '../components/rotating-password';
import { StatefulDatabase } from '../components/stateful-database';
import { archiveProps } from './archive';
import type { Backups } from './backups';
import type { CacheValues, DatabaseValues } from './values';

/** Images of a system's stores and of what stands beside them. */
export type StoreImages = Readonly<
  Record<'postgres' | 'pooler' | 'postgresExporter' | 'redis' | 'redisExporter' | 'backup' | 'backupStatus', Late>
>;

interface DatabaseOptions {
  /** Name of the database and of its owner. */
  readonly name: string;
  readonly values: DatabaseValues;
  readonly images: StoreImages;
  readonly password: Password;
  readonly replicationPassword: LateSecret;
  readonly backups: Backups;
  /** Of an archive on a volume. */
  readonly archivePassphrase: LateSecret;
  readonly removalPolicy: RemovalPolicy;
  /** SQL that runs when the data folder is made. @default - none */
  readonly initScripts?: Readonly<Record<string, string>>;
}

/** A system's PostgreSQL 15, with pooler, replicas and TLS as its values say, and an exporter beside each server. */
export function addDatabase(scope: Construct, options: DatabaseOptions): StatefulDatabase {
  const { name, values, images, password, replicationPassword, archivePassphrase } = options;
  const { backups, removalPolicy, initScripts } = options;
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
    ...backups.of(values.backup),
    ...archiveProps(values.archive, values.recovery, archivePassphrase),
  });
}

interface CacheOptions {
  readonly values: CacheValues;
  readonly images: StoreImages;
  readonly password: Password;
  /** What several servers prove to each other who they are with. */
  readonly systemPassword: LateSecret;
  readonly backups: Backups;
  readonly removalPolicy: RemovalPolicy;
}

/** A system's Redis 7, in the topology that its values say, with an exporter beside each server. */
export function addCache(
  scope: Construct,
  { values, images, password, systemPassword, backups, removalPolicy }: CacheOptions,
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
    ...backups.of(values.backup),
  });
}

/** Largest pool that one pod may open, as the systems' descriptions have it. */
const LARGEST_POOL = 20;
/** Connections that pools leave free, for backups, migrations and an operator. */
const SPARE_CONNECTIONS = 10;

/** What pools of clients may take of the server itself. */
const openConnections = ({ settings }: StatefulDatabase): number => settings.maxConnections - SPARE_CONNECTIONS;

type Client = Pick<AutoscaledService, 'mostPods'>;
const share = (connections: number, clients: readonly Client[]): number => {
  const pods = clients.reduce((sum, { mostPods }) => sum + mostPods, 0);
  return Math.max(1, Math.min(LARGEST_POOL, Math.floor(connections / pods)));
};

/**
 * Connections of one pod, so that all pods at once never exhaust what they connect to: the pooler, or the database where there is none.
 * @param clients every service that connects
 * @param reads whether they have a second pool, of `readPoolSize`
 */
export function poolSize(database: StatefulDatabase, clients: readonly Client[], reads = false): number {
  // One pod of the pooler must be able to take all, since a second one may be away.
  const free = database.pooler?.maxClientConnections;
  const shared = reads && database.readReplicas === 0 ? 2 : 1;
  return share(free ?? openConnections(database) / shared, clients);
}

/** The same for the pool that only reads: no pooler is before the replicas, and one of them must be able to take all. */
export function readPoolSize(database: StatefulDatabase, clients: readonly Client[]): number {
  const open = openConnections(database);
  // Without replicas they go to the primary, beside the pooler's connections or the other pools'.
  const taken = database.readReplicas > 0 ? 0 : (database.pooler?.maxServerConnections ?? open / 2);
  return share(open - taken, clients);
}
