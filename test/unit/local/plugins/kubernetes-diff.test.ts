import { differences, mustDeleteFirst, plan } from '../../../../local/plugins/kubernetes/diff';
import { equivalent, quantity } from '../../../../local/plugins/kubernetes/equivalence';
import { forceNewPaths } from '../../../../local/plugins/kubernetes/force-new';
import { importedInputs, liveInputs } from '../../../../local/plugins/kubernetes/live-inputs';
import type { Gvk, KubeObject } from '../../../../local/plugins/kubernetes/objects';
import { unknown } from '../../../../local/plugins/shared/values';

const core = (kind: string): Gvk => ({ group: '', version: 'v1', kind });
const apps = (kind: string): Gvk => ({ group: 'apps', version: 'v1', kind });
const mutable = { configMaps: true, secrets: true };

function planFor(gvk: Gvk, old: KubeObject, next: KubeObject, mutability = mutable) {
  const named = (object: KubeObject): KubeObject => ({ metadata: { name: 'x', namespace: 'ns' }, ...object });
  const live = { name: 'x', namespace: 'ns' };
  return plan({ gvk, namespaced: true, mutability, old: named(old), next: named(next), live, ignoreChanges: [] });
}

describe('quantities', () => {
  test.each([
    ['1000m', '1', true],
    ['0.5', '500m', true],
    ['1Gi', '1024Mi', true],
    ['1G', '1Gi', false],
    ['1e3', '1k', true],
    [1, '1', true],
  ])('%s and %s: equal is %s', (left, right, equal) => {
    expect(quantity(left) === quantity(right)).toBe(equal);
    expect(equivalent({ cpu: left }, { cpu: right }, ['resources', 'limits'])).toBe(equal);
  });

  test('other strings that look like quantities are compared as strings', () => {
    expect(quantity('1 Gi')).toBeUndefined();
    expect(equivalent({ version: '1.0' }, { version: '1' }, ['data'])).toBe(false);
    expect(equivalent({ value: '1.0' }, { value: '1' }, ['env', '0'])).toBe(false);
  });
});

describe('differences', () => {
  test('go as deep as both sides do, and take empty for absent', () => {
    const found = differences({ a: { b: 1, gone: 1 }, list: [1, 2], labels: {} }, { a: { b: 2, new: 1 }, list: [1] });
    expect(found.map(({ path, change }) => `${change} ${path.join('/')}`).sort()).toEqual([
      'add a/new',
      'delete a/gone',
      'delete list/1',
      'update a/b',
    ]);
  });

  test('an unknown is a change, whatever was there', () => {
    expect(differences({ a: 'x' }, { a: unknown })).toEqual([{ path: ['a'], change: 'update' }]);
  });
});

describe('the plan', () => {
  test('data of a ConfigMap or Secret changes in place where the provider says so, unless it is immutable', () => {
    for (const kind of ['ConfigMap', 'Secret']) {
      const [old, next] = [{ data: { a: '1' } }, { data: { a: '2' } }];
      expect(planFor(core(kind), old, next)).toMatchObject({ changes: true, replaces: [] });
      expect(planFor(core(kind), old, next, { configMaps: false, secrets: false }).replaces).toEqual(['data.a']);
      const fixed = { ...next, immutable: true };
      expect(planFor(core(kind), { ...old, immutable: true }, fixed).replaces).toEqual(['data.a']);
    }
  });

  test.each<[string, Gvk, KubeObject, KubeObject, string[]]>([
    [
      'selector',
      apps('Deployment'),
      { spec: { selector: { matchLabels: { a: '1' } } } },
      { spec: { selector: { matchLabels: { a: '2' } } } },
      ['spec.selector.matchLabels.a'],
    ],
    ['replicas', apps('Deployment'), { spec: { replicas: 1 } }, { spec: { replicas: 2 } }, []],
    [
      'claim template',
      apps('StatefulSet'),
      { spec: { volumeClaimTemplates: [{ spec: { resources: { requests: { storage: '1Gi' } } } }] } },
      { spec: { volumeClaimTemplates: [{ spec: { resources: { requests: { storage: '2Gi' } } } }] } },
      ['spec.volumeClaimTemplates[0].spec.resources.requests.storage'],
    ],
    [
      'claim growth',
      core('PersistentVolumeClaim'),
      { spec: { resources: { requests: { storage: '1Gi' } } } },
      { spec: { resources: { requests: { storage: '2Gi' } } } },
      [],
    ],
    [
      'claim class',
      core('PersistentVolumeClaim'),
      { spec: { storageClassName: 'a' } },
      { spec: { storageClassName: 'b' } },
      ['spec.storageClassName'],
    ],
    [
      'container image of a pod',
      core('Pod'),
      { spec: { containers: [{ image: 'a' }] } },
      { spec: { containers: [{ image: 'b' }] } },
      ['spec.containers[0].image'],
    ],
    ['the whole spec of a pod', core('Pod'), {}, { spec: { volumes: [{ name: 'v' }] } }, ['spec']],
    [
      'job template',
      { group: 'batch', version: 'v1', kind: 'Job' },
      { spec: { template: { spec: { a: 1 } } } },
      { spec: { template: { spec: { a: 2 } } } },
      ['spec.template.spec.a'],
    ],
    [
      'role',
      { group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'RoleBinding' },
      { roleRef: { name: 'a' } },
      { roleRef: { name: 'b' } },
      ['roleRef.name'],
    ],
    [
      'namespace',
      core('ConfigMap'),
      { metadata: { name: 'x', namespace: 'ns' } },
      { metadata: { name: 'x', namespace: 'other' } },
      ['metadata.namespace'],
    ],
  ])('replaces for %s where the vendor does', (_, gvk, old, next, replaces) => {
    expect(planFor(gvk, old, next).replaces).toEqual(replaces);
    expect(planFor(gvk, old, next).changes).toBe(true);
    expect(planFor(gvk, next, next).changes).toBe(false);
  });

  test('an ignored path is no change', () => {
    const [old, next] = [
      { metadata: { name: 'x' }, spec: { replicas: 1 } },
      { metadata: { name: 'x' }, spec: { replicas: 3 } },
    ];
    const input = {
      gvk: apps('Deployment'),
      namespaced: true,
      mutability: mutable,
      old,
      next,
      live: { name: 'x', namespace: 'default' },
    };
    expect(plan({ ...input, ignoreChanges: ['spec.replicas'] }).changes).toBe(false);
    expect(plan({ ...input, ignoreChanges: ['spec.replica'] }).changes).toBe(true);
  });

  test('a fixed name has to be freed first; a generated one, another name or namespace need not', () => {
    const live = { name: 'x', namespace: 'ns' };
    const next = (metadata: KubeObject): KubeObject => ({ metadata });
    expect(mustDeleteFirst(next({ name: 'x', namespace: 'ns' }), live, true)).toBe(true);
    expect(
      mustDeleteFirst(
        next({ name: 'x', namespace: 'ns', annotations: { 'pulumi.com/autonamed': 'true' } }),
        live,
        true,
      ),
    ).toBe(false);
    expect(mustDeleteFirst(next({ name: 'y', namespace: 'ns' }), live, true)).toBe(false);
    expect(mustDeleteFirst(next({ name: 'x', namespace: 'other' }), live, true)).toBe(false);
    expect(mustDeleteFirst(next({ name: 'x' }), { name: 'x', namespace: '' }, false)).toBe(true);
  });

  test('unknown kinds are replaced for their name and namespace only', () => {
    expect(forceNewPaths({ group: 'example.com', version: 'v1', kind: 'Thing' }, {}, mutable)).toEqual([
      'metadata.name',
      'metadata.namespace',
    ]);
  });
});

