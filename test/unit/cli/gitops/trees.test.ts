import { parse } from 'yaml';
import { argocdTree } from '../../../../cli/gitops/argocd';
import { fluxTree } from '../../../../cli/gitops/flux';
import type { GitOpsOptions } from '../../../../cli/gitops/options';
import { checkOptions, inRepository } from '../../../../cli/gitops/options';
import type { TreeObject } from '../../../../cli/gitops/waves';
import { CliError } from '../../../../cli/exit';

type Json = Record<string, unknown>;

const OPTIONS: GitOpsOptions = {
  ...{ stack: 'prod', repository: 'https://git.example.com/p.git', path: 'deploy', revision: 'main' },
  ...{ prune: true, selfHeal: true },
};
const object = (path: string, manifest: Json, more: Partial<TreeObject> = {}): TreeObject => ({
  path,
  manifest: { ...manifest, metadata: { namespace: 'shop', ...(manifest.metadata as Json) } },
  ...{ dependsOn: [], ignoreChanges: [], kept: false },
  ...more,
});
const OBJECTS = [
  object('shop/s', { apiVersion: 'bitnami.com/v1alpha1', kind: 'SealedSecret', metadata: { name: 's' } }),
  object('shop/d', { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'd' } }, { kept: true }),
  object(
    'shop/web',
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
      metadata: { name: 'web', annotations: { 'pulumi.com/timeoutSeconds': '900', own: 'stays' } },
    },
    { dependsOn: ['shop/s', 'shop/d'], ignoreChanges: ['spec.replicas', 'spec.volumeClaimTemplates[0].spec'] },
  ),
  object('shop/job', { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'job' } }, { dependsOn: ['shop/web'] }),
];

const read = (tree: ReadonlyMap<string, string>, file: string): Json => {
  expect([...tree.keys()]).toContain(file);
  return parse(tree.get(file) ?? '') as Json;
};
const annotationsOf = (manifest: Json): unknown => (manifest.metadata as Json).annotations;

describe('a tree for Argo CD', () => {
  const tree = argocdTree(OBJECTS, OPTIONS);

  it('has one file an object, each with its wave, and an Application a system', () => {
    expect([...tree.keys()].sort()).toEqual([
      'argocd/shop.yaml',
      'shop/deployment-web.yaml',
      'shop/job-job.yaml',
      'shop/persistentvolumeclaim-d.yaml',
      'shop/sealedsecret-s.yaml',
    ]);
    expect(annotationsOf(read(tree, 'shop/deployment-web.yaml'))).toEqual({
      own: 'stays',
      'argocd.argoproj.io/sync-wave': '1',
    });
  });

  it('keeps what holds data, and makes a Job anew', () => {
    expect(annotationsOf(read(tree, 'shop/persistentvolumeclaim-d.yaml'))).toEqual({
      'argocd.argoproj.io/sync-wave': '1',
      'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
      'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
    });
    expect(annotationsOf(read(tree, 'shop/job-job.yaml'))).toMatchObject({
      'argocd.argoproj.io/sync-options': 'Force=true,Replace=true',
    });
  });

  it('leaves to others the fields that are theirs', () => {
    const { spec, metadata } = read(tree, 'argocd/shop.yaml') as { spec: Json; metadata: Json };
    expect(metadata).toMatchObject({ name: 'shop-prod', namespace: 'argocd' });
    expect(spec).toMatchObject({
      source: { repoURL: OPTIONS.repository, targetRevision: 'main', path: 'deploy/shop' },
      destination: { namespace: 'shop' },
      syncPolicy: {
        automated: { prune: true, selfHeal: true },
        syncOptions: expect.arrayContaining(['ServerSideApply=true']) as unknown,
      },
      ignoreDifferences: [
        {
          ...{ group: 'apps', kind: 'Deployment', name: 'web', namespace: 'shop' },
          jsonPointers: ['/spec/replicas', '/spec/volumeClaimTemplates/0/spec'],
        },
      ],
    });
  });

  it('prunes and mends only where that was asked for', () => {
    const careful = argocdTree(OBJECTS, { ...OPTIONS, prune: false, selfHeal: false });
    expect(read(careful, 'argocd/shop.yaml')).toMatchObject({
      spec: { syncPolicy: { automated: { prune: false, selfHeal: false } } },
    });
  });
});

