import { Duration, Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { GpuInferenceDeploymentProps } from './gpu-inference-deployment';
import { DEFAULT_SHARED_MEMORY, OWN_ARGS } from './gpu-server';
import { LateTokens } from './late';
import { sizeBytes } from './units';
import type { Problems } from './validation';

const DEFAULT_BANDWIDTH = Size.mebibytes(125);

/** Time to read the weights; nothing where the figures are no sizes, which the rules report. */
export function loadTime(props: GpuInferenceDeploymentProps): Duration | undefined {
  const seconds = sizeBytes(props.modelSize) / sizeBytes(props.loadBandwidth ?? DEFAULT_BANDWIDTH);
  return Number.isFinite(seconds) ? Duration.seconds(Math.ceil(seconds)) : undefined;
}

/** Adds what is wrong with the props that only inference has. */
export function checkInference(
  problems: Problems,
  props: GpuInferenceDeploymentProps,
  resources: ContainerResources,
): void {
  props.gpu._check(problems);
  props.model._check(problems);
  problems
    .size('modelSize', props.modelSize)
    .size('loadBandwidth', props.loadBandwidth)
    .integer('replicas', props.replicas, { min: 1, max: 100 })
    .integer('slots', props.slots, { min: 1, max: 256 })
    .integer('contextPerSlot', props.contextPerSlot, { min: 128, max: 1_048_576 })
    .size('sharedMemory', props.sharedMemory)
    .dnsSubdomain('runtimeClass', props.runtimeClass);
  for (const [key, value] of Object.entries(props.nodeSelector ?? {})) {
    problems.labelValue(`nodeSelector['${key}']`, value);
  }
  for (const origin of props.corsOrigins ?? []) {
    problems.require(
      /^https?:\/\/[a-z0-9.-]+(:[0-9]{1,5})?$/.test(origin),
      `corsOrigins: '${origin}' is not an origin such as https://chat.example.com`,
    );
  }
  for (const argument of props.extraArgs ?? []) {
    const [flag = ''] = argument.split('=');
    problems.require(!OWN_ARGS.has(flag), `extraArgs: ${flag} is set by the component, from its props`);
  }
  checkKey(problems, props);
  checkMemory(problems, props, resources);
}

function checkKey(problems: Problems, { apiKey }: GpuInferenceDeploymentProps): void {
  if (typeof apiKey !== 'string' || LateTokens.isToken(apiKey)) return;
  // The server takes a line that begins with # for a comment.
  const usable = /^[\x21-\x7e]{16,}$/.test(apiKey) && !apiKey.startsWith('#');
  problems.require(usable, "apiKey must be at least 16 printable characters without blanks, and not begin with '#'");
}

function checkMemory(problems: Problems, props: GpuInferenceDeploymentProps, resources: ContainerResources): void {
  const limit = resources.memory?.limit;
  if (limit === undefined) return;
  const memory = sizeBytes(limit);
  const shared = sizeBytes(props.sharedMemory ?? DEFAULT_SHARED_MEMORY);
  problems.require(
    !(shared >= memory),
    `sharedMemory (${shared} bytes) must be below resources.memory.limit (${memory})`,
  );
  if (props.gpu.accelerated) return;
  const model = sizeBytes(props.modelSize);
  problems.require(
    !(model > memory),
    `modelSize (${model} bytes) must fit into resources.memory.limit (${memory}) where there is no GPU: else each token reads the disk`,
  );
}
