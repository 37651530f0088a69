import type { Construct } from 'constructs';
import type { Duration } from 'cdk8s';
import { Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { BackupOptions } from './backup-options';
import { backupProblems } from './backup-options';
import { forks, largestData } from './cache-configuration';
import type { CacheMetrics } from './cache-metrics';
import { METRICS_PORT } from './cache-metrics';
import type { CachePersistence } from './cache-options';
import type { EvictionPolicy } from './cache-options';
import type { CacheTopology } from './cache-topology';
import { topologyProblems } from './cache-topology-rules';
import type { CacheUser } from './cache-users';
import { userProblems } from './cache-user-rules';
import { passwordProblems } from './database-rules';
import type { Labels } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import { ROTATING_NAME_MAX } from './password-check';
import type { Password } from './rotating-password';
import { RotatingPassword } from './rotating-password';
import { durationProblem, labelProblems, STATEFUL_NAME_MAX } from './stateful-workload';
import { sizeBytes } from './units';
import { Problems } from './validation';

/** What the rules look at: the props with their defaults. */
export interface CacheRulesInput {
  readonly name: string;
  readonly image: Late;
  readonly user: number;
  readonly port: number;
  readonly topology: CacheTopology;
  readonly password: Password | undefined;
  readonly systemPassword: Late | undefined;
  readonly users: readonly CacheUser[];
  readonly metrics: CacheMetrics | undefined;
  readonly backup: BackupOptions | undefined;
  readonly maxMemory: Size | undefined;
  readonly eviction: EvictionPolicy;
  readonly persistence: CachePersistence;
  readonly maxClients: number;
  readonly idleTimeout: Duration | undefined;
  readonly allowedCommands: readonly string[];
  readonly resources: ContainerResources;
  readonly terminationGrace: Duration;
  readonly startupDeadline: Duration;
  readonly labels: Labels;
  readonly selector: Labels;
}

// The empty server takes a few megabytes; under this, buffers of a few clients exceed what is left.
const LEAST_MEMORY = Size.mebibytes(32);

/** Adds every problem of a CacheStore's props and throws them together. */
export function checkCache(scope: Construct, input: CacheRulesInput): void {
  const { eviction, persistence, resources } = input;
  const problems = new Problems(scope);
  problems
    .dnsLabel('name', input.name, STATEFUL_NAME_MAX - (input.topology.sentinels === undefined ? 0 : '-sentinel'.length))
    .image('image', LateTokens.of(scope).asString(scope, input.image))
    .integer('user', input.user, { min: 1, max: 2 ** 31 - 1 })
    .port('port', input.port, 1024)
    .integer('maxClients', input.maxClients, { min: 10, max: 65_000 })
    .resources('resources', resources)
    .size('resources.memory.limit', resources.memory?.limit, LEAST_MEMORY)
    .size('maxMemory', input.maxMemory, Size.mebibytes(1))
    .size('persistence: size', persistence.size)
    .require(
      !(persistence.durable && eviction.startsWith('allkeys-')),
      `eviction '${eviction}' drops any key, which contradicts an append-only file: use a volatile policy, EvictionPolicy.NONE, or CachePersistence.none()`,
    );
  passwordProblems(problems, input.password);
  if ([input.password, ...input.users.map((user) => user.password)].some((one) => one instanceof RotatingPassword)) {
    problems.dnsLabel('name (with a RotatingPassword)', input.name, ROTATING_NAME_MAX);
  }
  memoryProblems(problems, input);
  topologyProblems(problems, input);
  userProblems(problems, input);
  metricsProblems(scope, problems, input);
  snapshotProblems(scope, problems, input);
  durationProblem(problems, 'idleTimeout', input.idleTimeout);
  durationProblem(problems, 'terminationGrace', input.terminationGrace);
  durationProblem(problems, 'startupDeadline', input.startupDeadline);
  labelProblems(problems, input.labels, input.selector);
  problems.raise();
}

function snapshotProblems(scope: Construct, problems: Problems, input: CacheRulesInput): void {
  const { backup, password, topology, name } = input;
  if (backup === undefined) return;
  backupProblems(problems, scope, name, backup);
  problems
    .require(password !== undefined, 'backup needs a password of the clients, from which that of its own user follows')
    .require(topology.sharding === undefined, 'backup is not for a cluster: its shards have no moment in common');
}

function metricsProblems(scope: Construct, problems: Problems, { metrics, port }: CacheRulesInput): void {
  if (metrics === undefined) return;
  problems
    .image('metrics.image', LateTokens.of(scope).asString(scope, metrics.image))
    .integer('metrics.user', metrics.user, { min: 1, max: 2 ** 31 - 1 })
    .require(port !== METRICS_PORT, `port (${port}) is the one of the metrics: choose another`);
  if (metrics.resources !== undefined) problems.resources('metrics.resources', metrics.resources);
}

function memoryProblems(problems: Problems, input: CacheRulesInput): void {
  const { maxMemory, persistence, resources, topology } = input;
  const limit = resources.memory?.limit;
  if (limit === undefined) return;
  const largest = largestData(limit, forks(persistence, topology));
  const data = maxMemory ?? largest;
  const mib = (size: Size): string => `${Math.floor(sizeBytes(size) / 1024 ** 2)} MiB`;
  problems.require(
    !(sizeBytes(data) > sizeBytes(largest)),
    `maxMemory (${mib(data)}) must be at most ${mib(largest)}: ${share(input)}`,
  );
  if (persistence.size === undefined) return;
  problems.require(
    !(sizeBytes(persistence.size) < 2 * sizeBytes(data)),
    `persistence: size (${mib(persistence.size)}) must be at least twice maxMemory (${mib(data)}): the file is rewritten beside itself`,
  );
}

function share({ persistence, topology }: CacheRulesInput): string {
  if (persistence.durable) return '60 % of the memory limit with an append-only file';
  return topology.members === undefined ? '75 % of the memory limit' : '60 % of the memory limit with replicas';
}
