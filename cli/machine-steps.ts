import {
  dockerLayout,
  clusterSteps,
  dockerEnvironment,
  ensureBaseImage,
  ensureDocker,
  ensureTools,
  installPackages,
  missingPackages,
  prepareEngine,
  resolveProgram,
  TOOLS,
  usersEngine,
  type ClusterStep,
  type PreparedEngine,
  type ToolName,
} from '../local/index';
import { CliError, EXIT } from './exit';
import type { Step } from './steps';
import { examine } from './verbs/doctor';

/** Tools of the local cluster, the engine included, in the order in which they are needed. */
const CLUSTER_TOOLS: readonly ToolName[] = [
  'pulumi',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'network-policies',
  'coredns',
  'metrics-server',
  'local-path-provisioner',
  'nominal-resizer',
  'traefik',
];

/** What the manifests are checked with. */
export const CHECK_TOOLS = [
  'kubeconform',
  'kube-score',
  'psa-check',
  'actionlint',
] as const satisfies readonly ToolName[];

/** Whether this machine can run the local cluster at all. @returns why not; undefined where it can */
export function unableToRunCluster(): string | undefined {
  if (process.platform !== 'linux') return `the local cluster needs Linux, and this is ${process.platform}`;
  return process.getuid?.() === 0 ? undefined : 'the local cluster needs root';
}

/** What a stack on someone else's cluster needs of this machine too. */
const ALWAYS_NEEDED = new Set(['Node', 'Go', 'Disk', 'Package registries']);

/** @throws CliError with every finding that stands in the way, and its mending */
export const preflightStep = (local: boolean): Step => ({
  title: 'Look at the machine',
  run: async () => {
    const all = (await examine()).filter(({ blocking }) => blocking);
    const findings = local ? all : all.filter(({ title }) => ALWAYS_NEEDED.has(title));
    if (findings.length === 0) return;
    const lines = findings.map(({ title, result }) => {
      const fix = result.fix === undefined ? '' : `\n    To mend it: ${result.fix}`;
      return `  ${title}: ${result.detail}${fix}`;
    });
    throw new CliError(`This machine lacks something:\n${lines.join('\n')}`, EXIT.machine);
  },
});

export const packagesStep: Step = {
  title: 'System packages',
  run: async ({ report }) => {
    const missing = missingPackages({ engineAnswers: (await usersEngine()) !== undefined });
    const installed = missing.length === 0 ? [] : await installPackages(report, { packages: missing });
    return installed.length === 0 ? 'all there' : `installed ${installed.join(', ')}`;
  },
};

export const toolsStep = (names: readonly ToolName[] = CLUSTER_TOOLS): Step => ({
  title: 'Tools',
  run: async ({ report }) => {
    await ensureTools(names, report);
    return names.map((name) => `${name} ${TOOLS.get(name)?.version ?? ''}`).join(', ');
  },
});

/** Parts of one whole as steps, each with its own time. */
export const partsOf = (whole: string, parts: readonly ClusterStep[]): readonly Step[] =>
  parts.map(({ title, run }) => ({
    title: `${whole}: ${title.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase())}`,
    run: ({ report }) => run(report),
  }));

/** Bringing the cluster up. */
export const clusterPart = (): readonly Step[] => partsOf('Cluster', clusterSteps({ resolve: resolveProgram() }));

export const dockerStep: Step = {
  title: 'Docker and the base image',
  run: async ({ report }) => {
    const docker = await ensureDocker(report);
    // The image plugin is a grandchild of this process: it finds the engine through its environment.
    Object.assign(process.env, dockerEnvironment(docker));
    await ensureBaseImage(docker, report);
    return docker.dockerHost === `unix://${dockerLayout().socket}` ? 'private engine' : 'your engine';
  },
};

/** Holds what a step has made for those after it. */
export class Made<T> {
  #value: T | undefined;

  public set(value: T): void {
    this.#value = value;
  }

  public get value(): T {
    if (this.#value === undefined) throw new CliError('A step was run before the one that it rests on.');
    return this.#value;
  }
}

export const engineStep = (made: Made<PreparedEngine>): Step => ({
  title: 'Engine',
  run: async ({ report }) => {
    const engine = await prepareEngine(report);
    made.set(engine);
    return engine.backend === undefined ? 'back end of this clone' : `your back end: ${engine.backend}`;
  },
});
