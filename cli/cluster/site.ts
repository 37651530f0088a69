import { ClusterAccess, contextOf, isLocalStack, livingRun, type Rehearsal } from '../../local/index';
import { confirm } from '../ask';
import { CliError } from '../exit';
import { kubeconfigOf } from './client';
import { deploymentOf, type Deployment } from './deployment';

/** The cluster of one stack, and what of it is the stack's. */
export interface Site {
  readonly stack: string;
  /** Nothing where the environment itself is meant. */
  readonly rehearsal: Rehearsal | undefined;
  readonly access: ClusterAccess;
  readonly deployment: Deployment;
}

/**
 * The cluster that a stack's configuration names, never the kubeconfig's current one.
 *
 * @throws CliError where no kubeconfig has it, or where the stack was never deployed
 */
export async function siteOf(stack: string, rehearsal?: Rehearsal): Promise<Site> {
  const access = new ClusterAccess(await kubeconfigOf(stack, rehearsal), contextOf(stack));
  const deployment = await deploymentOf(stack, rehearsal);
  const simulate = rehearsal === undefined ? '' : ' --simulate';
  if (deployment === undefined)
    throw new CliError(`Stack ${stack} was never deployed from here: ./trellis up -s ${stack}${simulate}`);
  return { stack, rehearsal, access, deployment };
}

/** What a user adds to a command for the same stack: ` -s prod --simulate`. */
export const stackFlags = ({ stack, rehearsal }: Pick<Site, 'stack' | 'rehearsal'>): string =>
  `${stack === 'dev' ? '' : ` -s ${stack}`}${rehearsal === undefined ? '' : ' --simulate'}`;

/** Asks before a cluster that isn't this machine's is changed, and says where another run of this clone is at work. */
export async function agreeToChange(
  { stack, rehearsal }: Pick<Site, 'stack' | 'rehearsal'>,
  what: string,
  yes: boolean | undefined,
): Promise<void> {
  const holder = livingRun();
  if (holder !== undefined)
    process.stderr.write(`'./trellis ${holder.verb}' runs since ${holder.since}: it may change the same objects.\n`);
  if (rehearsal !== undefined || isLocalStack(stack, process.env)) return;
  await confirm(`${what} on the cluster of your kubeconfig context '${contextOf(stack)}'. Go on?`, yes);
}
