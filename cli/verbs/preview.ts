import { spawn } from 'node:child_process';
import {
  InterruptedError,
  planUpdate,
  prepareEngine,
  prepareRehearsal,
  rehearsalStatus,
  root,
  type Rehearsal,
} from '../../local/index';
import { CliError, EXIT, messageOf } from '../exit';
import { put } from '../output';
import { planned, previewReport, type Planning } from '../preview-report';
import { rehearsalAsked } from '../rehearsal';
import { ENVIRONMENTS } from '../stack-program';

export interface PreviewOptions {
  readonly stack: string;
  /** Every environment in place of one. @default false */
  readonly all?: boolean;
  readonly diff?: boolean;
  /** Against the rehearsal, not the environment. @default false */
  readonly simulate?: boolean;
  /** Asks the cluster first what was changed by hand. @default false */
  readonly refresh?: boolean;
  /** Fails where anything would change. @default false */
  readonly expectNoChanges?: boolean;
  /** `text` is what Pulumi prints. */
  readonly format: 'text' | 'markdown';
  /** File that Markdown is written to. @default - stdout */
  readonly output?: string;
  /** Characters of Markdown. */
  readonly limit: number;
}

/** What a preview needs to run. */
interface Engine {
  readonly pulumi: string;
  readonly env: Record<string, string>;
  readonly configFile?: string;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** @throws CliError where the simulated cluster doesn't run: a preview asks it */
async function rehearsed(rehearsal: Rehearsal): Promise<Engine> {
  const { state } = await rehearsalStatus(rehearsal);
  if (state === 'running') return { ...(await prepareRehearsal(rehearsal, say)), configFile: rehearsal.configFile };
  throw new CliError(
    `The simulated cluster does not run.\n  To mend it: ./trellis up -s ${rehearsal.environment} --simulate`,
  );
}

/** `pulumi preview` as typed, with its own output and colours. @returns its exit code */
async function shown(
  stack: string,
  engine: Engine,
  { diff, refresh, expectNoChanges }: PreviewOptions,
): Promise<number> {
  const config = engine.configFile === undefined ? [] : ['--config-file', engine.configFile];
  const asked = [
    ...(diff === true ? ['--diff'] : []),
    ...(refresh === true ? ['--refresh'] : []),
    ...(expectNoChanges === true ? ['--expect-no-changes'] : []),
  ];
  const env = { ...process.env, ...engine.env };
  const child = spawn(engine.pulumi, ['preview', '-s', stack, ...config, ...asked], {
    cwd: root,
    stdio: 'inherit',
    env,
  });
  // An interrupt from the terminal reaches the engine by itself; we wait for its end.
  process.on('SIGINT', () => undefined).on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => resolve(exit ?? EXIT.interrupted));
  });
}

/** The plan of a stack, or why there is none: the others are looked at all the same. */
async function planningOf(stack: string, engine: Engine, refresh: boolean): Promise<Planning> {
  try {
    const plan = await planUpdate({ stack, refresh, ...engine });
    say(`${stack}: ${planned(plan)}`);
    return { stack, plan };
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    const reason = messageOf(error);
    say(`${stack} can't be previewed:\n${reason}`);
    return { stack, reason };
  }
}

const missed = (planning: Planning, expectNoChanges: boolean): boolean =>
  !('plan' in planning) || (expectNoChanges && planning.plan.changes.length > 0);

async function reported(stacks: readonly string[], engine: Engine, options: PreviewOptions): Promise<void> {
  const { refresh = false, expectNoChanges = false, output, limit } = options;
  const plannings: Planning[] = [];
  for (const stack of stacks) plannings.push(await planningOf(stack, engine, refresh));
  const title = expectNoChanges ? 'Drift: what differs from the definition' : 'Preview: what a deployment would do';
  put(previewReport(title, plannings, limit), output);
  if (plannings.some((planning) => missed(planning, expectNoChanges))) process.exitCode = EXIT.failed;
}

/** Shows what `up` would change, after the engine was made ready. Of several stacks each is shown, also after one has failed. */
export async function preview(options: PreviewOptions): Promise<void> {
  const { stack, all, simulate, format, output } = options;
  if (all === true && simulate === true) throw new CliError('--all and --simulate exclude each other.', EXIT.usage);
  if (format === 'text' && output !== undefined) throw new CliError('-o needs --format markdown.', EXIT.usage);
  const rehearsal = rehearsalAsked(stack, simulate);
  const engine = rehearsal === undefined ? await prepareEngine(say) : await rehearsed(rehearsal);
  const stacks = all === true ? ENVIRONMENTS : [stack];
  if (format === 'markdown') return reported(stacks, engine, options);
  for (const each of stacks) {
    const code = await shown(each, engine, options);
    if (code !== 0) process.exitCode = code === EXIT.interrupted ? code : EXIT.failed;
    if (code === EXIT.interrupted) return;
  }
}
