import type * as Client from '@kubernetes/client-node';
import {
  contextOf,
  contextsIn,
  engineEnv,
  kubernetesClient,
  type KubernetesClient,
  type Rehearsal,
} from '../../local/index';
import { CliError } from '../exit';

export interface Connection {
  readonly config: Client.KubeConfig;
  readonly client: KubernetesClient;
  readonly context: string;
}

/**
 * The kubeconfig that has the context of a stack, or of its rehearsal.
 *
 * @throws CliError where none has it
 */
export async function kubeconfigOf(stack: string, rehearsal?: Rehearsal): Promise<string> {
  const context = contextOf(stack);
  const files = rehearsal === undefined ? ((await engineEnv()).KUBECONFIG ?? '').split(':') : [rehearsal.kubeconfig];
  const file = files.find((each) => contextsIn(each).includes(context));
  if (file !== undefined) return file;
  throw new CliError(`No kubeconfig has the context '${context}' of stack ${stack}; is the cluster up? (./trellis up)`);
}

/**
 * Talks to the cluster that a stack's configuration names, or to the simulated one that stands in for it in a rehearsal, and
 * to no other.
 *
 * @throws CliError where no kubeconfig has it
 */
export async function connect(stack: string, rehearsal?: Rehearsal): Promise<Connection> {
  const context = contextOf(stack);
  const file = await kubeconfigOf(stack, rehearsal);
  const client = await kubernetesClient();
  const config = new client.KubeConfig();
  config.loadFromFile(file);
  config.setCurrentContext(context);
  return { config, client, context };
}

/** What a cluster that doesn't answer, or refuses, comes to in words. */
export function unreachable(context: string, error: unknown): CliError {
  const { code, message } = error as { code?: unknown; message?: string };
  const why = typeof code === 'number' ? `status ${code}` : (message ?? String(error)).split('\n')[0];
  return new CliError(`The cluster of context '${context}' does not answer: ${why}`);
}
