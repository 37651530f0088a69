import { root } from '../../local/index';
import { dockerStep, packagesStep, toolsStep } from '../machine-steps';
import { REHEARSAL_TOOLS } from '../rehearsal';
import type { StepUi } from '../steps';
import { runJest } from './jest';
import type { SuiteResult } from './suite';

/** What rehearsals rest on, so that its time isn't a test's; the rehearsals themselves are the tests'. */
export async function rehearsalSuite(ui: StepUi): Promise<SuiteResult> {
  for (const step of [packagesStep, toolsStep(REHEARSAL_TOOLS), dockerStep]) {
    ui.progress(step.title);
    await step.run({ report: (line) => ui.report(`${step.title}: ${line}`), progress: ui.progress });
  }
  return runJest({ project: 'rehearsal', folder: root, workers: 1, ui });
}
