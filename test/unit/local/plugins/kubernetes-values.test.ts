import { check } from '../../../../local/plugins/kubernetes/check';
import { ApiError } from '../../../../local/plugins/kubernetes/errors';
import { appliedBy, takenOver, withoutIgnored } from '../../../../local/plugins/kubernetes/managers';
import { fieldManagerFor, isNamed, withName } from '../../../../local/plugins/kubernetes/naming';
import { gvkOf, gvkOfType, idOf, parseId, withIn, withoutIn } from '../../../../local/plugins/kubernetes/objects';
import type { KubeObject } from '../../../../local/plugins/kubernetes/objects';
import { withUnknowns } from '../../../../local/plugins/kubernetes/preview';
import { explain } from '../../../../local/plugins/kubernetes/refusal';
import { Redactor, seal } from '../../../../local/plugins/kubernetes/secrets';
import { Session } from '../../../../local/plugins/kubernetes/session';
import { problems, readSettings, unknownKeys } from '../../../../local/plugins/kubernetes/settings';
import { fromState, toState } from '../../../../local/plugins/kubernetes/state';
import { InitializationError } from '../../../../local/plugins/shared/provider';
import type { Context } from '../../../../local/plugins/shared/provider';
import type { PropertyMap, PropertyValue } from '../../../../local/plugins/shared/values';
import { plain, Secret, secretPaths, unknown } from '../../../../local/plugins/shared/values';

const kubeconfig = JSON.stringify({
  'current-context': 'here',
  contexts: [{ name: 'here', context: { cluster: 'c', user: 'u', namespace: 'home' } }],
  clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1' } }],
  users: [{ name: 'u', user: {} }],
});
const session = (): Session => new Session(readSettings({ kubeconfig }, new Map()));
const context = (type: string): Context => ({
  urn: `urn:pulumi:s::p::${type}::res`,
  type,
  name: 'res',
  signal: new AbortController().signal,
  log: () => undefined,
});
const checked = (type: string, news: PropertyMap, olds: PropertyMap = {}) =>
  check(session(), { news, olds, randomSeed: Buffer.from('seed') }, context(type));

