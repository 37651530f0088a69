import { contextOf, isLocalStack, takeRunLock, type HeldLock, type PreparedEngine } from '../../local/index';
import { confirm } from '../ask';
import { CliError, EXIT } from '../exit';
import {
  clusterPart,
  dockerStep,
  engineStep,
  Made,
  packagesStep,
  preflightStep,
  toolsStep,
  unableToRunCluster,
} from '../machine-steps';
import { overrideNote } from '../override';
import { rehearsalAsked, rehearsalEnd, rehearsalUp } from '../rehearsal';
import type { Setting } from '../setting';
import { runSteps, type Step } from '../steps';
import { updateStack } from '../update';
import { addresses } from '../cluster/addresses';
import { report as statusReport } from '../cluster/report';
import { stackFlags } from '../cluster/site';
import { stackStatus } from '../cluster/stack-status';
import { verifyStep } from '../verify/step';

export interface UpOptions {
  readonly stack: string;
  readonly yes?: boolean;
  /** Look for changes made by hand, and undo them. @default false */
  readonly refresh?: boolean;
  /** Against a simulated cluster of this machine, not the environment's own. @default false */
  readonly simulate?: boolean;
  /** Keys of the configuration that have another value this time. @default - none */
  readonly set?: readonly Setting[];
  /** Minutes. */
  readonly wait: number;
}

const updateStep = ({ stack, refresh = false, set = [] }: UpOptions, engine: Made<PreparedEngine>): Step => ({
  title: `Deploy ${stack}`,
  run: (ui) => updateStack({ stack, engine: engine.value, refresh, set }, ui),
});

const readyStep = (stack: string): Step => ({
  title: 'Every pod Ready',
  run: async ({ progress }) => {
    const found = await stackStatus({ stack, waitMs: 120_000, progress });
    if (!found.ready) throw new CliError(`Not everything of ${stack} is Ready:\n${statusReport(found)}`);
    return `${found.pods.length} pods`;
  },
});

/** Everything from the bare machine to Ready pods. What is there already is only looked at. */
export function bringUp(options: UpOptions, engine = new Made<PreparedEngine>()): readonly Step[] {
  const { stack } = options;
  const local = isLocalStack(stack, process.env);
  return [
    preflightStep(local),
    ...(local ? [packagesStep, toolsStep(), ...clusterPart()] : [toolsStep(['pulumi'])]),
    dockerStep,
    engineStep(engine),
    updateStep(options, engine),
    readyStep(stack),
    verifyStep(stack),
  ];
}

/** Says where a stack goes that isn't this machine's, and asks. */
async function agree({ stack, yes }: UpOptions): Promise<void> {
  if (!isLocalStack(stack, process.env))
    return confirm(`Stack ${stack} goes to the cluster of your kubeconfig context '${contextOf(stack)}'. Go on?`, yes);
  const reason = unableToRunCluster();
  if (reason === undefined) return;
  throw new CliError(
    `${reason}.\n  To mend it: ${process.platform === 'linux' ? 'sudo ./trellis up' : `make a cluster (kind create cluster) and name its kubeconfig context in Pulumi.${stack}.yaml`}`,
    EXIT.machine,
  );
}

export async function up(options: UpOptions): Promise<void> {
  const { stack, refresh = false, simulate = false, set = [], wait } = options;
  const rehearsal = rehearsalAsked(stack, simulate);
  if (rehearsal === undefined) await agree(options);
  let lock: HeldLock | undefined;
  const lockStep: Step = {
    title: 'Lock of this clone',
    run: async ({ report }) => {
      const verb = `up -s ${stack}${simulate ? ' --simulate' : ''}`;
      lock = await takeRunLock({ verb, waitMs: wait * 60_000, report });
      const { former } = lock;
      return former === undefined ? undefined : `taken over: './trellis ${former.verb}' of ${former.since} was killed`;
    },
  };
  try {
    await runSteps([lockStep, ...(rehearsal === undefined ? bringUp(options) : rehearsalUp(rehearsal, refresh, set))]);
  } finally {
    lock?.release();
  }
  process.stdout.write(rehearsal === undefined ? await addresses(stack) : rehearsalEnd(rehearsal));
  process.stdout.write(overrideNote(stack, set, `./trellis up${stackFlags({ stack, rehearsal })}`));
}
