import type { V1Job, V2HorizontalPodAutoscaler } from '@kubernetes/client-node';
import type { StackStatus } from '../cluster/stack-status';
import type { Finding } from './result';

interface Conditioned {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

const named = (object: { metadata?: { namespace?: string; name?: string } }): string =>
  `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;

const condition = (list: readonly Conditioned[] | undefined, type: string): Conditioned | undefined =>
  (list ?? []).find((each) => each.type === type);

/** Pods and what makes them, as one line. */
export function podsFinding({ pods, short, ready }: StackStatus): Finding {
  const unready = pods
    .filter((pod) => !pod.ready)
    .map(({ namespace, name, state }) => `${namespace}/${name} (${state})`);
  const wrong = [...short, ...unready];
  if (ready) return { title: 'pods', ok: true, detail: `all ${pods.length} Ready` };
  const why = pods.length === 0 ? 'there are none' : wrong.join(', ') || 'no node is Ready';
  return { title: 'pods', ok: false, detail: why };
}

/** An autoscaler that reads no figure never scales, and nothing else shows it. */
export function scalerFinding(scaler: V2HorizontalPodAutoscaler): Finding {
  const title = `autoscaler ${named(scaler)}`;
  const active = condition(scaler.status?.conditions, 'ScalingActive');
  if (active?.status === 'True') {
    const [metric] = scaler.status?.currentMetrics ?? [];
    const value = metric?.resource?.current.averageUtilization;
    return {
      title,
      ok: true,
      detail: value === undefined ? 'reads its metric' : `reads ${metric?.resource?.name ?? ''} ${value} %`,
    };
  }
  if (active?.reason === 'ScalingDisabled')
    return { title, ok: true, skipped: true, detail: 'rests: its workload was scaled to 0' };
  const why = active === undefined ? 'has not looked yet' : `${active.reason ?? ''}: ${active.message ?? ''}`;
  return { title, ok: false, detail: `reads no metric: ${why}` };
}

/** When a Job began that has ended, well or not; undefined for one that runs. */
function beganAndEnded({ metadata, status }: V1Job): string | undefined {
  const ended = ['Complete', 'Failed'].some((type) => condition(status?.conditions, type)?.status === 'True');
  // What came over the wire is text, whatever the type says.
  return ended ? String(metadata?.creationTimestamp) : undefined;
}

const hasFailed = ({ status }: V1Job): boolean => condition(status?.conditions, 'Failed')?.status === 'True';

/** Whether somebody started it by a command, which told them how it ended. */
const byHand = ({ metadata }: V1Job): boolean =>
  metadata?.annotations?.['cronjob.kubernetes.io/instantiate'] === 'manual';

/** Failed Jobs; of a CronJob only its last run that has ended counts, and of those made by hand only what ended well. */
export function jobsFinding(jobs: readonly V1Job[]): Finding {
  const ended = jobs
    .filter((job) => !(byHand(job) && hasFailed(job)))
    .flatMap((job) => {
      const began = beganAndEnded(job);
      return began === undefined ? [] : [{ job, began }];
    })
    .sort((a, b) => b.began.localeCompare(a.began));
  const last = new Map<string, V1Job>();
  for (const { job } of ended) {
    const cron = job.metadata?.ownerReferences?.find(({ kind }) => kind === 'CronJob');
    const key = cron === undefined ? named(job) : `${job.metadata?.namespace ?? ''}/${cron.uid}`;
    if (!last.has(key)) last.set(key, job);
  }
  const failed = [...last.values()].flatMap((job) => {
    const reason = condition(job.status?.conditions, 'Failed')?.reason ?? 'failed';
    return hasFailed(job) ? [`${named(job)} (${reason})`] : [];
  });
  if (failed.length > 0) return { title: 'jobs', ok: false, detail: `failed: ${failed.join(', ')}` };
  return { title: 'jobs', ok: true, detail: last.size === 0 ? 'none has run' : `${last.size} ended well` };
}
