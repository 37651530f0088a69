import type { Construct } from 'constructs';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { Duration } from 'cdk8s';
import { Size } from 'cdk8s';
import { backupProblems } from './database-backup';
import type { DatabaseBackupOptions } from './database-backup';
import type { DatabaseConfiguration, DatabaseSettings } from './database-configuration';
import { databaseSettings, LEAST_WORK_MEM, parameterProblems } from './database-configuration';
import type { DatabaseEngine } from './database-engine';
import { POSTGRES_VERSIONS } from './database-engine';
import type { Labels } from './kube';
import { LateTokens } from './late';
import type { Late } from './late';
import { durationProblem, labelProblems, STATEFUL_NAME_MAX } from './stateful-workload';
import { cpuMillis, sizeBytes } from './units';
import { Problems } from './validation';

/** What the rules look at: the props with their defaults. */
export interface DatabaseRulesInput {
  readonly name: string;
  readonly engine: DatabaseEngine;
  readonly password: Late;
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
}

// Below it shared buffers and one connection for each of a hundred clients leave nothing to sort in.
const LEAST_MEMORY = Size.mebibytes(256);
// The write-ahead log may take half of it.
const LEAST_STORAGE = Size.gibibytes(1);
const LARGEST_CONFIG_MAP = 1024 ** 2;
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
  backupProblems(problems, input.name, input.backup);
  problems.raise();
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
    );
  passwordProblems(problems, password);
}

/** A literal password; what is late cannot be judged, and no message shows it. */
export function passwordProblems(problems: Problems, password: Late | undefined): void {
  if (typeof password !== 'string' || LateTokens.isToken(password)) return;
  problems.require(
    /^[A-Za-z0-9._~-]{8,}$/.test(password),
    "password must have at least 8 characters, all safe in a URL (letters, digits, '-', '.', '_', '~'); its value is not shown",
  );
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
  if (memory === undefined) return;
  const { storage, engine } = input;
  fitProblems(
    problems,
    databaseSettings({ memory, cpuMillis: undefined, storage, port: engine.port }, given),
    memory,
    storage,
  );
}

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

/** What settings are derived from, once the props are known to be right. */
export const databaseMachine = (input: Pick<DatabaseRulesInput, 'engine' | 'resources' | 'storage'>) => {
  const cpu = input.resources.cpu?.limit;
  return {
    memory: input.resources.memory?.limit as Size,
    cpuMillis: cpu === undefined ? undefined : cpuMillis(cpu),
    storage: input.storage,
    port: input.engine.port,
  };
};
