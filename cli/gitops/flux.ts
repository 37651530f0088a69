import type { KustomizationSpec } from '../../components/imports/kustomize.toolkit.fluxcd.io';
import type { GitRepositorySpec } from '../../components/imports/source.toolkit.fluxcd.io';
import type { GitOpsOptions } from './options';
import { inRepository } from './options';
import type { Tree } from './tree';
import { annotated, fileNames, metadataOf, yaml } from './tree';
import type { TreeObject } from './waves';
import { isAwaited, systemOf, systemsOf, wavesOf } from './waves';

const NAMESPACE = 'flux-system';
const LEAST_SECONDS = 600;

/** One step of a system: what is applied at once, after the step before is ready. */
interface Step {
  readonly system: string;
  readonly wave: number;
  readonly objects: readonly TreeObject[];
}

/** A folder of manifests for each step of each system, and a Kustomization that reconciles it. */
export function fluxTree(objects: readonly TreeObject[], options: GitOpsOptions): Tree {
  const systems = systemsOf(objects);
  const steps = stepsOf(objects);
  const files = new Map<string, string>();
  for (const { system, wave, objects: own } of steps) {
    const folder = `${system}/${wave}`;
    const names = fileNames(own);
    for (const [object, name] of names) files.set(`${folder}/${name}`, yaml(annotated(object, annotationsOf(object))));
    files.set(`${folder}/kustomization.yaml`, yaml(resources([...names.values()])));
  }
  const last = new Map(steps.map(({ system, wave }) => [system, wave]));
  for (const step of steps) {
    const before = step.wave > 0 ? [`${step.system}-${options.stack}-${step.wave - 1}`] : [];
    const others = step.wave > 0 ? [] : (systems.get(step.system) ?? []);
    const after = [...before, ...others.map((other) => `${other}-${options.stack}-${last.get(other) ?? 0}`)];
    files.set(`flux/${step.system}-${step.wave}.yaml`, yaml(kustomization(step, after, options)));
  }
  files.set('flux/repository.yaml', yaml(gitRepository(options)));
  const own = [...files.keys()].filter((file) => file.startsWith('flux/')).map((file) => file.slice('flux/'.length));
  files.set('flux/kustomization.yaml', yaml(resources(own.sort())));
  return files;
}

function stepsOf(objects: readonly TreeObject[]): readonly Step[] {
  const waves = wavesOf(objects);
  const steps = new Map<string, { system: string; wave: number; objects: TreeObject[] }>();
  for (const object of objects) {
    const [system, wave] = [systemOf(object), waves.get(object.path) ?? 0];
    const step = steps.get(`${system}/${wave}`) ?? { system, wave, objects: [] };
    step.objects.push(object);
    steps.set(`${system}/${wave}`, step);
  }
  return [...steps.values()].sort((a, b) => (a.system === b.system ? a.wave - b.wave : a.system < b.system ? -1 : 1));
}

const annotationsOf = ({ manifest, kept }: TreeObject): Readonly<Record<string, string>> => ({
  ...(kept ? { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' } : {}),
  // The template of a Job can't be changed.
  ...(manifest.kind === 'Job' ? { 'kustomize.toolkit.fluxcd.io/force': 'enabled' } : {}),
});

const resources = (files: readonly string[]): object => ({
  apiVersion: 'kustomize.config.k8s.io/v1beta1',
  kind: 'Kustomization',
  resources: files,
});

function kustomization({ system, wave, objects }: Step, after: readonly string[], options: GitOpsOptions): object {
  const { stack, prune } = options;
  const awaited = objects.filter(isAwaited);
  const sealed = awaited.some(({ manifest }) => manifest.kind === 'SealedSecret');
  const spec: KustomizationSpec = {
    interval: '10m',
    retryInterval: '1m',
    timeout: `${Math.max(LEAST_SECONDS, ...awaited.map(secondsOf))}s`,
    path: `./${inRepository(options, system, String(wave))}`,
    prune,
    sourceRef: { kind: 'GitRepository' as KustomizationSpec['sourceRef']['kind'], name: `trellis-${stack}` },
    ...(after.length === 0 ? {} : { dependsOn: after.map((name) => ({ name })) }),
    // Named one by one: to wait for everything would be to wait for claims that are bound only once somebody uses them.
    ...(awaited.length === 0 ? {} : { healthChecks: awaited.map(healthCheck) }),
    ...(sealed ? { healthCheckExprs: [SEALED] } : {}),
  };
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: `${system}-${stack}-${wave}`, namespace: NAMESPACE },
    spec,
  };
}

/** The controller of Sealed Secrets says `Synced` where others say `Ready`. */
const SEALED = {
  apiVersion: 'bitnami.com/v1alpha1',
  kind: 'SealedSecret',
  current:
    "status.observedGeneration == metadata.generation && status.conditions.exists(e, e.type == 'Synced' && e.status == 'True')",
  failed:
    "status.observedGeneration == metadata.generation && status.conditions.exists(e, e.type == 'Synced' && e.status == 'False')",
};

/** How long a rollout may take, as its component says. */
const secondsOf = (object: TreeObject): number =>
  Number(metadataOf(object).annotations?.['pulumi.com/timeoutSeconds'] ?? 0);

type HealthCheck = NonNullable<KustomizationSpec['healthChecks']>[number];

function healthCheck(object: TreeObject): HealthCheck {
  const { apiVersion, kind } = object.manifest as { readonly apiVersion: string; readonly kind: string };
  const { name = '', namespace } = metadataOf(object);
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

function gitRepository({ stack, repository, revision }: GitOpsOptions): object {
  const spec: GitRepositorySpec = { interval: '1m', url: repository, ref: reference(revision) };
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: `trellis-${stack}`, namespace: NAMESPACE },
    spec,
  };
}

function reference(revision: string): NonNullable<GitRepositorySpec['ref']> {
  if (/^[0-9a-f]{40}$/.test(revision)) return { commit: revision };
  return revision.startsWith('refs/') ? { name: revision } : { branch: revision };
}
