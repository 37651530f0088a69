import { clusterStatus, engineEnv, root } from '../../local/index';
import { toolsStep } from '../machine-steps';
import { named, type Step, type StepUi } from '../steps';
import { bringUp } from '../verbs/up';
import { runJest } from './jest';
import type { SuiteResult } from './suite';

let last: Promise<unknown> = Promise.resolve();

/** What a suite rests on, shown as its own lines. What several suites rest on is installed, built and started one after the other. */
export function first(ui: StepUi, steps: readonly Step[]): Promise<void> {
  const work = last.then(async () => {
    for (const step of steps) {
      ui.progress(step.title);
      await step.run(named(step.title, ui));
    }
  });
  last = work.catch(() => undefined);
  return work;
}

/** Whether the suites found no cluster and brought one up: what they started, they may end. */
let started = false;
export const startedCluster = (): boolean => started;

const lookStep: Step = {
  title: 'Look for a cluster',
  run: async () => {
    started = (await clusterStatus()).state !== 'running';
  },
};

/** In its turn at once: what other suites ask for later finds all images built. */
const bringClusterUp = (ui: StepUi): Promise<void> =>
  first(ui, [lookStep, ...bringUp({ stack: 'dev', yes: true, wait: 30 }), toolsStep(['versitygw', 'docker-compose'])]);

let cluster: Promise<void> | undefined;

/** A suite of tests against the dev stack on the local cluster, which is brought up once for all of them. */
export const onCluster =
  (project: string) =>
  async (ui: StepUi): Promise<SuiteResult> => {
    await (cluster ??= bringClusterUp(ui));
    return runJest({ project, folder: root, workers: 1, env: await engineEnv(), ui });
  };
