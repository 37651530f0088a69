import { table } from '../cluster/report';
import { agreeToChange, siteOf } from '../cluster/site';
import { age } from '../cluster/stack-status';
import { CliError, EXIT } from '../exit';
import { rehearsalAsked } from '../rehearsal';
import { afterRollback } from '../rollout/drift';
import { imagesOf, revisionsOf, target, type Revision } from '../rollout/revisions';
import { putBack, rolloutStep } from '../rollout/steps';
import { fullName, workloadOf, type Workload } from '../rollout/workloads';
import { runSteps } from '../steps';

export interface RollbackOptions {
  readonly stack: string;
  /** Only show the revisions. @default false */
  readonly list?: boolean;
  readonly yes?: boolean;
  /** Of the rehearsal, not the environment. @default false */
  readonly simulate?: boolean;
}

/** The revisions of a workload, newest first. */
export function listed(workload: Workload, revisions: readonly Revision[], now = Date.now()): string {
  const rows = [...revisions]
    .reverse()
    .map(({ number, current, template, created, cause }) => [
      ...[current ? '→' : ' ', String(number), age(created, now), imagesOf(template), cause],
    ]);
  return `Revisions of ${workload.kind} ${fullName(workload)} (→ is the current one)\n${table(rows)}`;
}

/** A whole number of 1 and more. @throws CliError for anything else */
export function revisionNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new CliError(`A revision is a whole number, as --list shows them; got '${text}'.`, EXIT.usage);
}

/** Gives a workload the template of an earlier revision, and waits until its pods have it. */
export async function rollback(name: string, revision: string | undefined, options: RollbackOptions): Promise<void> {
  const number = revisionNumber(revision);
  const site = await siteOf(options.stack, rehearsalAsked(options.stack, options.simulate));
  const workload = await workloadOf(site, name);
  const revisions = await revisionsOf(site, workload);
  if (options.list === true) {
    process.stdout.write(listed(workload, revisions));
    return;
  }
  const to = target(workload, revisions, number);
  const what = `${workload.kind} ${fullName(workload)}`;
  if (workload.live.spec?.paused === true) throw new CliError(`${what} is paused: kubectl rollout resume it first.`);
  await agreeToChange(site, `${what} goes back to revision ${to.number}`, options.yes);
  const title = `Roll back to revision ${to.number}:`;
  await runSteps([rolloutStep(site, workload, title, () => putBack(site, workload, to))]);
  const from = revisions.find(({ current }) => current);
  process.stdout.write(`\n${afterRollback(site, workload, from, to)}`);
}
