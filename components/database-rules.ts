import type { Construct } from 'constructs';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { Duration } from 'cdk8s';
import { Size } from 'cdk8s';
import { backupProblems } from './backup-options';
import type { DatabaseArchive } from './database-archive';
import { ownBackup } from './database-backup';
import type { DatabaseBackupOptions } from './database-backup';
import type { DatabaseBackend } from './database-backend';
import { cloudNativePgProblems } from './database-cloud-native-pg-rules';
import type { DatabaseConfiguration, DatabaseMachine, DatabaseSettings } from './database-configuration';
import {
  databaseSettings,
  LEAST_WORK_MEM,
  leastConnections,
  MOST_REPLICAS,
  parameterProblems,
} from './database-configuration';
import type { DatabaseEngine } from './database-engine';
import { POSTGRES_VERSIONS } from './database-engine';
import { MONITORING_ROLE, REPLICATION_ROLE } from './database-access';
import type { DatabaseMetrics } from './database-metrics';
import { METRICS_PORT } from './database-metrics';
import type { PoolerSettings } from './database-pooler';
import { POOLER_SUFFIX, PoolMode } from './database-pooler';
import type { StatefulDatabaseProps } from './database-props';
import type { DatabaseRecovery } from './database-recovery';
import { recoveryProblems } from './database-recovery';
import { REPLICA_SUFFIX } from './database-replicas';
import type { DatabaseTls } from './database-tls';
import type { Labels } from './kube';
import { LateTokens } from './late';
import type { Late } from './late';
import { ROTATING_NAME_MAX } from './password-check';
import type { Password } from './rotating-password';
import { acceptedPasswords, rotationProblems, RotatingPassword } from './rotating-password';
import { durationProblem, labelProblems, STATEFUL_NAME_MAX } from './stateful-workload';
import { cpuMillis, sizeBytes } from './units';
import { Problems } from './validation';

/** What the rules look at: the props with their defaults. */
export interface DatabaseRulesInput {
  readonly name: string;
  readonly engine: DatabaseEngine;
  readonly password: Password;
  readonly databaseName: string;
  readonly username: string;
  readonly storage: Size;
  readonly resources: ContainerResources;
  readonly configuration: DatabaseConfiguration;
  readonly initScripts: Readonly<Record<string, string>>;
  readonly terminationGrace: Duration;
  readonly startupDeadline: Duration;
  readonly labels: Labels;
  readonly selector: Labels;
  readonly backup: DatabaseBackupOptions | undefined;
  readonly readReplicas: number;
  readonly replicationPassword: Late | undefined;
  readonly replicaMaxLag: Duration;
  readonly pooler: PoolerSettings | undefined;
  readonly archive: DatabaseArchive | undefined;
  readonly recovery: DatabaseRecovery | undefined;
  readonly tls: DatabaseTls | undefined;
  readonly metrics: DatabaseMetrics | undefined;
  readonly backend: DatabaseBackend;
  /** As they were given, for what a back end refuses. */
  readonly props: StatefulDatabaseProps;
}

// Below it shared buffers and one connection for each of a hundred clients leave nothing to sort in.
const LEAST_MEMORY = Size.mebibytes(256);
// The write-ahead log may take half of it.
const LEAST_STORAGE = Size.gibibytes(1);
const LARGEST_CONFIG_MAP = 1024 ** 2;
/** The suffix of a second login belongs to the same identifier. */
const LONGEST_ROTATING = 61;
const IDENTIFIER = /^[a-z_][a-z0-9_]{0,62}$/;

/** Adds every problem of a StatefulDatabase's props and throws them together. */
export function checkDatabase(scope: Construct, input: DatabaseRulesInput): void {
  const problems = new Problems(scope);
  problems.dnsLabel('name', input.name, STATEFUL_NAME_MAX);
  engineProblems(problems, scope, input.engine);
  identityProblems(problems, input);
  problems.size('storage', input.storage, LEAST_STORAGE).resources('resources', input.resources);
  const { memory } = input.resources;
  problems.size('resources.memory.limit', memory?.limit, LEAST_MEMORY);
  configurationProblems(problems, input);
  scriptProblems(problems, input.initScripts);
  durationProblem(problems, 'terminationGrace', input.terminationGrace);
  durationProblem(problems, 'startupDeadline', input.startupDeadline);
  labelProblems(problems, input.labels, input.selector);
  dumpProblems(problems, scope, input);
  replicaProblems(problems, input);
  poolerProblems(problems, scope, input.pooler, input);
  input.tls?._check(problems);
  metricsProblems(problems, scope, input.metrics, input.engine.port);
  recoveryProblems(problems, scope, { ...input, parameters: input.configuration.parameters ?? {} });
  const operator = input.backend._operator;
  if (operator !== undefined) cloudNativePgProblems(problems, { ...input, operator, settings: settingsOf(input) });
  problems.raise();
}

