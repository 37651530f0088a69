import { agreeToChange, siteOf } from '../cluster/site';
import { CliError, EXIT } from '../exit';
import { rehearsalAsked } from '../rehearsal';
import { afterScale } from '../rollout/drift';
import { carryOut, scalePlan, sceneOf } from '../rollout/scale';
import { rolloutStep } from '../rollout/steps';
import { fullName, workloadOf, type Workload } from '../rollout/workloads';
import { runSteps } from '../steps';

export interface ScaleOptions {
  readonly stack: string;
  readonly yes?: boolean;
  /** Of the rehearsal, not the environment. @default false */
  readonly simulate?: boolean;
}

/** A whole number of 0 and more. @throws CliError for anything else */
export function podCount(text: string): number {
  if (/^(0|[1-9]\d{0,3})$/.test(text)) return Number(text);
  throw new CliError(`The number of pods is a whole number from 0 to 9999, got '${text}'.`, EXIT.usage);
}

/** Gives a workload so many pods for the time being, and says who else decides on the number. */
export async function scale(name: string, count: string, options: ScaleOptions): Promise<void> {
  const pods = podCount(count);
  const site = await siteOf(options.stack, rehearsalAsked(options.stack, options.simulate));
  const workload = await workloadOf(site, name);
  const plan = scalePlan(await sceneOf(site, workload), pods);
  await agreeToChange(site, `${workload.kind} ${fullName(workload)} gets ${pods} pods`, options.yes);
  const change = async (): Promise<object> => {
    await carryOut(site, plan);
    return { ...(await site.access.get<Workload['live']>(workload.path)), kind: workload.kind };
  };
  await runSteps([rolloutStep(site, workload, `${pods} pods for`, change)]);
  process.stdout.write(`\n${afterScale(site, workload, plan.what, pods)}`);
}
