import type * as Client from '@kubernetes/client-node';
import { BACKUP_OF_LABEL, BACKUP_ROLE_LABEL } from '../../components/backup-jobs';
import { unreachable, type Connection } from '../cluster/client';
import { CliError, EXIT } from '../exit';

const SYSTEM_LABEL = 'app.kubernetes.io/part-of';

/** Something that a stack backs up. */
export interface BackupSourceJobs {
  readonly namespace: string;
  /** Begin of the names of its archives; equal to `of`, save for one of several volumes. */
  readonly name: string;
  /** Component that it belongs to. */
  readonly of: string;
  readonly system: string;
  readonly backup: Client.V1CronJob;
  /** Nothing where there are no drills. */
  readonly drill: Client.V1CronJob | undefined;
}

const label = (cron: Client.V1CronJob, key: string): string => cron.metadata?.labels?.[key] ?? '';
const variable = (cron: Client.V1CronJob, name: string): string =>
  cron.spec?.jobTemplate.spec?.template.spec?.containers[0]?.env?.find((one) => one.name === name)?.value ?? '';

/** What a stack backs up, by the CronJobs in its namespaces. */
export function sourcesIn(crons: readonly Client.V1CronJob[]): readonly BackupSourceJobs[] {
  const named = (cron: Client.V1CronJob): string =>
    `${cron.metadata?.namespace ?? ''}/${variable(cron, 'BACKUP_NAME')}`;
  const drills = new Map(
    crons.filter((cron) => label(cron, BACKUP_ROLE_LABEL) === 'drill').map((cron) => [named(cron), cron]),
  );
  return crons
    .filter((cron) => label(cron, BACKUP_ROLE_LABEL) === 'backup')
    .map((backup) => ({
      namespace: backup.metadata?.namespace ?? '',
      name: variable(backup, 'BACKUP_NAME'),
      of: label(backup, BACKUP_OF_LABEL),
      system: label(backup, SYSTEM_LABEL),
      backup,
      drill: drills.get(named(backup)),
    }));
}

/** Whether somebody who types `asked` means this: a system, a component, one of its volumes, or `SYSTEM/COMPONENT`. */
const means = (asked: string, { namespace, name, of, system }: BackupSourceJobs): boolean => {
  const [first = '', second] = asked.split('/');
  if (second === undefined) return [system, namespace, name, of].includes(first);
  return [system, namespace].includes(first) && [name, of].includes(second);
};

/**
 * What is asked for by name.
 * @throws CliError for a name that means nothing, with those that there are
 */
export function chosen(all: readonly BackupSourceJobs[], asked: readonly string[]): readonly BackupSourceJobs[] {
  for (const one of asked) {
    if (all.some((source) => means(one, source))) continue;
    throw new CliError(`Nothing that is backed up is called '${one}'. There are: ${listed(all)}.`, EXIT.usage);
  }
  return asked.length === 0 ? all : all.filter((source) => asked.some((one) => means(one, source)));
}

/** The one thing that is meant. @throws CliError where it is none or several */
export function theOne(all: readonly BackupSourceJobs[], asked: string): BackupSourceJobs {
  const found = chosen(all, [asked]);
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  throw new CliError(`'${asked}' may mean any of: ${listed(found)}. Name one of them.`, EXIT.usage);
}

export const listed = (sources: readonly BackupSourceJobs[]): string =>
  sources.map(({ system, namespace, name }) => `${system || namespace}/${name}`).join(', ') || 'none';

/** Reads them from the cluster. */
export async function backupSources(
  { config, client, context }: Connection,
  namespaces: readonly string[],
): Promise<readonly BackupSourceJobs[]> {
  const batch = config.makeApiClient(client.BatchV1Api);
  const lists = await Promise.all(
    namespaces.map((namespace) => batch.listNamespacedCronJob({ namespace, labelSelector: BACKUP_ROLE_LABEL })),
  ).catch((error: unknown) => {
    throw unreachable(context, error);
  });
  return sourcesIn(lists.flatMap(({ items }) => items));
}