describe('inputs as the cluster has them', () => {
  const inputs = {
    kind: 'Deployment',
    spec: {
      replicas: 3,
      template: { spec: { containers: [{ name: 'a', image: 'i:1', resources: { limits: { cpu: '1000m' } } }] } },
    },
  };
  const served = {
    kind: 'Deployment',
    spec: {
      replicas: 3,
      template: {
        spec: {
          containers: [{ name: 'a', image: 'i:1', imagePullPolicy: 'Always', resources: { limits: { cpu: '1' } } }],
        },
      },
    },
    status: { replicas: 3 },
  };

  test('what the API server normalised or filled in is no drift', () => {
    expect(liveInputs(inputs, served, served)).toEqual(inputs);
    expect(liveInputs(inputs, {}, served)).toEqual(inputs);
  });

  test('a changed, a removed and a foreign field', () => {
    const containers = [
      { name: 'sidecar', image: 's' },
      { name: 'a', image: 'i:2', env: [{ name: 'x' }] },
    ];
    const now = { kind: 'Deployment', spec: { template: { spec: { containers } }, paused: true } };
    expect(liveInputs(inputs, served, now)).toEqual({
      kind: 'Deployment',
      spec: { template: { spec: { containers: [{ name: 'a', image: 'i:2' }] } } },
    });
  });

  test('a value that admission set at once stays what the program said, until somebody changes it', () => {
    const before = { data: { a: 'mutated' } };
    expect(liveInputs({ data: { a: 'asked' } }, before, before)).toEqual({ data: { a: 'asked' } });
    expect(liveInputs({ data: { a: 'asked' } }, before, { data: { a: 'drift' } })).toEqual({ data: { a: 'drift' } });
  });

  test('stringData is compared with the data that it became', () => {
    const secret = { kind: 'Secret', stringData: { p: 'one' } };
    const data = (value: string): KubeObject => ({
      kind: 'Secret',
      data: { p: Buffer.from(value).toString('base64') },
    });
    expect(liveInputs(secret, data('one'), data('one'))).toEqual(secret);
    expect(liveInputs(secret, data('one'), data('two'))).toEqual({ kind: 'Secret', stringData: { p: 'two' } });
  });

  test('a list without names is taken whole where its length changed', () => {
    expect(liveInputs({ args: ['a', 'b'] }, { args: ['a', 'b'] }, { args: ['a'] })).toEqual({ args: ['a'] });
  });

  test('an import leaves out what the API server writes', () => {
    const live = {
      kind: 'ConfigMap',
      metadata: {
        name: 'x',
        uid: 'u',
        managedFields: [],
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
      },
      data: { a: '1' },
      status: {},
    };
    expect(importedInputs(live)).toEqual({ kind: 'ConfigMap', metadata: { name: 'x' }, data: { a: '1' } });
  });
});
