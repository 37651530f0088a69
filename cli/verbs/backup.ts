import { sizeOf, type Archive } from '../backup/job';
import { JobRunner } from '../backup/run';
import { backupSources, chosen, type BackupSourceJobs } from '../backup/sources';
import { connect, type Connection } from '../cluster/client';
import { deploymentOf } from '../cluster/deployment';
import { table } from '../cluster/report';
import { CliError, EXIT, messageOf } from '../exit';
import { runSteps, type Step } from '../steps';

export interface BackupVerbOptions {
  readonly stack: string;
  /** Also restores the new archive for practice. @default false */
  readonly drill?: boolean;
}

interface Made extends Archive {
  readonly source: BackupSourceJobs;
  readonly proved: boolean;
}

/** One of several that fail is told of at the end: the others are wanted all the same. */
function step(
  connection: Connection,
  source: BackupSourceJobs,
  drill: boolean,
  made: Made[],
  failures: string[],
): Step {
  const { namespace, name } = source;
  return {
    title: `Backup of ${namespace}/${name}`,
    run: async ({ progress }) => {
      try {
        const runner = new JobRunner(connection, namespace);
        const [archive] = await runner.run(source.backup, { task: 'backup' }, progress);
        if (archive === undefined) throw new CliError(`The backup of ${namespace}/${name} names no archive.`);
        const proved = drill && source.drill !== undefined;
        made.push({ ...archive, source, proved: false });
        if (!proved || source.drill === undefined) return archive.archive;
        await runner.run(source.drill, { task: 'drill' }, progress);
        made.splice(-1, 1, { ...archive, source, proved: true });
        return `${archive.archive}, and restored for practice`;
      } catch (error) {
        failures.push(messageOf(error));
        return { text: 'failed', failed: true };
      }
    },
  };
}

/** Backs up what is named now, or all that the stack backs up. */
export async function backup(names: readonly string[], { stack, drill = false }: BackupVerbOptions): Promise<void> {
  const connection = await connect(stack);
  const deployment = await deploymentOf(stack);
  const sources = chosen(await backupSources(connection, deployment?.namespaces ?? []), names);
  if (sources.length === 0)
    throw new CliError(`Stack ${stack} backs nothing up; was it deployed? (./trellis up -s ${stack})`);
  const without = sources.filter((source) => source.drill === undefined);
  if (drill && without.length > 0) {
    throw new CliError(
      `There are no drills of ${without.map(({ name }) => name).join(', ')}: set drillSchedule.`,
      EXIT.usage,
    );
  }
  const [made, failures]: [Made[], string[]] = [[], []];
  await runSteps(sources.map((source) => step(connection, source, drill, made, failures)));
  process.stdout.write(
    table(
      made.map(({ source, archive, bytes, sha256, proved }) => [
        `${source.namespace}/${source.name}`,
        ...[archive, sizeOf(bytes), `sha256:${sha256}`, proved ? 'proved' : ''],
      ]),
    ),
  );
  if (failures.length > 0) throw new CliError(failures.join('\n'));
}
