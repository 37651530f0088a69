import type * as pulumi from '@pulumi/pulumi';
import type { RenderedObject } from './render';

const SKIP = 'pulumi.com/skipAwait';

/** What operators say once the Secret is there: without it, silence would count as ready, and pods would start before their Secret. */
const SECRET_MADE: Readonly<Record<string, string>> = {
  'external-secrets.io/v1/ExternalSecret': 'condition=Ready',
  'bitnami.com/v1alpha1/SealedSecret': 'condition=Synced',
};
/** Seconds until a missing operator or store is an error; one that is there answers within a few. */
const SECRET_SECONDS = '180';

interface KnownInputs extends pulumi.Inputs {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, unknown>> };
  readonly spec?: { readonly type?: unknown };
}

/**
 * The inputs of an object, told what to wait for where the engine can't know it, and not to wait where the wait says nothing of its own:
 * the endpoints of a Service inside the cluster are its pods, which their workload waits for. On its own it would give up while their
 * image is still being built.
 */
export function awaitInputs({ apiVersion, kind }: RenderedObject, inputs: pulumi.Inputs): pulumi.Inputs {
  const { metadata = {}, spec = {} }: KnownInputs = inputs;
  const annotated = (annotations: Readonly<Record<string, string>>): pulumi.Inputs => ({
    ...inputs,
    metadata: { ...metadata, annotations: { ...annotations, ...metadata.annotations } },
  });
  const made = SECRET_MADE[`${apiVersion}/${kind}`];
  if (made !== undefined) return annotated({ 'pulumi.com/waitFor': made, 'pulumi.com/timeoutSeconds': SECRET_SECONDS });
  if (apiVersion !== 'v1' || kind !== 'Service') return inputs;
  // A load balancer's address comes from elsewhere.
  if (spec.type === 'LoadBalancer') return inputs;
  return annotated({ [SKIP]: 'true' });
}
