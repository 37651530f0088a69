import * as os from 'node:os';
import * as path from 'node:path';
import {
  ALERT_PACKAGES,
  cacheDir,
  clusterDown,
  clusterInfo,
  clusterStatus,
  ensureTools,
  installPackages,
  resolveProgram,
  root,
  startControlPlane,
  state,
  stopDocker,
  TOOLS,
  type PreparedEngine,
} from '../../local/index';
import { checkAlerts } from '../alerts/check';
import { checkManifests } from '../manifest-checks';
import {
  CHECK_TOOLS,
  dockerStep,
  engineStep,
  Made,
  packagesStep,
  toolsStep,
  unableToRunCluster,
} from '../machine-steps';
import { schemaFolder, writeSchemas } from '../manifests/openapi';
import { renderStack } from '../stack-program';
import type { Step, StepUi } from '../steps';
import { checkWorkflows } from '../workflow-checks';
import { first, onCluster, startedCluster } from './base';
import { runJest } from './jest';
import { rehearsalSuite } from './rehearsal';
import { staticSuite } from './static';
import { countChecks, type Check, type Suite, type SuiteResult } from './suite';
import * as fs from 'node:fs';

const ENVIRONMENTS = ['dev', 'staging', 'prod'] as const;

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
  const alertPackages: Step = {
    title: 'System packages',
    run: async ({ report }) => void (await installPackages(report, { packages: ALERT_PACKAGES })),
  };
  await first(ui, [alertPackages, toolsStep(CHECK_TOOLS)]);
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
  const engine = new Made<PreparedEngine>();
  await first(ui, [
    packagesStep,
    toolsStep(['pulumi', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'unseal']),
    dockerStep,
    engineStep(engine),
  ]);
  const { env } = engine.value;
  // One more than cores: now and then each waits for a server.
  const workers = os.availableParallelism() + 1;
  return runJest({ project: 'engine', folder: root, workers, background: true, env, ui });
}

/** In the order in which a mistake is found soonest; what waits much begins first all the same, by its lane. */
export function allSuites(): readonly Suite[] {
  return [
    { name: 'static', about: 'types, lint, format, public API', run: staticSuite },
    {
      name: 'unit',
      about: 'the library, the bridge, the tools',
      run: (ui) => runJest({ project: 'unit', folder: root, background: true, ui }),
    },
    {
      name: 'manifests',
      about:
        'kubeconform, kube-score, psa-check, promtool, amtool and golden files, three environments; alerts; workflows',
      lane: 'servers',
      ...(process.platform === 'linux' ? {} : { unable: unableToRunCluster }),
      run: manifestsSuite,
    },
    {
      name: 'engine',
      about: 'the real engine against a real API server',
      lane: 'servers',
      unable: unableToRunCluster,
      run: engineSuite,
    },
    {
      name: 'cluster',
      about: 'the dev stack on the local cluster',
      lane: 'stack',
      unable: unableToRunCluster,
      run: onCluster('cluster'),
    },
    {
      name: 'pods',
      about: 'components, faults and the node itself, in namespaces of their own beside it; Compose',
      lane: 'own',
      unable: unableToRunCluster,
      run: onCluster('pods'),
    },
    {
      name: 'rehearsal',
      about: 'staging and prod against simulated nodes',
      lane: 'own',
      unable: unableToRunCluster,
      run: rehearsalSuite,
    },
    {
      name: 'outage',
      about: 'that cluster killed, ended and started again',
      lane: 'last',
      unable: unableToRunCluster,
      run: onCluster('outage'),
    },
  ];
}

/** On a build machine nothing may be left running; at a desk the cluster is wanted for the next run. */
export async function afterSuites(): Promise<void> {
  if (!startedCluster() || process.env.CI !== 'true') return;
  process.stderr.write('ending the cluster that the tests started\n');
  await clusterDown(() => undefined);
  await stopDocker();
}