describe('a tree for Flux', () => {
  const tree = fluxTree(OBJECTS, OPTIONS);

  it('has a folder and a Kustomization for each step, each after the one before', () => {
    expect([...tree.keys()].sort()).toEqual([
      'flux/kustomization.yaml',
      'flux/repository.yaml',
      ...[0, 1, 2].map((wave) => `flux/shop-${wave}.yaml`),
      ...['kustomization', 'sealedsecret-s'].map((name) => `shop/0/${name}.yaml`),
      ...['deployment-web', 'kustomization', 'persistentvolumeclaim-d'].map((name) => `shop/1/${name}.yaml`),
      ...['job-job', 'kustomization'].map((name) => `shop/2/${name}.yaml`),
    ]);
    expect(read(tree, 'flux/shop-1.yaml')).toMatchObject({
      metadata: { name: 'shop-prod-1', namespace: 'flux-system' },
      spec: {
        ...{ path: './deploy/shop/1', prune: true, timeout: '900s', dependsOn: [{ name: 'shop-prod-0' }] },
        sourceRef: { kind: 'GitRepository', name: 'trellis-prod' },
        healthChecks: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'shop' }],
      },
    });
    expect(read(tree, 'shop/1/kustomization.yaml').resources).toEqual([
      'persistentvolumeclaim-d.yaml',
      'deployment-web.yaml',
    ]);
  });

  it('tells when a SealedSecret is ready, which Flux can’t know', () => {
    const { spec } = read(tree, 'flux/shop-0.yaml') as { spec: { healthCheckExprs: readonly Json[] } };
    expect(spec.healthCheckExprs).toEqual([expect.objectContaining({ kind: 'SealedSecret' })]);
    expect(read(tree, 'flux/shop-1.yaml').spec).not.toHaveProperty('healthCheckExprs');
  });

  it('keeps what holds data, and makes a Job anew', () => {
    expect(annotationsOf(read(tree, 'shop/1/persistentvolumeclaim-d.yaml'))).toEqual({
      'kustomize.toolkit.fluxcd.io/prune': 'disabled',
    });
    expect(annotationsOf(read(tree, 'shop/2/job-job.yaml'))).toEqual({
      'kustomize.toolkit.fluxcd.io/force': 'enabled',
    });
  });

  it.each([
    ['main', { branch: 'main' }],
    ['refs/tags/v1', { name: 'refs/tags/v1' }],
    ['0123456789abcdef0123456789abcdef01234567', { commit: '0123456789abcdef0123456789abcdef01234567' }],
  ])('follows %s', (revision, ref) => {
    const { spec } = read(fluxTree(OBJECTS, { ...OPTIONS, revision }), 'flux/repository.yaml') as { spec: Json };
    expect(spec).toEqual({ interval: '1m', url: OPTIONS.repository, ref });
  });
});

describe('what a tree is written for', () => {
  const problem = (tool: 'argocd' | 'flux', change: Partial<GitOpsOptions>): string => {
    try {
      checkOptions(tool, { ...OPTIONS, ...change });
      return '';
    } catch (error) {
      expect(error).toBeInstanceOf(CliError);
      return (error as Error).message;
    }
  };

  it('may be the root of the repository', () => {
    expect(inRepository(checkOptions('argocd', { ...OPTIONS, path: '.' }), 'shop')).toBe('shop');
    expect(problem('argocd', { repository: 'git@git.example.com:team/p.git' })).toBe('');
  });

  it.each([
    ['flux', { repository: 'git@git.example.com:team/p.git' }, '--repository: must be a URL'],
    ['argocd', { repository: 'p.git' }, '--repository: must be a URL'],
    ['argocd', { path: '../up' }, "--path: must be a path inside of the repository, got '../up'"],
    ['argocd', { path: '/deploy' }, "--path: must be a path inside of the repository, got '/deploy'"],
    ['argocd', { revision: '-x' }, "--revision: must be a branch, refs/… or a commit, got '-x'"],
    ['flux', { selfHeal: false }, '--no-self-heal: is for argocd'],
  ] as const)('is refused for %s with %j', (tool, change, message) => expect(problem(tool, change)).toContain(message));

  it('never holds a password, and the message does not show it; all problems come at once', () => {
    const message = problem('argocd', { repository: 'https://user:canary-value@git.example.com/p.git', path: '..' });
    expect(message.split('\n')).toEqual([
      expect.stringContaining('--repository: must hold no password'),
      expect.stringContaining('--path'),
    ]);
    expect(message).not.toContain('canary');
  });
});
