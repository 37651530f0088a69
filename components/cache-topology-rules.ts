import type { Duration } from 'cdk8s';
import { BUS_OFFSET } from './cache-members';
import { HEALTH_PORT } from './cache-router';
import type { CacheTopology, ClusterSettings, SentinelSettings } from './cache-topology';
import { passwordProblems } from './database-rules';
import type { Late } from './late';
import type { Password } from './rotating-password';
import { acceptedPasswords } from './rotating-password';
import { durationProblem } from './stateful-workload';
import type { Problems } from './validation';

/** What the rules of the topology look at. */
export interface TopologyRulesInput {
  readonly topology: CacheTopology;
  readonly port: number;
  readonly password: Password | undefined;
  readonly systemPassword: Late | undefined;
  readonly terminationGrace: Duration;
}

/** Shortest stop of a member: half of it for the hand-over, half for the end. */
const LEAST_GRACE_SECONDS = 30;

/** Adds what does not fit together among the members. */
export function topologyProblems(problems: Problems, input: TopologyRulesInput): void {
  const { topology, port, terminationGrace } = input;
  const { sentinels, sharding, members } = topology;
  passwordsProblems(problems, input);
  if (members === undefined) return;
  if (sentinels !== undefined) {
    sentinelProblems(problems, sentinels);
    problems.require(
      port < 65_535 && port !== HEALTH_PORT && port + 1 !== HEALTH_PORT,
      `port (${port}) leaves no room for the router's others: the next one, which leads to the replicas, and ${HEALTH_PORT}`,
    );
  }
  if (sharding !== undefined) {
    clusterProblems(problems, sharding);
    problems.require(
      !(port > 65_535 - BUS_OFFSET),
      `port (${port}) must be at most ${65_535 - BUS_OFFSET}: members talk to each other on one that is ${BUS_OFFSET} higher`,
    );
  }
  guardProblems(problems, members);
  problems.require(
    !(terminationGrace.toSeconds({ integral: false }) < LEAST_GRACE_SECONDS),
    `terminationGrace must be at least ${LEAST_GRACE_SECONDS} s: the primary hands over within it`,
  );
}

function passwordsProblems(problems: Problems, { topology, password, systemPassword }: TopologyRulesInput): void {
  const several = topology.members !== undefined;
  problems
    .require(
      !several || (password !== undefined && systemPassword !== undefined),
      'password and systemPassword are required with more than one server: members prove to each other who they are',
    )
    .require(
      several || systemPassword === undefined,
      'systemPassword has no use with one server: leave it out, or choose another topology',
    )
    .require(
      password === undefined || acceptedPasswords(password).every((one) => one.password !== systemPassword),
      'systemPassword must not be the password: clients could then stop and replace the primary',
    );
  passwordProblems(problems, systemPassword, 'systemPassword');
}

function sentinelProblems(problems: Problems, settings: SentinelSettings): void {
  const { sentinels, quorum, replicas, routers, failoverTimeout, failureDetection } = settings;
  problems
    .integer('topology: replicas', replicas, { min: 1, max: 20 })
    .integer('topology: sentinels', sentinels, { min: 3, max: 9 })
    .require(
      !(sentinels % 2 === 0),
      `topology: sentinels (${sentinels}) must be odd: one more than an even number tolerates no further loss`,
    )
    .integer('topology: quorum', quorum, { min: 2, max: 9 })
    .require(
      !(quorum > sentinels - 1),
      `topology: quorum (${quorum}) can't be reached while one of ${sentinels} sentinels is away: at most ${sentinels - 1}`,
    )
    .integer('topology: routers', routers, { min: 1, max: 20 });
  durationProblem(problems, 'topology: failoverTimeout', failoverTimeout);
  problems.require(
    !(seconds(failoverTimeout) <= seconds(failureDetection)),
    `topology: failoverTimeout (${seconds(failoverTimeout)} s) must be longer than failureDetection (${seconds(failureDetection)} s)`,
  );
}

function clusterProblems(problems: Problems, { shards, replicas }: ClusterSettings): void {
  problems
    .integer('topology: shards', shards, { min: 3, max: 100 })
    .integer('topology: replicasPerShard', replicas, { min: 1, max: 5 });
}

function guardProblems(problems: Problems, members: SentinelSettings | ClusterSettings): void {
  const { minReplicasToWrite, replicas, maxReplicaLag, failureDetection } = members;
  problems
    .integer('topology: minReplicasToWrite', minReplicasToWrite, { min: 0, max: 20 })
    .require(
      !(minReplicasToWrite >= replicas && minReplicasToWrite > 0),
      `topology: minReplicasToWrite (${minReplicasToWrite}) must be less than the ${replicas} replicas of a primary: the next one has one fewer`,
    );
  durationProblem(problems, 'topology: maxReplicaLag', maxReplicaLag, 2);
  durationProblem(problems, 'topology: failureDetection', failureDetection);
}

const seconds = (duration: Duration): number => duration.toSeconds({ integral: false });
