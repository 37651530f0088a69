import type { Construct } from 'constructs';
import type { Duration } from 'cdk8s';
import { Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import { largestData } from './cache-configuration';
import type { CachePersistence } from './cache-options';
import type { EvictionPolicy } from './cache-options';
import { passwordProblems } from './database-rules';
import type { Labels } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import { durationProblem, labelProblems, STATEFUL_NAME_MAX } from './stateful-workload';
import { sizeBytes } from './units';
import { Problems } from './validation';

/** What the rules look at: the props with their defaults. */
export interface CacheRulesInput {
  readonly name: string;
  readonly image: Late;
  readonly user: number;
  readonly port: number;
  readonly password: Late | undefined;
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
    .dnsLabel('name', input.name, STATEFUL_NAME_MAX)
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
  memoryProblems(problems, input);
  for (const command of input.allowedCommands) {
    problems.require(
      /^[a-z]+(\|[a-z-]+)?$/.test(command),
      `allowedCommands: '${command}' must be a command in small letters, with '|' before a subcommand`,
    );
  }
  durationProblem(problems, 'idleTimeout', input.idleTimeout);
  durationProblem(problems, 'terminationGrace', input.terminationGrace);
  durationProblem(problems, 'startupDeadline', input.startupDeadline);
  labelProblems(problems, input.labels, input.selector);
  problems.raise();
}

function memoryProblems(problems: Problems, { maxMemory, persistence, resources }: CacheRulesInput): void {
  const limit = resources.memory?.limit;
  if (limit === undefined) return;
  const largest = largestData(limit, persistence);
  const data = maxMemory ?? largest;
  const mib = (size: Size): string => `${Math.floor(sizeBytes(size) / 1024 ** 2)} MiB`;
  problems.require(
    !(sizeBytes(data) > sizeBytes(largest)),
    `maxMemory (${mib(data)}) must be at most ${mib(largest)}: ${persistence.durable ? '60 % of the memory limit with an append-only file' : '75 % of the memory limit'}`,
  );
  if (persistence.size === undefined) return;
  problems.require(
    !(sizeBytes(persistence.size) < 2 * sizeBytes(data)),
    `persistence: size (${mib(persistence.size)}) must be at least twice maxMemory (${mib(data)}): the file is rewritten beside itself`,
  );
}
