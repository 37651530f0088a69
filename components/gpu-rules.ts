import { Duration, Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { GpuInferenceDeploymentProps } from './gpu-inference-deployment';
import type { InferencePlan } from './inference-plan';
import { gibibytes } from './inference-plan';
import type { InferenceEngine } from './inference-server';
import { LateTokens } from './late';
import { compute } from './pod';
import type { Scaling } from './scaling';
import { ScalingSignal, checkScaling } from './scaling';
import { sizeBytes } from './units';
import type { Problems } from './validation';

const DEFAULT_BANDWIDTH = Size.mebibytes(125);
/** Requests that wait for each pod before another one is worth its device. */
const QUEUE = 2;
/** Memory is planned in steps of this, so that a small change of a model moves no pod. */
const STEP_MEBIBYTES = 256;

/** Size of the weights, from wherever it is known. */
const weights = ({ modelSize, description, model }: GpuInferenceDeploymentProps): Size | undefined =>
  modelSize ?? description?.weights ?? model.size;

/** Time to read the weights; nothing where the figures are no sizes, which the rules report. */
export function loadTime(props: GpuInferenceDeploymentProps): Duration | undefined {
  const size = weights(props);
  if (size === undefined) return undefined;
  const seconds = sizeBytes(size) / sizeBytes(props.loadBandwidth ?? DEFAULT_BANDWIDTH);
  return Number.isFinite(seconds) ? Duration.seconds(Math.ceil(seconds)) : undefined;
}

/** How many pods, and what decides. */
export function scalingOf(props: GpuInferenceDeploymentProps, engine: InferenceEngine): Scaling {
  const { replicas = 1, maxReplicas = replicas } = props;
  return {
    minReplicas: replicas,
    maxReplicas,
    scaleOn: props.scaleOn ?? [ScalingSignal.pods(engine.figures.waiting, QUEUE)],
    minAvailable: replicas - 1,
    scaleUpWindowSeconds: 0,
    zones: 1,
    fixed: replicas === maxReplicas,
    percent: 100,
  };
}

const sharedBytes = ({ sharedMemory }: GpuInferenceDeploymentProps, engine: InferenceEngine): number =>
  sizeBytes(sharedMemory ?? engine.sharedMemory);

/** Requests and limits where none are given: memory as planned, and all of it requested, since a server uses it all the time. */
export function inferenceResources(
  props: GpuInferenceDeploymentProps,
  engine: InferenceEngine,
  plan: InferencePlan | undefined,
): ContainerResources {
  if (plan === undefined) return compute([1000, 4000], [2048, 4096]);
  const mebibytes = (plan.memoryBytes + sharedBytes(props, engine)) / 1024 ** 2;
  const memory = Math.ceil(mebibytes / STEP_MEBIBYTES) * STEP_MEBIBYTES;
  return compute([1000, 4000], [memory, memory]);
}

/** What the rules look at. */
export interface InferenceCheck {
  readonly name: string;
  readonly props: GpuInferenceDeploymentProps;
  readonly engine: InferenceEngine;
  readonly plan: InferencePlan | undefined;
  readonly scaling: Scaling;
  readonly resources: ContainerResources;
}

/** Adds what is wrong with the props that only inference has. */
export function checkInference(problems: Problems, check: InferenceCheck): void {
  const { name, props, engine, plan, scaling, resources } = check;
  props.gpu._check(problems);
  props.model._check(problems, name, scaling.maxReplicas);
  engine.check(problems);
  problems
    .size('modelSize', props.modelSize)
    .size('loadBandwidth', props.loadBandwidth)
    .require(
      weights(props) !== undefined,
      'modelSize is needed where neither a description nor a download says how large the weights are',
    )
    .size('sharedMemory', props.sharedMemory)
    .dnsSubdomain('runtimeClass', props.runtimeClass);
  problems.integer('replicas', props.replicas, { min: 1, max: 1000 });
  if (!scaling.fixed) checkScaling(problems, scaling, resources);
  for (const [key, value] of Object.entries(props.nodeSelector ?? {})) {
    problems.labelValue(`nodeSelector['${key}']`, value);
  }
  checkKey(problems, props);
  checkPlan(problems, check);
  checkMemory(problems, check);
  if (plan === undefined) return;
  for (const problem of plan.problems) problems.require(false, problem);
}

function checkKey(problems: Problems, { apiKey }: GpuInferenceDeploymentProps): void {
  if (typeof apiKey !== 'string' || LateTokens.isToken(apiKey)) return;
  // The server takes a line that begins with # for a comment.
  const usable = /^[\x21-\x7e]{16,}$/.test(apiKey) && !apiKey.startsWith('#');
  problems.require(usable, "apiKey must be at least 16 printable characters without blanks, and not begin with '#'");
}

function checkPlan(problems: Problems, { props, engine }: InferenceCheck): void {
  const { gpu, description } = props;
  problems.require(
    gpu.count !== undefined || description !== undefined,
    'gpu: how many devices the model needs can only be said from its description',
  );
  if (gpu.count === undefined || (description !== undefined && gpu.accelerated)) return;
  const refused = engine.refuses(gpu._together(gpu.count), description);
  problems.require(refused === undefined, `gpu: ${refused ?? ''}`);
}

function checkMemory(problems: Problems, { props, engine, plan, resources }: InferenceCheck): void {
  const limit = resources.memory?.limit;
  if (limit === undefined) return;
  const memory = sizeBytes(limit);
  const shared = sharedBytes(props, engine);
  problems.require(
    !(shared >= memory),
    `sharedMemory (${shared} bytes) must be below resources.memory.limit (${memory})`,
  );
  if (plan !== undefined) {
    problems.require(
      !(plan.memoryBytes > memory),
      `resources.memory.limit (${gibibytes(memory)}) must hold ${gibibytes(plan.memoryBytes)} (${plan.arithmetic})`,
    );
    return;
  }
  const size = weights(props);
  if (props.gpu.accelerated || size === undefined) return;
  problems.require(
    !(sizeBytes(size) > memory),
    `modelSize (${sizeBytes(size)} bytes) must fit into resources.memory.limit (${memory}) where there is no GPU: else each token reads the disk`,
  );
}
