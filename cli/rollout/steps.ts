import type { V1Pod } from '@kubernetes/client-node';
import type { Site } from '../cluster/site';
import type { Step } from '../steps';
import type { Revision } from './revisions';
import { RESTARTED_AT } from './revisions';
import { BESIDE, BY_HAND, fullName, type Workload } from './workloads';

const CAUSE_PATH = '/metadata/annotations/kubernetes.io~1change-cause';
const REVISION_LABEL = 'controller-revision-hash';

/** A template is put back as a whole, as `kubectl rollout undo` does, with a note of why. */
export async function putBack({ access }: Site, workload: Workload, { template, number }: Revision): Promise<object> {
  const body = [
    ...(workload.live.metadata?.annotations === undefined
      ? [{ op: 'add', path: '/metadata/annotations', value: {} }]
      : []),
    { op: 'add', path: CAUSE_PATH, value: `rolled back to revision ${number}` },
    { op: 'replace', path: '/spec/template', value: template },
  ];
  return access.patch<object>({ path: workload.path, body, type: 'json', manager: BY_HAND });
}

/** Each pod is replaced, one after the other; the template is the same but for the time. */
export const restart = ({ access }: Site, { path }: Workload, now = new Date()): Promise<object> => {
  const annotations = { [RESTARTED_AT]: now.toISOString() };
  // Under a name of its own: an update that takes edits by hand back would replace every pod once more.
  return access.patch<object>({ path, body: { spec: { template: { metadata: { annotations } } } }, manager: BESIDE });
};

/**
 * Ends pods of a StatefulSet that are not Ready and have another template than the one that was put back: its controller waits for
 * them to become Ready before it replaces them, which a broken template never lets them.
 */
async function endBroken({ access }: Site, workload: Workload): Promise<number> {
  const { namespace, path, live } = workload;
  const { status } = await access.get<Workload['live']>(path);
  const labels = Object.entries(live.spec?.selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const all = await access.list<V1Pod>(`${pods}?labelSelector=${encodeURIComponent(labels.join(','))}`);
  const broken = all.filter(({ metadata, status: of }) => {
    const ready = of?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false;
    const leaving = metadata?.deletionTimestamp !== undefined;
    return !ready && !leaving && metadata?.labels?.[REVISION_LABEL] !== status?.updateRevision;
  });
  for (const { metadata } of broken) await access.remove(`${pods}/${metadata?.name ?? ''}`, metadata?.uid ?? '');
  return broken.length;
}

/** The StatefulSet's controller has to know the change before its pods can be judged. */
async function observed({ access }: Site, workload: Workload, live: object): Promise<void> {
  const generation = (live as Workload['live']).metadata?.generation ?? 0;
  for (let look = 0; look < 50; look++) {
    const { status } = await access.get<Workload['live']>(workload.path);
    if ((status?.observedGeneration ?? 0) >= generation) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Changes a workload and waits until its pods have what it was given, with progress. */
export const rolloutStep = (site: Site, workload: Workload, title: string, change: () => Promise<object>): Step => ({
  title: `${title} ${fullName(workload)}`,
  run: async ({ report, progress }) => {
    const live = await change();
    if (workload.kind === 'StatefulSet') {
      await observed(site, workload, live);
      const ended = await endBroken(site, workload);
      if (ended > 0) report(`${ended} pods that were not Ready are ended: the controller would wait for them`);
    }
    await site.access.rolledOut(live, { progress });
    const { status } = await site.access.get<Workload['live']>(workload.path);
    return `${status?.readyReplicas ?? 0} pods Ready`;
  },
});