describe('types and ids', () => {
  test('tokens of the vendor', () => {
    expect(gvkOfType('kubernetes:core/v1:ConfigMap')).toEqual({ group: '', version: 'v1', kind: 'ConfigMap' });
    expect(gvkOfType('kubernetes:example.com/v1:Thing').group).toBe('example.com');
    expect(gvkOf({ apiVersion: 'apps/v1', kind: 'Deployment' }, gvkOfType('kubernetes:core/v1:Pod')).group).toBe(
      'apps',
    );
    for (const type of [
      'kubernetes:helm.sh/v3:Release',
      'kubernetes:yaml:ConfigFile',
      'kubernetes:yaml/v2:ConfigGroup',
    ]) {
      expect(() => gvkOfType(type)).toThrow(/serves no .*vendor's plugin/);
    }
  });

  test('ids', () => {
    expect(idOf({ metadata: { name: 'n', namespace: 'ns' } })).toBe('ns/n');
    expect(idOf({ metadata: { name: 'n' } })).toBe('n');
    expect(parseId('ns/n')).toEqual({ namespace: 'ns', name: 'n' });
    expect(parseId('n')).toEqual({ namespace: '', name: 'n' });
  });

  test('copies with and without a value', () => {
    const object = { a: { b: 1, c: 2 } };
    expect(withIn<PropertyValue>(object, ['a', 'd', 'e'], 3)).toEqual({
      a: { b: 1, c: 2, d: { e: 3 } },
    });
    expect(withoutIn(object as never, ['a', 'b'])).toEqual({ a: { c: 2 } });
    expect(withoutIn(object as never, ['x', 'b'])).toBe(object);
  });
});

describe('check', () => {
  test('names and places what the program left open, the same for the same seed', async () => {
    const first = await checked('kubernetes:core/v1:ConfigMap', { apiVersion: 'v1', kind: 'ConfigMap', data: null });
    const again = await checked('kubernetes:core/v1:ConfigMap', { apiVersion: 'v1', kind: 'ConfigMap' });
    const metadata = first.inputs['metadata'] as PropertyMap;
    expect(metadata).toMatchObject({ namespace: 'home', annotations: { 'pulumi.com/autonamed': 'true' } });
    expect(metadata['name']).toMatch(/^res-[0-9a-f]{8}$/);
    expect(again.inputs).toEqual(first.inputs);
    expect('data' in first.inputs).toBe(false);
    const kept = await checked(
      'kubernetes:core/v1:ConfigMap',
      { kind: 'ConfigMap' },
      {
        metadata: { name: 'res-old', annotations: { 'pulumi.com/autonamed': 'true' } },
      },
    );
    expect((kept.inputs['metadata'] as PropertyMap)['name']).toBe('res-old');
  });

  test('leaves an unknown name alone, and gives no namespace to what has none', async () => {
    const { inputs } = await checked('kubernetes:core/v1:Namespace', {
      kind: 'Namespace',
      metadata: { name: unknown },
    });
    expect(inputs['metadata']).toEqual({ name: unknown });
    expect(isNamed({ metadata: unknown })).toBe(true);
    const annotations = withName({ metadata: { annotations: unknown } }, {}, 'res', new Uint8Array());
    expect((annotations['metadata'] as PropertyMap)['annotations']).toBe(unknown);
  });

  test('a Secret is secret whoever made it; other leaves stay as they are marked', async () => {
    const secret = await checked('kubernetes:core/v1:Secret', { kind: 'Secret', stringData: { a: 'x' } });
    expect(secretPaths(secret.inputs)).toEqual([['stringData']]);
    const env = [
      { name: 'A', value: new Secret('hidden') },
      { name: 'B', value: 'shown' },
    ];
    const pod = await checked('kubernetes:core/v1:Pod', { kind: 'Pod', spec: { containers: [{ env }] } });
    expect(secretPaths(pod.inputs)).toEqual([['spec', 'containers', 0, 'env', 0, 'value']]);
  });

  test('refuses what server-side apply can’t do', async () => {
    const generate = await checked('kubernetes:core/v1:Pod', { kind: 'Pod', metadata: { generateName: 'x-' } });
    expect(generate.failures?.map((failure) => failure.property)).toEqual(['metadata.generateName']);
    const list = await checked('kubernetes:core/v1:PodList', { kind: 'PodList', items: [] });
    expect(list.failures?.map((failure) => failure.property)).toEqual(['items']);
    const patch = await checked('kubernetes:core/v1:PodPatch', { kind: 'Pod' });
    expect(patch.failures?.map((failure) => failure.property)).toEqual(['metadata.name']);
  });
});

describe('settings', () => {
  test('booleans arrive as JSON text; what only the vendor can do is refused', () => {
    expect(readSettings({ enableConfigMapMutable: 'true' }, new Map()).mutability).toEqual({
      configMaps: true,
      secrets: false,
    });
    expect(readSettings({}, new Map([['kubernetes:config:namespace', 'n']])).namespace).toBe('n');
    expect(problems({ enableServerSideApply: 'false' }).map((item) => item.property)).toEqual([
      'enableServerSideApply',
    ]);
    expect(problems({ enableServerSideApply: 'true' })).toEqual([]);
    expect(problems({ renderYamlToDirectory: 'x' })).toHaveLength(1);
    expect(unknownKeys({ context: 'a', contxt: 'b', kubeClientSettings: '{}' })).toEqual(['contxt']);
  });
});

describe('secrets', () => {
  const inputs: PropertyMap = {
    kind: 'Pod',
    spec: {
      env: [
        { name: 'A', value: new Secret('s3cr3t-value') },
        { name: 'B', value: 'open' },
      ],
    },
  };

  test('are found in an answer at their path, and where they moved to', () => {
    const env = [
      { name: 'B', value: 'open' },
      { name: 'C', value: 'url://s3cr3t-value' },
    ];
    const sealed = seal({ kind: 'Pod', spec: { env } }, inputs);
    expect(secretPaths(sealed)).toEqual([
      ['spec', 'env', 0, 'value'],
      ['spec', 'env', 1, 'value'],
    ]);
    expect(plain(sealed)).toEqual({ kind: 'Pod', spec: { env } });
  });

  test('a Secret’s name is open, even where its data say the same', () => {
    const secret = {
      kind: 'Secret',
      metadata: { name: 'postgres-secret' },
      stringData: new Secret({ user: 'postgres' }),
    };
    const live = { kind: 'Secret', metadata: { name: 'postgres-secret' }, data: { user: 'cG9zdGdyZXM=' } };
    expect(secretPaths(seal(live, secret))).toEqual([['data']]);
  });

  test('state holds the vendor’s keys, no managed fields, and is read again', () => {
    const live: KubeObject = {
      kind: 'Pod',
      metadata: { name: 'x', managedFields: [{}] },
      spec: { env: [{ name: 'A', value: 's3cr3t-value' }] },
    };
    const state = toState(live, inputs, 'manager', 'v1');
    expect(Object.keys(state).sort()).toEqual([
      '__fieldManager',
      '__initialApiVersion',
      '__inputs',
      'kind',
      'metadata',
      'spec',
    ]);
    expect(JSON.stringify(state)).not.toContain('s3cr3t-value');
    const checkpoint = fromState(state);
    expect(checkpoint).toMatchObject({ fieldManager: 'manager', initialApiVersion: 'v1', inputs: plain(inputs) });
    expect(checkpoint.live).toEqual({
      kind: 'Pod',
      metadata: { name: 'x' },
      spec: { env: [{ name: 'A', value: 's3cr3t-value' }] },
    });
  });

  test('keys of definitions are spelled for the SDK in state and for the API on the way out', () => {
    const live = { kind: 'CustomResourceDefinition', spec: { 'x-kubernetes-int-or-string': true } };
    const state = toState(live, {}, 'm', 'v1');
    expect(state['spec']).toEqual({ x_kubernetes_int_or_string: true });
    expect(fromState(state).live).toEqual(live);
  });

  test('are removed from messages in every spelling, and names are not', () => {
    const redactor = new Redactor();
    redactor.learn({ kind: 'Pod', metadata: { name: 'postgres-0' } }, inputs);
    redactor.learn({
      kind: 'Secret',
      metadata: { name: 's' },
      data: { a: Buffer.from('from-data').toString('base64'), b: Buffer.from('postgres').toString('base64') },
    });
    redactor.learn({ spec: new Secret('pg://user:pass%40word@host/db') });
    const text = redactor.text(
      `s3cr3t-value ${Buffer.from('s3cr3t-value').toString('base64')} from-data pass@word postgres-0`,
    );
    expect(text).toBe('[secret] [secret] [secret] [secret] postgres-0');
  });
});

describe('previews', () => {
  test('what the server assigns is unknown, unless the program sets it', () => {
    const dry: PropertyMap = {
      metadata: { name: 'x', uid: 'made-up' },
      spec: { clusterIP: '10.0.0.1', ports: [{ port: 80, nodePort: 30001 }] },
    };
    const shown = withUnknowns(dry, { group: '', version: 'v1', kind: 'Service' }, { spec: { ports: [{ port: 80 }] } });
    expect(shown).toMatchObject({
      metadata: { name: 'x', uid: unknown },
      status: unknown,
      spec: { clusterIP: unknown, ports: [{ port: 80, nodePort: unknown }] },
    });
    const fixed = withUnknowns(dry, { group: '', version: 'v1', kind: 'Service' }, { spec: { clusterIP: 'None' } });
    expect(fixed['spec']).toMatchObject({ clusterIP: '10.0.0.1' });
  });
});

describe('field managers', () => {
  const fields = (...keys: string[]): KubeObject => ({
    'f:data': Object.fromEntries(keys.map((key) => [`f:${key}`, {}])),
  });
  const live: KubeObject = {
    data: { a: '1', b: 'live' },
    spec: { replicas: 5 },
    metadata: {
      managedFields: [
        { manager: 'ours', operation: 'Apply', fieldsV1: fields('a') },
        { manager: 'kubectl-edit', operation: 'Update', fieldsV1: fields('b') },
        { manager: 'kubectl', operation: 'Update', subresource: 'scale', fieldsV1: {} },
        { manager: 'hpa', operation: 'Update', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
      ],
    },
  };

  test('edits by hand are taken over, subresources and operators are not', () => {
    const taken = takenOver(live, 'ours');
    expect(taken?.map((entry) => (entry as KubeObject)['manager'])).toEqual(['ours', 'kubectl', 'hpa']);
    expect((taken?.[0] as KubeObject)['fieldsV1']).toEqual(fields('a', 'b'));
    expect(takenOver({ metadata: { managedFields: [] } }, 'ours')).toBeUndefined();
    expect(appliedBy(live, 'ours')).toBe(true);
    expect(appliedBy(live, 'hpa')).toBe(false);
  });

  test('an ignored field is left to its owner, or kept as it is', () => {
    const object = { data: { a: 'new' }, spec: { replicas: 1 } };
    expect(withoutIgnored(object, live, 'ours', ['spec.replicas'])).toEqual({ data: { a: 'new' }, spec: {} });
    expect(withoutIgnored(object, live, 'ours', ['data.a'])).toEqual({ data: { a: '1' }, spec: { replicas: 1 } });
  });

  test('the name follows from the URN', () => {
    expect(fieldManagerFor('urn:a')).toMatch(/^pulumi-kubernetes-[0-9a-f]{8}$/);
    expect(fieldManagerFor('urn:a')).toBe(fieldManagerFor('urn:a'));
    expect(fieldManagerFor('urn:a')).not.toBe(fieldManagerFor('urn:b'));
  });
});

test('an error loses its secrets, but never the state that it carries', () => {
  const current = session();
  current.redactor.learn({ spec: new Secret('default-ish') });
  expect(current.refusal(new Error('no default-ish here')).message).toBe('no [secret] here');
  const partial = new InitializationError('default-ish/x', {}, {}, []);
  expect(current.refusal(partial)).toBe(partial);
});

test('a refusal lists every cause', () => {
  const object = { kind: 'Service', metadata: { name: 'x', namespace: 'n' } };
  const causes = [
    { field: 'spec.a', message: 'bad' },
    { field: 'spec.b', message: 'worse' },
  ];
  const error = new ApiError(422, { message: 'invalid', details: { causes } });
  expect(explain(error, object)).toBe('Service n/x is refused by the API server:\n  - spec.a: bad\n  - spec.b: worse');
});
