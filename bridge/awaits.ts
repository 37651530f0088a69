import type * as pulumi from '@pulumi/pulumi';
import type { RenderedObject } from './render';

const SKIP = 'pulumi.com/skipAwait';

interface ServiceInputs extends pulumi.Inputs {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, unknown>> };
  readonly spec?: { readonly type?: unknown };
}

/**
 * The inputs of an object, told not to be waited for where the wait says nothing of its own: the endpoints of a Service inside the
 * cluster are its pods, which their workload waits for. On its own it would give up while their image is still being built.
 */
export function awaitInputs({ apiVersion, kind }: RenderedObject, inputs: pulumi.Inputs): pulumi.Inputs {
  if (apiVersion !== 'v1' || kind !== 'Service') return inputs;
  const { metadata = {}, spec = {} }: ServiceInputs = inputs;
  // A load balancer's address comes from elsewhere.
  if (spec.type === 'LoadBalancer') return inputs;
  return { ...inputs, metadata: { ...metadata, annotations: { [SKIP]: 'true', ...metadata.annotations } } };
}
