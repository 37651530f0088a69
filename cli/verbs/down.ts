import * as fs from 'node:fs';
import {
  clusterDown,
  endOrphans,
  engineFiles,
  ownProcesses,
  rehearsalDown,
  rehearsalOf,
  rehearsalsDown,
  REHEARSED,
  removeSalts,
  resolveProgram,
  state,
  stateDir,
  stop,
  stopDocker,
  takeRunLock,
} from '../../local/index';
import { confirm } from '../ask';
import { CliError, EXIT } from '../exit';
import { duration, runSteps, type Step } from '../steps';

export interface DownOptions {
  readonly purge?: boolean;
  readonly yes?: boolean;
  /** Only the rehearsals, or the one of `stack`. @default false */
  readonly simulate?: boolean;
  /** Only with `simulate`. @default - all of them */
  readonly stack?: string;
  /** Minutes. */
  readonly wait: number;
}

/** Engines of killed runs first: they would start things anew while the cluster ends. */
const steps = (purge: boolean): readonly Step[] => [
  {
    title: 'Engines of killed runs',
    run: async ({ report }) => {
      const ended = await endOrphans(report);
      return ended === 0 ? 'none' : `${ended} ended`;
    },
  },
  {
    title: 'Rehearsals',
    run: async () => {
      const ended = await rehearsalsDown();
      return ended.length === 0 ? 'none ran' : `${ended.join(' and ')} ended`;
    },
  },
  { title: 'Cluster', run: ({ progress }) => clusterDown(progress, { purge, resolve: resolveProgram(progress) }) },
  {
    title: 'Private Docker engine',
    run: async () => ((await stopDocker()) ? 'ended' : 'did not run'),
  },
  {
    title: 'Other processes of this clone',
    run: async () => {
      const left = ownProcesses().filter(({ pid }) => pid !== process.pid && pid !== process.ppid);
      for (const record of left) await stop(record);
      return left.length === 0 ? 'none' : left.map(({ name, pid }) => `${name} (${pid})`).join(', ');
    },
  },
];

const purgeStep: Step = {
  title: 'Data of this clone',
  run: () => {
    removeSalts();
    // The lock is ours until the end, and is removed by its release.
    for (const entry of fs.readdirSync(stateDir))
      if (!entry.startsWith('up.lock')) fs.rmSync(state(entry), { recursive: true, force: true });
    return Promise.resolve('removed');
  },
};

/** One step for each rehearsal that is to end. */
const rehearsalSteps = (stack: string | undefined, purge: boolean): readonly Step[] =>
  REHEARSED.filter((environment) => stack === undefined || environment === stack).map((environment) => ({
    title: `Rehearsal of ${environment}`,
    run: async () => {
      const ran = await rehearsalDown(rehearsalOf(environment), { purge });
      return `${ran ? 'ended' : 'did not run'}${purge ? ', its data removed' : ''}`;
    },
  }));

/** What the clone still holds, with the command that removes it. */
function left(): string {
  const kept = [engineFiles.backend, state('cluster'), state('docker'), state('simulate')].filter((folder) =>
    fs.existsSync(folder),
  );
  return kept.length === 0
    ? 'Nothing of this clone is left on this machine but its files.\n'
    : `Nothing of this clone runs. Its data is kept in ${stateDir}: ./trellis up continues with it, ./trellis down --purge removes it.\n`;
}

export async function down(options: DownOptions): Promise<void> {
  const { stack, simulate = false } = options;
  const purge = options.purge === true;
  if (stack !== undefined && !simulate)
    throw new CliError(`down ends everything of this clone. For the rehearsal alone: add --simulate.`, EXIT.usage);
  // A rehearsal holds nothing that can't be made again.
  if (purge && !simulate) {
    await confirm(
      'This removes the databases, images, stack states and the passphrase of this clone for good. Go on?',
      options.yes,
    );
  }
  const started = Date.now();
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const lock = await takeRunLock({
    verb: simulate ? 'down --simulate' : 'down',
    waitMs: options.wait * 60_000,
    report: say,
  });
  try {
    await runSteps(simulate ? rehearsalSteps(stack, purge) : [...steps(purge), ...(purge ? [purgeStep] : [])]);
  } finally {
    lock.release();
  }
  process.stdout.write(`${simulate ? '' : left()}Done in ${duration(Date.now() - started)}.\n`);
}
