import { sizeOf, type Archive } from '../backup/job';
import { JobRunner } from '../backup/run';
import { backupSources, theOne, type BackupSourceJobs } from '../backup/sources';
import { confirm } from '../ask';
import { connect } from '../cluster/client';
import { deploymentOf } from '../cluster/deployment';
import { table } from '../cluster/report';
import { CliError, EXIT } from '../exit';
import { runSteps } from '../steps';

export interface RestoreOptions {
  readonly stack: string;
  /** `latest`, or the name of an archive. */
  readonly from?: string;
  /** Only shows which archives there are. @default false */
  readonly list?: boolean;
  /** Deletes what is there first. @default false */
  readonly replace?: boolean;
  readonly yes?: boolean;
}

const LATEST = 'latest';

/** Refuses what is no archive's name before anything is started. */
export function checkFrom(from: string | undefined, name: string): string {
  if (from === undefined)
    throw new CliError(`Say which archive: --from latest, or one of ./trellis restore ${name} --list`, EXIT.usage);
  if (from === LATEST || /^[a-z0-9-]+-[0-9]{8}T[0-9]{6}Z$/.test(from)) return from;
  if (!Number.isNaN(Date.parse(from))) {
    throw new CliError(
      `'${from}' is a point in time, and these archives are of single moments: name one of ./trellis restore ${name} --list.\n` +
        '  Points in time need an archive of the write-ahead log: see docs/backups.md.',
      EXIT.usage,
    );
  }
  throw new CliError(
    `'${from}' is not the name of an archive: ./trellis restore ${name} --list shows them.`,
    EXIT.usage,
  );
}

const KINDS: Readonly<Record<string, string>> = {
  postgres: 'All of it happens in one transaction: it is as the archive has it, or as it was.',
  redis: 'Keys come back one after the other.',
  volume: 'Its pods run on; restart them if they hold files open.',
};

/** What a restore is about to do, for whoever has to say yes to it. */
export function warning({ namespace, name, backup }: BackupSourceJobs, from: string, replace: boolean): string {
  const env = backup.spec?.jobTemplate.spec?.template.spec?.containers[0]?.env ?? [];
  const kind = env.find((one) => one.name === 'BACKUP_KIND')?.value ?? '';
  const first = replace ? 'DELETES everything that is there now, and restores' : 'restores';
  return [
    `This ${first} ${from === LATEST ? 'the newest archive' : from} into ${namespace}/${name}.`,
    `  Nothing is scaled down: services keep running, and see the change at once. ${KINDS[kind] ?? ''}`,
    '  Go on?',
  ].join('\n');
}

const shown = (archives: readonly Archive[]): string =>
  archives.length === 0
    ? 'There is no archive yet: ./trellis backup makes one.\n'
    : table(archives.map(({ archive, bytes, sha256 }) => [archive, sizeOf(bytes), `sha256:${sha256}`]));

/** Brings one thing back from an archive, whose checksum is looked at first. */
export async function restore(asked: string, options: RestoreOptions): Promise<void> {
  const { stack, list = false, replace = false, yes } = options;
  const connection = await connect(stack);
  const deployment = await deploymentOf(stack);
  const source = theOne(await backupSources(connection, deployment?.namespaces ?? []), asked);
  const { namespace, name } = source;
  const runner = new JobRunner(connection, namespace);
  let archives: readonly Archive[] = [];
  if (list) {
    const run = async ({ progress }: { progress: (line: string) => void }): Promise<string> => {
      archives = await runner.run(source.backup, { task: 'list' }, progress);
      return String(archives.length);
    };
    await runSteps([{ title: `Archives of ${namespace}/${name}`, run }]);
    process.stdout.write(shown(archives));
    return;
  }
  const from = checkFrom(options.from, asked);
  await confirm(warning(source, from, replace), yes);
  const env = { RESTORE_ARCHIVE: from, RESTORE_REPLACE: String(replace) };
  await runSteps([
    {
      title: `Restore of ${namespace}/${name}`,
      run: async ({ progress }) => {
        archives = await runner.run(source.backup, { task: 'restore', env }, progress);
        return archives[0]?.archive ?? '';
      },
    },
  ]);
  process.stdout.write(shown(archives));
}
