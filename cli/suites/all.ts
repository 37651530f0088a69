import * as path from 'node:path';
import {
  ALERT_PACKAGES,
  cacheDir,
  clusterDown,
  clusterInfo,
  clusterStatus,
  engineEnv,
  ensureTools,
  installPackages,
  prepareEngine,
  resolveProgram,
  root,
  startControlPlane,
  state,
  stopDocker,
  TOOLS,
} from '../../local/index';
import { checkAlerts } from '../alerts/check';
import { checkManifests } from '../manifest-checks';
import { CHECK_TOOLS, dockerStep, packagesStep, toolsStep, unableToRunCluster } from '../machine-steps';
import { schemaFolder, writeSchemas } from '../manifests/openapi';
import { renderStack } from '../stack-program';
import type { Step, StepUi } from '../steps';
import { bringUp } from '../verbs/up';
import { checkWorkflows } from '../workflow-checks';
import { runJest } from './jest';
import { rehearsalSuite } from './rehearsal';
import { staticSuite } from './static';
import { countChecks, type Check, type Suite, type SuiteResult } from './suite';
import * as fs from 'node:fs';

const ENVIRONMENTS = ['dev', 'staging', 'prod'] as const;

/** What a suite rests on, shown as its own lines. */
async function first(ui: StepUi, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    ui.progress(step.title);
    await step.run({
      report: (line) => ui.report(`${step.title}: ${line}`),
      progress: (line) => ui.progress(`${step.title}: ${line}`),
    });
  }
}

/** Schemas of this version of Kubernetes, asked of an API server once and kept. */
async function schemas(version: string, ui: StepUi): Promise<string> {
  const folder = schemaFolder(cacheDir, version);
  if (fs.existsSync(folder)) return folder;
  const running = (await clusterStatus()).state === 'running' ? clusterInfo() : undefined;
  if (running !== undefined) await writeSchemas(running.kubeconfig, folder);
  else {
    await first(ui, [packagesStep, toolsStep(['kube-apiserver'])]);
    ui.report('starting an API server for its schemas');
    const resolve = resolveProgram(ui.report);
    const plane = await startControlPlane({ dir: state('manifests'), resolve, report: ui.progress });
    try {
      await writeSchemas(plane.kubeconfig, folder);
    } finally {
      await plane.stop();
    }
  }
  return folder;
}

async function manifestsSuite(ui: StepUi): Promise<SuiteResult> {
  const kubernetes = TOOLS.get('kube-apiserver')?.version ?? '';
  await installPackages(ui.report, { packages: ALERT_PACKAGES });
  const tools = { ...(await ensureTools(CHECK_TOOLS, ui.report)), schemas: await schemas(kubernetes, ui), kubernetes };
  const checks: Check[] = [];
  for (const environment of ENVIRONMENTS) {
    ui.progress(environment);
    const golden = path.join(root, 'test', 'golden', `${environment}.yaml`);
    checks.push(...(await checkManifests(environment, await renderStack(environment), golden, tools)));
  }
  checks.push(...(await checkAlerts('promtool', ui.progress)));
  ui.progress('workflows');
  checks.push(await checkWorkflows(tools.actionlint));
  return countChecks(checks);
}

async function engineSuite(ui: StepUi): Promise<SuiteResult> {
  await first(ui, [
    packagesStep,
    toolsStep(['pulumi', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'unseal']),
    dockerStep,
  ]);
  const { env } = await prepareEngine(ui.report);
  return runJest({ project: 'engine', folder: root, env, ui });
}

/** Whether the cluster suite found no cluster and brought one up: what it started, it may end. */
let started = false;

async function clusterSuite(ui: StepUi): Promise<SuiteResult> {
  started = (await clusterStatus()).state !== 'running';
  await first(ui, [...bringUp({ stack: 'dev', yes: true, wait: 30 }), toolsStep(['versitygw', 'docker-compose'])]);
  return runJest({ project: 'cluster', folder: root, workers: 1, env: await engineEnv(), ui });
}

/** In the order in which a mistake is found soonest. */
export function allSuites(): readonly Suite[] {
  return [
    { name: 'static', about: 'types, lint, format, public API', run: staticSuite },
    {
      name: 'unit',
      about: 'the library, the bridge, the tools',
      run: (ui) => runJest({ project: 'unit', folder: root, ui }),
    },
    {
      name: 'manifests',
      about:
        'kubeconform, kube-score, psa-check, promtool, amtool and golden files, three environments; alerts; workflows',
      ...(process.platform === 'linux' ? {} : { unable: unableToRunCluster }),
      run: manifestsSuite,
    },
    {
      name: 'engine',
      about: 'the real engine against a real API server',
      unable: unableToRunCluster,
      run: engineSuite,
    },
    {
      name: 'rehearsal',
      about: 'staging and prod against simulated nodes',
      unable: unableToRunCluster,
      run: rehearsalSuite,
    },
    { name: 'cluster', about: 'the dev stack on the local cluster', unable: unableToRunCluster, run: clusterSuite },
  ];
}

/** On a build machine nothing may be left running; at a desk the cluster is wanted for the next run. */
export async function afterSuites(): Promise<void> {
  if (!started || process.env.CI !== 'true') return;
  process.stderr.write('ending the cluster that the tests started\n');
  await clusterDown(() => undefined);
  await stopDocker();
}
