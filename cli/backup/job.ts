import type * as Client from '@kubernetes/client-node';

/** What a Job is to do, and the variables that say so. */
export interface JobTask {
  readonly task: 'backup' | 'drill' | 'list' | 'restore';
  /** @default - none */
  readonly env?: Readonly<Record<string, string>>;
}

const DATA = 'data';

/** A Job of a CronJob's template, for one task now. A restore is given the volume to write to, which a backup only reads. */
export function jobFrom(cron: Client.V1CronJob, { task, env = {} }: JobTask, now = Date.now()): Client.V1Job {
  const { metadata, spec } = cron.spec?.jobTemplate ?? {};
  const pod = spec?.template.spec;
  const [container, ...others] = pod?.containers ?? [];
  if (spec === undefined || pod === undefined || container === undefined)
    throw new TypeError('a CronJob has a container');
  const variables = Object.entries({ ...env, BACKUP_TASK: task });
  const kept = (container.env ?? []).filter(({ name }) => !variables.some(([own]) => own === name));
  const mounts = (container.volumeMounts ?? []).map(({ readOnly, ...mount }) =>
    (task === 'restore' && mount.name === DATA) || readOnly === undefined ? mount : { ...mount, readOnly },
  );
  const worker = {
    ...container,
    env: [...kept, ...variables.map(([name, value]) => ({ name, value }))],
    volumeMounts: mounts,
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${cron.metadata?.name ?? ''}-${Math.floor(now / 1000).toString(36)}`,
      labels: { ...metadata?.labels, 'trellis.dev/task': task },
      annotations: { 'cronjob.kubernetes.io/instantiate': 'manual' },
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          kind: 'CronJob',
          name: cron.metadata?.name ?? '',
          uid: cron.metadata?.uid ?? '',
          controller: true,
        },
      ],
    },
    // Whoever waits sees the first failure, and decides.
    spec: {
      ...spec,
      backoffLimit: 0,
      template: { ...spec.template, spec: { ...pod, containers: [worker, ...others] } },
    },
  };
}

/** An archive, as the image tells of it. */
export interface Archive {
  readonly archive: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The archives that a log tells of; the lines between them are for people. */
export function archivesIn(log: string): readonly Archive[] {
  return log.split('\n').flatMap((line): Archive[] => {
    if (!line.startsWith('{"archive":')) return [];
    try {
      return [JSON.parse(line) as Archive];
    } catch {
      // A line that was cut.
      return [];
    }
  });
}

/** How a Job ended; nothing while it runs. */
export function outcomeOf(job: Client.V1Job): 'complete' | 'failed' | undefined {
  const ended = (type: string): boolean =>
    job.status?.conditions?.some((one) => one.type === type && one.status === 'True') ?? false;
  if (ended('Complete')) return 'complete';
  return ended('Failed') ? 'failed' : undefined;
}

/** Why a Job's pod does not run yet, or did not at all: what its own container or the scheduler says. */
export function waitingFor(pod: Client.V1Pod | undefined): string {
  if (pod === undefined) return 'no pod yet';
  const [container] = pod.status?.containerStatuses ?? [];
  const { waiting, terminated } = container?.state ?? {};
  if (waiting?.reason !== undefined) return [waiting.reason, waiting.message].filter(Boolean).join(': ');
  if (terminated !== undefined) return `${terminated.reason ?? 'ended'}, exit code ${terminated.exitCode}`;
  const unmet = pod.status?.conditions?.find(({ status, message }) => status === 'False' && message !== undefined);
  return unmet?.message ?? pod.status?.phase ?? 'unknown';
}

/** Readable sizes: `7.4 KiB`. */
export function sizeOf(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return power === 0 ? `${bytes} B` : `${(bytes / 1024 ** power).toFixed(1)} ${units[power] ?? ''}`;
}
