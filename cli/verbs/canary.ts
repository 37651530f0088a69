import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { root, takeRunLock, type PreparedEngine } from '../../local/index';
import type { ServiceLevelObjective } from '../../components/monitoring';
import type * as Objectives from '../../stacks/objectives';
import { workloadOfCanary } from '../../stacks/workload-keys';
import { BurnRateGate } from '../canary/gate';
import { canaryPlan, canarySteps, objectiveShare, type CanaryPlan } from '../canary/plan';
import { raiseInSteps } from '../canary/controller';
import { prometheus, prometheusPlace } from '../canary/prometheus';
import { agreeToChange, siteOf } from '../cluster/site';
import { CliError, EXIT } from '../exit';
import { dockerStep, engineStep, Made } from '../machine-steps';
import { withSettings } from '../override';
import { keyInFile } from '../rollout/drift';
import type { Setting } from '../setting';
import { runSteps, type Report } from '../steps';
import { milliseconds } from '../time';
import { updateStack } from '../update';

export interface CanaryOptions {
  readonly stack: string;
  /** Weights in percent, separated by commas. */
  readonly steps: string;
  readonly stepTime: string;
  /** Share of requests without an error. @default - what the service promises */
  readonly objective?: string;
  /** `NAMESPACE/SERVICE:PORT`. @default - the stack's own */
  readonly prometheus?: string;
  /** Keys of the configuration that have another value this time. */
  readonly set: readonly Setting[];
  readonly yes?: boolean;
  /** Minutes. */
  readonly wait: number;
}

type Config = Readonly<Record<string, unknown>>;

/** The stack's configuration as an update with these values will have it. */
function configured(stack: string, set: readonly Setting[]): string {
  const name = `Pulumi.${stack}.yaml`;
  return withSettings(fs.readFileSync(path.join(root, name), 'utf8'), name, set);
}

/** What the canary is judged by: the objectives of its own component, with another share of requests without an error where one is asked. */
function objectives(
  plan: CanaryPlan,
  options: CanaryOptions,
  share: number | undefined,
): readonly ServiceLevelObjective[] {
  const { stack, set } = options;
  const workload = workloadOfCanary(plan.system, plan.service);
  const text = configured(stack, [...set, { keys: plan.weightKey.split('.'), value: '1' }]);
  // Only now: the definition brings cdk8s with it.
  const { objectivesOf } = module.require('../../stacks/objectives') as typeof Objectives;
  const found = objectivesOf(text, `Pulumi.${stack}.yaml`, plan.namespace, workload);
  if (found.length === 0) throw new CliError(`${workload} has no metrics to be judged by.`, EXIT.usage);
  const asked = (one: ServiceLevelObjective): number =>
    share !== undefined && one.name === `${workload}-availability` ? share : one.objective;
  return found.map((one) => ({ ...one, objective: asked(one) }));
}

/** Service and port under which the platform's own Prometheus is reached in its namespace. */
const OWN_PROMETHEUS = 'prometheus-service:9090';

function prometheusOf(option: string | undefined, stack: string, config: Config): string {
  const { namespace } = (config['trellis:observability'] ?? {}) as { namespace?: unknown };
  if (option !== undefined) return option;
  if (typeof namespace === 'string') return `${namespace}/${OWN_PROMETHEUS}`;
  throw new CliError(`Pulumi.${stack}.yaml has no Prometheus: say where it is with --prometheus.`, EXIT.usage);
}

/** How a canary that did well becomes the service. */
function promotion({ system, service, source, weight, weightKey }: CanaryPlan, stack: string, last: number): string {
  const key = `${system}.${service}.source`;
  return [
    `The canary of ${system}.${service} did well up to ${last} %, which it has now.`,
    `${keyInFile(weightKey, stack)} says ${weight}: the next ./trellis up follows that.`,
    'To promote it:',
    `  pulumi config set --path trellis:${key} ${source} -s ${stack}`,
    `  ./trellis up${stack === 'dev' ? '' : ` -s ${stack}`}`,
    '',
  ].join('\n');
}

/** Ends the watching in order at Ctrl-C; an update that runs then ends by itself. */
function untilInterrupted(): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return { signal: controller.signal, release: () => void process.off('SIGINT', interrupt).off('SIGTERM', interrupt) };
}

/**
 * Raises the share of requests that a service's second version gets, and takes it back to 0 as soon as that version burns its error
 * budget so fast that somebody would be woken up.
 */
export async function canary(name: string, options: CanaryOptions): Promise<void> {
  const { stack, set, wait } = options;
  const steps = canarySteps(options.steps);
  const stepMs = milliseconds('--step-time', options.stepTime);
  const share = options.objective === undefined ? undefined : objectiveShare(options.objective);
  const config = (parse(configured(stack, set)) as { config?: Config }).config ?? {};
  const plan = canaryPlan(name, stack, config);
  const place = prometheusPlace(prometheusOf(options.prometheus, stack, config));
  const judged = objectives(plan, options, share);
  const site = await siteOf(stack);
  const question = `The canary of ${name} gets up to ${String(steps.at(-1))} % of the requests`;
  await agreeToChange(site, question, options.yes);
  const say: Report = (line) => void process.stderr.write(`${line}\n`);
  const lock = await takeRunLock({ verb: `canary ${name} -s ${stack}`, waitMs: wait * 60_000, report: say });
  const { signal, release } = untilInterrupted();
  try {
    const engine = new Made<PreparedEngine>();
    await runSteps([dockerStep, engineStep(engine)]);
    const keys = plan.weightKey.split('.');
    const gate = new BurnRateGate(prometheus(site.access, place), judged);
    await raiseInSteps({
      ...{ name, steps, stepMs, gate, signal },
      weigh: async (percent, progress) => {
        const request = { stack, engine: engine.value, set: [...set, { keys, value: String(percent) }] };
        await updateStack(request, { report: progress, progress });
      },
    });
  } finally {
    release();
    lock.release();
  }
  process.stdout.write(`\n${promotion(plan, stack, steps.at(-1) ?? 0)}`);
}
