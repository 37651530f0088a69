import type { Chart } from 'cdk8s';
import { Duration, Size } from 'cdk8s';
import type { BackupDrillOptions, BackupOptions } from '../../components/backup-options';
import { BackupTarget } from '../../components/backup-target';
import { AppendSync, CachePersistence, EvictionPolicy } from '../../components/cache-options';
import type { CacheStoreProps } from '../../components/cache-store';
import { CacheStore } from '../../components/cache-store';
import { CacheTopology } from '../../components/cache-topology';
import { CachePermission, CacheUser } from '../../components/cache-users';
import { ArchiveKeys } from '../../components/database-archive-keys';
import { DatabaseArchive } from '../../components/database-archive';
import { DatabaseBackend } from '../../components/database-backend';
import { DatabaseEngine } from '../../components/database-engine';
import { PoolMode } from '../../components/database-pooler';
import { DatabaseRecovery } from '../../components/database-recovery';
import { DatabaseTls } from '../../components/database-tls';
import { compute } from '../../components/pod';
import { RemovalPolicy } from '../../components/release-options';
import { RotatingPassword } from '../../components/rotating-password';
import type { StatefulDatabaseProps } from '../../components/stateful-database';
import { StatefulDatabase } from '../../components/stateful-database';

/** One way to build a component, for suites that look at every one of them. */
export interface ComponentCase {
  readonly name: string;
  readonly build: (chart: Chart) => void;
}

const DIGEST = '@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';

export const engine = DatabaseEngine.postgres('15', { image: `registry.test/postgres${DIGEST}` });

/** Only what a backup cannot do without. */
export const minimalBackup: BackupOptions = {
  schedule: '@daily',
  image: `registry.test/backup${DIGEST}`,
  encryptionKey: 'canary-key-of-all-archives-0123456789',
  target: BackupTarget.volume(Size.gibibytes(10)),
};

/** Every option of a backup, save where it reports, which is a construct. */
export const fullBackup: Required<Omit<BackupOptions, 'status'>> & { readonly drill: Required<BackupDrillOptions> } = {
  ...minimalBackup,
  schedule: '30 2 * * *',
  keep: 14,
  maxAge: Duration.days(60),
  target: BackupTarget.volume(Size.gibibytes(40), 'slow'),
  deadline: Duration.hours(2),
  overdueAfter: Duration.hours(30),
  resources: compute([100, 500], [128, 1024]),
  drill: {
    schedule: '@weekly',
    deadline: Duration.hours(3),
    overdueAfter: Duration.days(9),
    scratch: Size.gibibytes(60),
    storageClass: 'scratch',
  },
};

/** Only what a StatefulDatabase cannot do without. */
export const minimalDatabase: StatefulDatabaseProps = { engine, password: 'correct-horse' };

/** A bucket as somebody else's server has it, with every option. */
export const fullArchive = (prefix: string): DatabaseArchive =>
  DatabaseArchive.objectStorage({
    endpoint: 's3.example.com',
    port: 9000,
    region: 'eu-central-1',
    bucket: 'backups',
    prefix,
    keys: ArchiveKeys.of({
      passphrase: 'canary-of-the-passphrase',
      access: { id: 'canary-of-the-id', secret: 'canary-of-the-access' },
    }),
    pathStyle: true,
    authority: { secretName: 'store-tls', key: 'ca.pem' },
    peer: { ipBlock: { cidr: '192.0.2.0/24' } },
    maxLoss: Duration.seconds(30),
    fullEvery: Duration.days(14),
    differentialEvery: Duration.hours(12),
    keepFull: 3,
    maxQueue: Size.gibibytes(2),
    resources: compute([100, 2000], [128, 512]),
  });