/** An operator makes its own kind of backup, and asks for none of what a dump needs. */
function dumpProblems(problems: Problems, scope: Construct, { name, backup, backend }: DatabaseRulesInput): void {
  if (backup === undefined) return;
  if (backend._operator !== undefined) {
    problems.cron('backup.schedule', backup.schedule);
    return;
  }
  for (const prop of ['image', 'encryptionKey', 'target'] as const) {
    problems.require(backup[prop] !== undefined, `backup.${prop} is required, save with an operator`);
  }
  backupProblems(problems, scope, name, ownBackup(backup));
}

function engineProblems(problems: Problems, scope: Construct, engine: DatabaseEngine): void {
  problems
    .require(
      POSTGRES_VERSIONS.includes(engine.version),
      `engine must be PostgreSQL ${POSTGRES_VERSIONS.join(' or ')}, got '${engine.version}'`,
    )
    .image('engine.image', LateTokens.of(scope).asString(scope, engine.image))
    .port('engine.port', engine.port, 1024)
    .integer('engine.user', engine.user, { min: 1, max: 2 ** 31 - 1 });
}

function identityProblems(problems: Problems, input: DatabaseRulesInput): void {
  const { databaseName, username, password } = input;
  const rule = "must be a PostgreSQL identifier (a-z, 0-9, '_', not starting with a digit, at most 63 characters)";
  problems
    .require(IDENTIFIER.test(databaseName), `databaseName ${rule}, got '${databaseName}'`)
    .require(
      !['template0', 'template1'].includes(databaseName),
      `databaseName must not be a template of PostgreSQL, got '${databaseName}'`,
    )
    .require(IDENTIFIER.test(username), `username ${rule}, got '${username}'`)
    .require(
      username !== 'postgres' && !username.startsWith('pg_'),
      `username must not be the superuser nor start with 'pg_', which PostgreSQL keeps for itself, got '${username}'`,
    )
    .require(
      ![REPLICATION_ROLE, MONITORING_ROLE].includes(username),
      `username must not be '${REPLICATION_ROLE}' or '${MONITORING_ROLE}', which are the component's own, got '${username}'`,
    );
  passwordProblems(problems, password);
  if (!(password instanceof RotatingPassword)) return;
  problems
    .dnsLabel('name (with a RotatingPassword)', input.name, ROTATING_NAME_MAX)
    .require(
      username.length <= LONGEST_ROTATING,
      `username must have at most ${LONGEST_ROTATING} characters with a RotatingPassword, whose second login is called '${username}_b'`,
    );
}

/** Literal passwords; what is late cannot be judged, and no message shows it. */
export function passwordProblems(problems: Problems, password: Password | undefined, prop = 'password'): void {
  rotationProblems(problems, prop, password);
  const accepted = password === undefined ? [] : acceptedPasswords(password).map((one) => one.password);
  problems.require(
    accepted.every((one) => typeof one !== 'string' || LateTokens.isToken(one) || /^[A-Za-z0-9._~-]{8,}$/.test(one)),
    `${prop} must have at least 8 characters, all safe in a URL (letters, digits, '-', '.', '_', '~'); its value is not shown`,
  );
}

function replicaProblems(problems: Problems, input: DatabaseRulesInput): void {
  const { name, readReplicas, replicationPassword, replicaMaxLag } = input;
  problems.integer('readReplicas', readReplicas, { min: 0, max: MOST_REPLICAS });
  durationProblem(problems, 'replicaMaxLag', replicaMaxLag);
  passwordProblems(problems, replicationPassword, 'replicationPassword');
  if (readReplicas === 0 || input.backend._operator !== undefined) return;
  problems
    .dnsLabel('name (with read replicas)', name, STATEFUL_NAME_MAX - REPLICA_SUFFIX.length)
    .require(replicationPassword !== undefined, 'replicationPassword is required with read replicas');
}

function poolerProblems(
  problems: Problems,
  scope: Construct,
  pooler: PoolerSettings | undefined,
  { name, configuration }: DatabaseRulesInput,
): void {
  if (pooler === undefined) return;
  const { maxServerConnections, replicas, poolMode } = pooler;
  // The longest name that is added is that of the Service.
  problems
    .dnsLabel('name (with a pooler)', name, 63 - `${POOLER_SUFFIX}-service`.length)
    .image('pooler.image', LateTokens.of(scope).asString(scope, pooler.image))
    .integer('pooler.replicas', replicas, { min: 1, max: 20 })
    .integer('pooler.maxServerConnections', maxServerConnections, { min: Math.max(2, replicas || 0), max: 5000 })
    .integer('pooler.maxClientConnections', pooler.maxClientConnections, { min: 1, max: 50_000 })
    .integer('pooler.user', pooler.user, { min: 1, max: 2 ** 31 - 1 })
    .resources('pooler.resources', pooler.resources)
    .require(
      Object.values(PoolMode).includes(poolMode),
      `pooler.poolMode must be ${Object.values(PoolMode).join(' or ')}, got '${String(poolMode)}'`,
    );
  const most = configuration.maxConnections;
  const least = leastConnections(maxServerConnections);
  problems.require(
    most === undefined || !(most < least),
    `configuration.maxConnections (${most}) must be at least ${least}: the pooler's ${maxServerConnections}, and ${least - maxServerConnections} for administrators, backups, migrations and metrics`,
  );
}

