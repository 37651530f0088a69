import {
  prepareRehearsal,
  rehearsalOf,
  rehearsalStatus,
  rehearsalSteps,
  REHEARSED,
  rehearse,
  resolveProgram,
  type Rehearsal,
  type RehearsalEngine,
  type ToolName,
} from '../local/index';
import { report as statusReport, table } from './cluster/report';
import { stackStatus } from './cluster/stack-status';
import { CliError, EXIT } from './exit';
import { dockerStep, Made, packagesStep, partsOf, preflightStep, toolsStep } from './machine-steps';
import { setInCopy } from './override';
import type { Setting } from './setting';
import type { Step } from './steps';
import { verifyStep } from './verify/step';

/** What a simulated cluster is made of, the engine included. */
export const REHEARSAL_TOOLS: readonly ToolName[] = [
  'pulumi',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwok',
];

/** Stands wherever something looks as if it ran. */
export const NOTICE = 'Simulated: nodes, pods, volumes and addresses are made up by kwok; no container runs.';

/**
 * The rehearsal that a command is about.
 *
 * @returns undefined where `--simulate` was not asked for
 * @throws CliError for an environment that needs none, and on a machine that can't
 */
export function rehearsalAsked(stack: string, simulate: boolean | undefined): Rehearsal | undefined {
  if (simulate !== true) return undefined;
  const environment = REHEARSED.find((each) => each === stack);
  if (environment === undefined) {
    throw new CliError(
      `--simulate is for ${REHEARSED.join(' and ')}: ${stack} runs on this machine with real pods.`,
      EXIT.usage,
    );
  }
  if (process.platform !== 'linux')
    throw new CliError(`A rehearsal needs Linux, and this is ${process.platform}.`, EXIT.machine);
  return rehearsalOf(environment);
}

/** A rehearsal's simulated cluster. */
export const rehearsalPart = (rehearsal: Rehearsal): readonly Step[] =>
  partsOf('Simulated cluster', rehearsalSteps(rehearsal, resolveProgram()));

const engineStep = (rehearsal: Rehearsal, made: Made<RehearsalEngine>, set: readonly Setting[]): Step => ({
  title: 'Engine',
  run: async ({ report }) => {
    made.set(await prepareRehearsal(rehearsal, report));
    setInCopy(rehearsal.configFile, set);
    return 'back end of the rehearsal; the one of the environment is not touched';
  },
});

const updateStep = (rehearsal: Rehearsal, refresh: boolean, made: Made<RehearsalEngine>): Step => ({
  title: `Rehearse ${rehearsal.environment}`,
  run: async ({ report, progress }) => {
    const { summary } = await rehearse({ rehearsal, engine: made.value, refresh, report, onProgress: progress });
    return summary;
  },
});

const readyStep = (rehearsal: Rehearsal): Step => ({
  title: 'Every simulated pod Ready',
  run: async ({ progress }) => {
    const stack = rehearsal.environment;
    const found = await stackStatus({ stack, rehearsal, waitMs: 60_000, progress });
    if (!found.ready) throw new CliError(`Not everything of ${stack} is Ready:\n${statusReport(found)}`);
    return `${found.pods.length} pods on ${found.nodes.length} nodes`;
  },
});

/** Everything from the bare machine to an environment that its simulated cluster took as a whole. */
export function rehearsalUp(rehearsal: Rehearsal, refresh: boolean, set: readonly Setting[] = []): readonly Step[] {
  const made = new Made<RehearsalEngine>();
  return [
    preflightStep(false),
    packagesStep,
    toolsStep(REHEARSAL_TOOLS),
    ...rehearsalPart(rehearsal),
    dockerStep,
    engineStep(rehearsal, made, set),
    updateStep(rehearsal, refresh, made),
    readyStep(rehearsal),
    verifyStep(rehearsal.environment, rehearsal),
  ];
}

/** What was shown, and what to type next. */
export function rehearsalEnd({ environment, kubeconfig }: Rehearsal): string {
  const next = [
    [`./trellis status -s ${environment} --simulate`, 'what it consists of'],
    [`./trellis preview -s ${environment} --simulate`, 'what a change would do'],
    [`./trellis down -s ${environment} --simulate`, 'ends it; its state stays'],
  ].map(([command = '', meaning = '']) => `  ${command.padEnd(42)}${meaning}`);
  return `\n${[NOTICE, '', `Kubeconfig  ${kubeconfig}`, '', 'Next', ...next].join('\n')}\n`;
}

/** Prints a rehearsal's programs and its stack. @returns whether all is Ready */
export async function rehearsalReport(rehearsal: Rehearsal): Promise<boolean> {
  const { state, programs } = await rehearsalStatus(rehearsal);
  const rows = programs.map(({ name, pid, memory }) => [
    pid === undefined ? '✖' : '✔',
    name,
    pid === undefined ? 'does not run' : `process ${pid}`,
    memory === undefined ? '' : `${memory} MiB`,
  ]);
  const { environment: stack } = rehearsal;
  process.stdout.write(
    `${NOTICE}\n\nSimulated cluster of ${stack}: ${state}\n${state === 'absent' ? '' : table(rows)}\n`,
  );
  if (state !== 'running') {
    process.stdout.write(`To bring it up: ./trellis up -s ${stack} --simulate\n`);
    return false;
  }
  const found = await stackStatus({ stack, rehearsal });
  process.stdout.write(statusReport(found));
  return found.ready;
}
