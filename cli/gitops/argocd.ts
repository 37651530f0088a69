import type { ApplicationSpec } from '../../components/imports/argoproj.io';
import type { GitOpsOptions } from './options';
import { inRepository } from './options';
import type { Tree } from './tree';
import { annotated, fileNames, metadataOf, yaml } from './tree';
import type { TreeObject } from './waves';
import { systemOf, systemsOf, wavesOf } from './waves';

const WAVE = 'argocd.argoproj.io/sync-wave';
const OPTIONS = 'argocd.argoproj.io/sync-options';
const COMPARE = 'argocd.argoproj.io/compare-options';

/** A folder of manifests for each system, and an Application that reconciles it. */
export function argocdTree(objects: readonly TreeObject[], options: GitOpsOptions): Tree {
  const waves = wavesOf(objects);
  const files = new Map<string, string>();
  const order = systemWaves(objects);
  for (const system of order.keys()) {
    const own = objects.filter((object) => systemOf(object) === system);
    for (const [object, name] of fileNames(own))
      files.set(`${system}/${name}`, yaml(annotated(object, annotationsOf(object, waves.get(object.path) ?? 0))));
    files.set(`argocd/${system}.yaml`, yaml(application(system, own, order.get(system) ?? 0, options)));
  }
  return files;
}

function annotationsOf({ manifest, kept }: TreeObject, wave: number): Readonly<Record<string, string>> {
  return {
    [WAVE]: String(wave),
    ...(kept ? { [OPTIONS]: 'Prune=false,Delete=false', [COMPARE]: 'IgnoreExtraneous' } : {}),
    // The template of a Job can't be changed.
    ...(manifest.kind === 'Job' ? { [OPTIONS]: 'Force=true,Replace=true' } : {}),
  };
}

/** When each system comes, for an Application that holds the others. */
function systemWaves(objects: readonly TreeObject[]): ReadonlyMap<string, number> {
  const systems = systemsOf(objects);
  const waves = new Map<string, number>();
  const waveOf = (system: string): number => {
    const known = waves.get(system);
    if (known !== undefined) return known;
    // Systems that need each other can't be put in order; the first that is asked for comes first.
    waves.set(system, 0);
    const wave = Math.max(0, ...(systems.get(system) ?? []).map((other) => waveOf(other) + 1));
    waves.set(system, wave);
    return wave;
  };
  return new Map([...systems.keys()].map((system) => [system, waveOf(system)]));
}

function application(system: string, objects: readonly TreeObject[], wave: number, options: GitOpsOptions): object {
  const { stack, repository, revision, prune, selfHeal } = options;
  const namespace = objects.flatMap((object) => metadataOf(object).namespace ?? [])[0];
  const spec: ApplicationSpec = {
    project: 'default',
    source: {
      repoURL: repository,
      targetRevision: revision,
      path: inRepository(options, system),
      directory: { recurse: true },
    },
    destination: { server: 'https://kubernetes.default.svc', ...(namespace === undefined ? {} : { namespace }) },
    syncPolicy: {
      automated: { prune, selfHeal },
      syncOptions: ['ServerSideApply=true', 'RespectIgnoreDifferences=true', 'PruneLast=true'],
      retry: { limit: 5, backoff: { duration: '10s', factor: 2, maxDuration: '5m' } },
    },
    ignoreDifferences: objects.filter(({ ignoreChanges }) => ignoreChanges.length > 0).map(ignored),
  };
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name: `${system}-${stack}`,
      namespace: 'argocd',
      // Compared as the API server would apply it, so that defaults that it fills in are no difference.
      annotations: { [WAVE]: String(wave), [COMPARE]: 'ServerSideDiff=true' },
    },
    spec,
  };
}

type Ignored = NonNullable<ApplicationSpec['ignoreDifferences']>[number];

/** Fields that somebody else owns, such as an autoscaler. */
function ignored(object: TreeObject): Ignored {
  const { apiVersion, kind } = object.manifest as { readonly apiVersion: string; readonly kind: string };
  const { name, namespace } = metadataOf(object);
  return {
    ...(apiVersion.includes('/') ? { group: apiVersion.split('/')[0] ?? '' } : {}),
    kind,
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    jsonPointers: object.ignoreChanges.map(pointer),
  };
}

/** `spec.a[0].b` as `/spec/a/0/b`. */
const pointer = (field: string): string =>
  `/${field
    .replace(/\[(\d+)\]/g, '.$1')
    .split('.')
    .join('/')}`;