function metricsProblems(
  problems: Problems,
  scope: Construct,
  metrics: DatabaseMetrics | undefined,
  port: number,
): void {
  if (metrics === undefined) return;
  problems
    .require(port !== METRICS_PORT, `engine.port must not be ${METRICS_PORT}, which the exporter listens on`)
    .image('metrics.image', LateTokens.of(scope).asString(scope, metrics.image))
    .integer('metrics.user', metrics.user, { min: 1, max: 2 ** 31 - 1 });
  if (metrics.resources !== undefined) problems.resources('metrics.resources', metrics.resources);
}

function configurationProblems(problems: Problems, input: DatabaseRulesInput): void {
  const given = input.configuration;
  problems
    .integer('configuration.maxConnections', given.maxConnections, { min: 10, max: 5000 })
    .size('configuration.sharedBuffers', given.sharedBuffers, Size.mebibytes(1))
    .size('configuration.effectiveCacheSize', given.effectiveCacheSize)
    .size('configuration.workMem', given.workMem, LEAST_WORK_MEM)
    .size('configuration.maintenanceWorkMem', given.maintenanceWorkMem, Size.mebibytes(1))
    .size('configuration.maxWalSize', given.maxWalSize, Size.mebibytes(64));
  durationProblem(problems, 'configuration.slowStatement', given.slowStatement);
  durationProblem(problems, 'configuration.statementTimeout', given.statementTimeout);
  durationProblem(problems, 'configuration.idleInTransactionTimeout', given.idleInTransactionTimeout);
  for (const problem of parameterProblems(given.parameters ?? {})) problems.require(false, problem);
  const memory = input.resources.memory?.limit;
  const settings = settingsOf(input);
  if (memory !== undefined && settings !== undefined) fitProblems(problems, settings, memory, input.storage);
}

/** Nothing where memory has no limit, from which they would follow. */
const settingsOf = (input: DatabaseRulesInput): DatabaseSettings | undefined =>
  input.resources.memory?.limit === undefined
    ? undefined
    : databaseSettings(databaseMachine(input), input.configuration);

function fitProblems(problems: Problems, settings: DatabaseSettings, memory: Size, storage: Size): void {
  const { sharedBuffers, workMem, maintenanceWorkMem, maxConnections, maxWalSize } = settings;
  const mib = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MiB`;
  const [limit, shared] = [sizeBytes(memory), sizeBytes(sharedBuffers)];
  const used = shared + maxConnections * sizeBytes(workMem) + sizeBytes(maintenanceWorkMem);
  problems
    .require(
      !(shared > limit * 0.4),
      `configuration.sharedBuffers (${mib(shared)}) must be at most 40 % of the memory limit (${mib(limit)})`,
    )
    .require(
      !(used > limit),
      `configuration: shared buffers, maintenance memory and one workMem a connection (${mib(used)}) must fit the memory limit (${mib(limit)})`,
    )
    .require(
      !(sizeBytes(maxWalSize) > sizeBytes(storage) / 2),
      `configuration.maxWalSize (${mib(sizeBytes(maxWalSize))}) must be at most half of the storage (${mib(sizeBytes(storage))})`,
    );
}

function scriptProblems(problems: Problems, scripts: Readonly<Record<string, string>>): void {
  let total = 0;
  for (const [name, sql] of Object.entries(scripts)) {
    total += Buffer.byteLength(name) + Buffer.byteLength(sql);
    problems
      .require(
        /^[A-Za-z0-9][-A-Za-z0-9_.]{0,240}\.sql$/.test(name),
        `initScripts: '${name}' must be a file name that ends in .sql (letters, digits, '-', '_', '.')`,
      )
      .require(sql.trim() !== '', `initScripts: '${name}' is empty`);
  }
  problems.require(
    total <= LARGEST_CONFIG_MAP,
    `initScripts must be at most ${LARGEST_CONFIG_MAP} bytes together, the bound of a ConfigMap, got ${total}`,
  );
}

/** What settings are derived from. */
export const databaseMachine = (
  input: Pick<
    DatabaseRulesInput,
    'engine' | 'resources' | 'storage' | 'pooler' | 'readReplicas' | 'replicaMaxLag' | 'archive'
  >,
): DatabaseMachine => {
  const cpu = input.resources.cpu?.limit;
  return {
    memory: input.resources.memory?.limit as Size,
    cpuMillis: cpu === undefined ? undefined : cpuMillis(cpu),
    storage: input.storage,
    port: input.engine.port,
    pooled: input.pooler?.maxServerConnections ?? 0,
    maxLag: input.readReplicas > 0 ? input.replicaMaxLag : undefined,
    maxLoss: input.archive?._settings.maxLoss,
  };
};
