import { stackFlags, type Site } from '../cluster/site';
import { changes, shortImage, type Revision } from './revisions';
import { fullName, type Workload } from './workloads';

const REFRESH = 'up --refresh';

/** `trellis:noodleCore.runtime.source in Pulumi.dev.yaml`. */
export const keyInFile = (key: string, stack: string): string => `trellis:${key} in Pulumi.${stack}.yaml`;

const setKey = (key: string, value: string, stack: string): string =>
  `  pulumi config set --path trellis:${key} ${value} -s ${stack}`;

/** The command that undoes what was changed beside the definition. */
export const undo = (site: Pick<Site, 'stack' | 'rehearsal'>): string => `./trellis ${REFRESH}${stackFlags(site)}`;

/** What Pulumi doesn't know after a roll-back, and how it lasts. */
export function afterRollback(site: Site, workload: Workload, from: Revision | undefined, to: Revision): string {
  const { stack } = site;
  const [image] = to.template.spec?.containers ?? [];
  const head = `${workload.kind} ${fullName(workload)} has the template of revision ${to.number} again: ${shortImage(image?.image)}`;
  const difference = from === undefined ? '' : changes(from.template, to.template);
  const lines = [
    head,
    `Pulumi's state still has the template that was undone. ./trellis up${stackFlags(site)} rolls that one out again once it has something to`,
    `change there, as it has after a failed update; ${undo(site)} does so at once.`,
  ];
  const ofImage = from === undefined || difference.split('; ').includes('image');
  const { keys } = workload;
  if (ofImage && keys !== undefined)
    lines.push(
      `To make it last: ${keyInFile(keys.source, stack)}`,
      setKey(keys.source, `image:${image?.image ?? ''}`, stack),
    );
  else lines.push(`To make it last, undo in the definition what differs: ${difference}.`);
  return `${lines.join('\n')}\n`;
}

/** Who else decides on the number of pods that was set, and how it lasts. */
export function afterScale(site: Site, workload: Workload, what: string, value: number): string {
  const { stack } = site;
  const { keys } = workload;
  const lines = [what, `It lasts until ${undo(site)}, or an update that changes the same object, puts it back.`];
  if (keys !== undefined && value > 0)
    lines.push(`To make it last: ${keyInFile(keys.replicas, stack)}`, setKey(keys.replicas, String(value), stack));
  return `${lines.join('\n')}\n`;
}
