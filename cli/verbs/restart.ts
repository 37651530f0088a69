import { agreeToChange, siteOf } from '../cluster/site';
import { rehearsalAsked } from '../rehearsal';
import { restart as replacePods, rolloutStep } from '../rollout/steps';
import { fullName, workloadOf } from '../rollout/workloads';
import { runSteps } from '../steps';

export interface RestartOptions {
  readonly stack: string;
  readonly yes?: boolean;
  /** Of the rehearsal, not the environment. @default false */
  readonly simulate?: boolean;
}

/** Replaces every pod of a workload, one after the other, and waits for the last. */
export async function restart(name: string, options: RestartOptions): Promise<void> {
  const site = await siteOf(options.stack, rehearsalAsked(options.stack, options.simulate));
  const workload = await workloadOf(site, name);
  await agreeToChange(site, `Every pod of ${workload.kind} ${fullName(workload)} is replaced`, options.yes);
  await runSteps([rolloutStep(site, workload, 'Restart', () => replacePods(site, workload))]);
}
