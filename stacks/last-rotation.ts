import * as pulumi from '@pulumi/pulumi';
import type { Rotations } from './rotation';
import { rotationProblems } from './rotation';
import { ConfigurationError } from './validate';

/**
 * Refuses a step for which the deployment before it is missing.
 * @throws ConfigurationError before any resource is made
 */
export async function checkRotations(now: Rotations): Promise<void> {
  const problems = rotationProblems(await lastRotations(), now);
  if (problems.length > 0) throw new ConfigurationError(`Pulumi.${pulumi.getStack()}.yaml`, problems);
}

interface StackOutputs {
  readonly outputs?: { readonly rotation?: Rotations };
}

/** What the last deployment that ended well left among the stack's outputs. */
async function lastRotations(): Promise<Rotations | undefined> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  // What a StackReference asks, without its place in the state.
  const { outputs = {} } = (await pulumi.runtime.invoke('pulumi:pulumi:readStackOutputs', { name })) as StackOutputs;
  return Object.keys(outputs).length === 0 ? undefined : (outputs.rotation ?? {});
}
