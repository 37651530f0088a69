import { setTimeout as sleep } from 'node:timers/promises';
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

/** Attempts to read the state, and the time between two. */
const [ATTEMPTS, PAUSE_MS] = [20, 100];

/**
 * The outputs of the last deployment: what a StackReference asks, without its place in the state. On a back end of files the engine writes the
 * state of this one meanwhile, in place: whoever reads at that moment finds a file that is cut off, and a whole one a moment later.
 */
async function stackOutputs(name: string): Promise<StackOutputs> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await pulumi.runtime.invoke('pulumi:pulumi:readStackOutputs', { name })) as StackOutputs;
    } catch (error) {
      if (attempt === ATTEMPTS || !String(error).includes('failed to load checkpoint')) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** What the last deployment that ended well left among the stack's outputs. */
async function lastRotations(): Promise<Rotations | undefined> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { outputs = {} } = await stackOutputs(name);
  return Object.keys(outputs).length === 0 ? undefined : (outputs.rotation ?? {});
}