/** Every prop of StatefulDatabase; a new one breaks compilation here until a test knows it. */
export const fullDatabase: Required<StatefulDatabaseProps> = {
  engine: DatabaseEngine.postgres('15', { image: `registry.test/postgres${DIGEST}`, user: 20070, port: 6543 }),
  password: 'battery-staple',
  name: 'main-db',
  databaseName: 'noodle',
  username: 'noodle_owner',
  storage: Size.gibibytes(20),
  storageClass: 'fast',
  resources: compute([500, 2000], [1024, 2048]),
  configuration: {
    maxConnections: 50,
    sharedBuffers: Size.mebibytes(400),
    effectiveCacheSize: Size.mebibytes(1200),
    workMem: Size.mebibytes(8),
    maintenanceWorkMem: Size.mebibytes(96),
    maxWalSize: Size.gibibytes(3),
    slowStatement: Duration.millis(5000),
    statementTimeout: Duration.minutes(10),
    idleInTransactionTimeout: Duration.minutes(1),
    parameters: { log_line_prefix: "it's %m ", jit: true, 'pg_stat_statements.max': 2000 },
  },
  initScripts: { '10-schemas.sql': 'create schema core;\n', '20-data.sql': "insert into core.t values ('it''s');\n" },
  removalPolicy: RemovalPolicy.DESTROY,
  terminationGrace: Duration.minutes(3),
  startupDeadline: Duration.minutes(20),
  backup: fullBackup,
  archive: fullArchive('/shop/eu'),
  recovery: DatabaseRecovery.primary(fullArchive('/shop/us'), { to: new Date('2026-03-04T05:06:07.890Z') }),
  labels: { 'example.com/team': 'data' },
  backend: DatabaseBackend.statefulSet(),
  readReplicas: 2,
  replicationPassword: 'follow-the-leader',
  replicaMaxLag: Duration.seconds(45),
  pooler: {
    image: `registry.test/pgbouncer${DIGEST}`,
    maxServerConnections: 30,
    maxClientConnections: 1000,
    replicas: 3,
    poolMode: PoolMode.SESSION,
    resources: compute([100, 500], [64, 256]),
    user: 20073,
  },
  tls: DatabaseTls.fromSecret('main-db-certificate'),
  metrics: {
    image: `registry.test/postgres-exporter${DIGEST}`,
    user: 20074,
    resources: compute([20, 100], [48, 64]),
  },
};

/** Only what a CacheStore cannot do without. */
export const minimalCache: CacheStoreProps = { image: `registry.test/redis${DIGEST}` };

/** Every prop of CacheStore; a new one breaks compilation here until a test knows it. */
export const fullCache: Required<CacheStoreProps> = {
  image: `registry.test/redis${DIGEST}`,
  password: 'battery-staple',
  systemPassword: 'members-of-sessions',
  topology: CacheTopology.sentinel({
    replicas: 3,
    sentinels: 5,
    quorum: 4,
    routers: 3,
    minReplicasToWrite: 2,
    maxReplicaLag: Duration.seconds(8),
    failureDetection: Duration.seconds(4),
    failoverTimeout: Duration.seconds(20),
  }),
  users: [
    CacheUser.named('reports', {
      password: 'reports-secret',
      permissions: [CachePermission.read(), CachePermission.pubSub(), CachePermission.command('client|list')],
      keys: ['report:*'],
      channels: ['reports'],
    }),
  ],
  backup: fullBackup,
  metrics: { image: `registry.test/redis-exporter${DIGEST}`, user: 20075, resources: compute([20, 100], [16, 32]) },
  name: 'sessions',
  port: 6380,
  user: 20071,
  maxMemory: Size.mebibytes(300),
  eviction: EvictionPolicy.VOLATILE_TTL,
  persistence: CachePersistence.appendOnly(Size.gibibytes(2), { fsync: AppendSync.ALWAYS }),
  storageClass: 'fast',
  maxClients: 200,
  idleTimeout: Duration.hours(1),
  allowedCommands: ['flushdb', 'keys'],
  resources: compute([250, 500], [256, 512]),
  removalPolicy: RemovalPolicy.DESTROY,
  terminationGrace: Duration.seconds(45),
  startupDeadline: Duration.minutes(3),
  labels: { 'example.com/team': 'data' },
};

const withoutBackup = ({ backup: _, ...rest }: Required<CacheStoreProps>): CacheStoreProps => rest;

/** The middle of a rotation: both are accepted, and clients use the second. */
export const rotatingPassword = RotatingPassword.of({ accepted: { 1: 'correct-horse', 2: 'battery-staple' }, used: 2 });

/** Both ends of what each component may be built with. */
export const componentCases: readonly ComponentCase[] = [
  {
    name: 'StatefulDatabase, minimal',
    build: (chart) => void new StatefulDatabase(chart, 'postgres', minimalDatabase),
  },
  { name: 'StatefulDatabase, full', build: (chart) => void new StatefulDatabase(chart, 'postgres', fullDatabase) },
  {
    name: 'StatefulDatabase, in a rotation',
    build: (chart) => void new StatefulDatabase(chart, 'postgres', { ...fullDatabase, password: rotatingPassword }),
  },
  {
    name: 'CacheStore, in a rotation',
    build: (chart) => void new CacheStore(chart, 'redis', { ...fullCache, password: rotatingPassword }),
  },
  { name: 'CacheStore, minimal', build: (chart) => void new CacheStore(chart, 'redis', minimalCache) },
  { name: 'CacheStore, full', build: (chart) => void new CacheStore(chart, 'redis', fullCache) },
  {
    name: 'CacheStore, cluster',
    build: (chart) =>
      void new CacheStore(chart, 'redis', { ...withoutBackup(fullCache), topology: CacheTopology.cluster() }),
  },
];
