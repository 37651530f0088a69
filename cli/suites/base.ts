import { clusterStatus, engineEnv, root } from '../../local/index';
import { toolsStep } from '../machine-steps';
import type { Step, StepUi } from '../steps';
import { bringUp } from '../verbs/up';
import { runJest } from './jest';
import type { SuiteResult } from './suite';

let last: Promise<unknown> = Promise.resolve();

/** What a suite rests on, shown as its own lines. What several suites rest on is installed, built and started one after the other. */
export function first(ui: StepUi, steps: readonly Step[]): Promise<void> {
  const work = last.then(async () => {
    for (const step of steps) {
      ui.progress(step.title);
      await step.run({
        report: (line) => ui.report(`${step.title}: ${line}`),
        progress: (line) => ui.progress(`${step.title}: ${line}`),
      });
    }
  });
  last = work.catch(() => undefined);
  return work;
}

/** Whether the suites found no cluster and brought one up: what they started, they may end. */
let started = false;
export const startedCluster = (): boolean => started;

async function bringClusterUp(ui: StepUi): Promise<void> {
  started = (await clusterStatus()).state !== 'running';
  const steps = bringUp({ stack: 'dev', yes: true, wait: 30 });
  await first(ui, [...steps, toolsStep(['versitygw', 'docker-compose'])]);
}

let cluster: Promise<void> | undefined;

/** Waits for the cluster where a suite brings it up: all images are built then. */
export const afterCluster = (): Promise<void> => cluster?.catch(() => undefined) ?? Promise.resolve();

/** A suite of tests against the dev stack on the local cluster, which is brought up once for all of them. */
export const onCluster =
  (project: string) =>
  async (ui: StepUi): Promise<SuiteResult> => {
    await (cluster ??= bringClusterUp(ui));
    return runJest({ project, folder: root, workers: 1, env: await engineEnv(), ui });
  };
