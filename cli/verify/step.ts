import type { Rehearsal } from '../../local/index';
import { siteOf } from '../cluster/site';
import { CliError } from '../exit';
import type { Step } from '../steps';
import { count, failures, lines } from './result';
import { findings } from './verify';

/** An autoscaler reads its first figure a minute after its pods are there, at worst two. */
const PATIENCE_MS = 180_000;

/** The smoke test as the last step of `up`. */
export const verifyStep = (stack: string, rehearsal?: Rehearsal): Step => ({
  title: `Verify ${stack}`,
  run: async ({ progress }) => {
    const found = await findings(await siteOf(stack, rehearsal), { waitMs: PATIENCE_MS, progress });
    const failed = failures(found);
    if (failed.length > 0) throw new CliError(`${stack} was deployed, but:\n${lines(failed).trimEnd()}`);
    return count(found);
  },
});
