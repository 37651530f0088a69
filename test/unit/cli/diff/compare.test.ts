import type { Rendered, Side } from '../../../../cli/diff/compare';
import { compare } from '../../../../cli/diff/compare';
import { json, printed } from '../../../../cli/diff/print';
import { parseRange } from '../../../../cli/diff/sides';

const object = (
  path: string | undefined,
  kind: string,
  name: string,
  namespace: string,
  more: object = {},
): Rendered => ({
  ...(path === undefined ? {} : { path }),
  manifest: { apiVersion: 'v1', kind, metadata: { name, ...(kind === 'Namespace' ? {} : { namespace }) }, ...more },
});
const side = (environment: string, ...objects: readonly Rendered[]): Side => ({
  name: environment,
  environment,
  objects,
});

const platform = (environment: string, namespace: string, ...more: readonly Rendered[]): Side =>
  side(
    environment,
    object('shop/Namespace', 'Namespace', namespace, ''),
    object('shop/web/Config', 'ConfigMap', 'web', namespace, {
      data: { URL: `http://db.${namespace}.svc:80`, PART: 'shop' },
    }),
    ...more,
  );

describe('two environments', () => {
  test('are matched by construct path: the name of a namespace counts once', () => {
    const { namespaces, objects, equal } = compare(platform('dev', 'shop-dev'), platform('prod', 'shop'));
    expect(namespaces).toEqual([{ left: 'shop-dev', right: 'shop' }]);
    expect(objects).toEqual([
      {
        change: 'changed',
        path: 'shop/Namespace',
        kind: 'Namespace',
        name: 'shop-dev',
        fields: [{ field: 'metadata.name', left: 'shop-dev', right: 'shop' }],
      },
    ]);
    expect(equal).toBe(1);
  });

  test('the other way round too, though one name is part of the other', () => {
    const { objects } = compare(platform('prod', 'shop'), platform('dev', 'shop-dev'));
    expect(objects.map(({ path }) => path)).toEqual(['shop/Namespace']);
  });

  test('with an object that only one has', () => {
    const extra = object('shop/web/Scaler', 'HorizontalPodAutoscaler', 'web', 'shop');
    const { objects } = compare(platform('dev', 'shop'), platform('prod', 'shop', extra));
    expect(objects).toEqual([
      { change: 'added', path: 'shop/web/Scaler', kind: 'HorizontalPodAutoscaler', name: 'web', fields: [] },
    ]);
    expect(compare(platform('prod', 'shop', extra), platform('dev', 'shop')).objects[0]?.change).toBe('removed');
  });

  test('an object with another name is the same object', () => {
    const named = (name: string) => side('dev', object('shop/web/Service', 'Service', name, 'shop'));
    expect(compare(named('a'), named('b')).objects).toEqual([
      {
        change: 'replaced',
        path: 'shop/web/Service',
        kind: 'Service',
        name: 'a',
        fields: [{ field: 'metadata.name', left: 'a', right: 'b' }],
      },
    ]);
  });

  test('external secrets that each refer to their environment are the same', () => {
    const secret = (environment: string, key = 'password') =>
      side(
        environment,
        object('shop/db/Secret', 'ExternalSecret', 'db', 'shop', {
          spec: {
            data: [{ secretKey: `trellis_${environment}_db`, remoteRef: { key: `trellis/${environment}/${key}` } }],
          },
        }),
      );
    expect(compare(secret('dev'), secret('prod')).objects.flatMap(({ fields }) => fields)).toEqual([]);
    expect(compare(secret('dev'), secret('prod', 'pin')).objects.flatMap(({ fields }) => fields)).toEqual([
      { field: 'spec.data[0].remoteRef.key', left: 'trellis/dev/password', right: 'trellis/prod/pin' },
    ]);
  });

  test('what follows from other fields is left out', () => {
    const annotated = (value: string) =>
      side('dev', {
        path: 'a',
        manifest: { kind: 'Pod', metadata: { name: 'a', annotations: { 'trellis.dev/reads': value } } },
      });
    expect(compare(annotated('1'), annotated('2')).objects).toEqual([]);
  });
});

test('without construct paths objects are matched by kind, namespace and name, whatever the version', () => {
  const old = object(undefined, 'Job', 'a', 'shop', { apiVersion: 'batch/v1beta1' });
  const now = object('shop/Job', 'Job', 'a', 'shop', { apiVersion: 'batch/v1' });
  expect(compare(side('old', old), side('now', now)).objects).toEqual([
    {
      change: 'changed',
      path: 'shop',
      kind: 'Job',
      name: 'a',
      fields: [{ field: 'apiVersion', left: 'batch/v1beta1', right: 'batch/v1' }],
    },
  ]);
});

test('no value of a Secret is in any output, only that a key is there or not', () => {
  const secret = (name: string, stringData: object) => side(name, object('a', 'Secret', 'a', 'shop', { stringData }));
  const comparison = compare(
    secret('dev', { SAME: 'canary-1', GONE: 'canary-2' }),
    secret('prod', { SAME: 'canary-3', NEW: 'canary\n4' }),
  );
  expect(comparison.objects[0]?.fields).toEqual([
    { field: 'stringData.GONE', left: '(secret)' },
    { field: 'stringData.NEW', right: '(secret)' },
  ]);
  for (const output of [printed([comparison]), json([comparison]), JSON.stringify(comparison)]) {
    expect(output).not.toContain('canary');
  }
});

describe('of one environment', () => {
  const at = (name: string, manifest: object): Side => ({
    name,
    environment: 'prod',
    objects: [{ path: 'shop/web', manifest: { metadata: { name: 'web', namespace: 'shop' }, ...manifest } }],
  });
  const change = (left: object, right: object): readonly (readonly [string, readonly string[]])[] =>
    compare(at('main', left), at('HEAD', right)).objects.map((one) => [
      one.change,
      one.fields.map(({ field }) => field),
    ]);
  const set = (spec: object) => ({ apiVersion: 'apps/v1', kind: 'StatefulSet', spec });

  test('an object is replaced where a field of it is on the list of those that force a new one', () => {
    const selector = (name: string) => ({ selector: { matchLabels: { 'app.io/name': name } } });
    expect(change(set(selector('a')), set(selector('b')))).toEqual([
      ['replaced', ["spec.selector.matchLabels['app.io/name']"]],
    ]);
    const template = (image: string) => ({ template: { spec: { containers: [{ name: 'web', image }] } } });
    expect(change(set(template('a')), set(template('b')))).toEqual([
      ['changed', ['spec.template.spec.containers[web].image']],
    ]);
    const job = (image: string) => ({ ...set(template(image)), apiVersion: 'batch/v1', kind: 'Job' });
    expect(change(job('a'), job('b'))).toEqual([['replaced', ['spec.template.spec.containers[web].image']]]);
  });

  test('a ConfigMap changes in place, one that is immutable does not', () => {
    const config = (value: string, more: object = {}) => ({
      ...{ apiVersion: 'v1', kind: 'ConfigMap', data: { 'a.conf': `x\n${value}\n` } },
      ...more,
    });
    expect(change(config('1'), config('2'))).toEqual([['changed', ["data['a.conf'] line 2"]]]);
    expect(change(config('1', { immutable: true }), config('2', { immutable: true }))[0]?.[0]).toBe('replaced');
  });

  test('another name is another object', () => {
    expect(change(set({}), { ...set({}), metadata: { name: 'web2', namespace: 'shop' } })).toEqual([
      ['replaced', ['metadata.name']],
    ]);
  });
});

describe('a quota', () => {
  const quota = (hard: object): Rendered => object('shop/Quota', 'ResourceQuota', 'quota', 'shop', { spec: { hard } });
  const workload = (memory: string): Rendered =>
    object('shop/web', 'Deployment', 'web', 'shop', {
      spec: { replicas: 1, template: { spec: { containers: [{ name: 'web', resources: { limits: { memory } } }] } } },
    });
  const sums = (memory: string) => ({
    ...{ 'limits.memory': memory, persistentvolumeclaims: '0', pods: '3', 'requests.storage': '0Mi' },
    'services.loadbalancers': '0',
  });

  test('that is the sum of its namespace follows from what changed, and counts for itself where it says more', () => {
    const left = side('a', workload('64Mi'), quota(sums('160Mi')));
    const right = side('b', workload('128Mi'), quota(sums('320Mi')));
    const { objects, following } = compare(left, right);
    expect(objects.map(({ path }) => path)).toEqual(['shop/web']);
    expect(following.map(({ path, fields }) => [path, fields])).toEqual([
      ['shop/Quota', [{ field: "spec.hard['limits.memory']", left: '160Mi', right: '320Mi' }]],
    ]);
    expect(printed([compare(left, right)])).toContain('and what follows from it, sums of what a namespace holds:\n');
    const given = side('b', workload('128Mi'), quota(sums('1Gi')));
    expect(compare(left, given).objects.map(({ path }) => path)).toEqual(['shop/Quota', 'shop/web']);
  });
});

describe('printed', () => {
  const comparison = compare(
    side(
      'dev',
      object('shop/a', 'ConfigMap', 'a', 'shop', { data: { X: '1', LONG: 'l'.repeat(200), BAR: 'a|`b`' } }),
      object('shop/b', 'Secret', 'b', 'shop'),
      object('shop/c', 'Secret', 'c', 'shop'),
    ),
    side(
      'prod',
      object('shop/a', 'ConfigMap', 'a', 'shop', { data: { X: 'two words', LONG: 'm', BAR: '' } }),
      object('shop/c', 'Secret', 'c', 'shop'),
      object('shop/d', 'Secret', 'd', 'shop'),
    ),
  );

  test('as text for a terminal and for a log', () => {
    expect(printed([comparison])).toBe(
      [
        'dev → prod, object by object: 1 differ, 1 only in prod, 1 only in dev, 1 the same',
        '',
        '~ shop/a  ConfigMap a',
        '    data.X: 1 → "two words"',
        `    - data.LONG: ${'l'.repeat(119)}…`,
        '    + data.LONG: m',
        '    data.BAR: a|`b` → ""',
        '',
        '- shop/b  Secret b',
        '',
        '+ shop/d  Secret d',
        '',
      ].join('\n'),
    );
    expect(printed([comparison], true)).toContain('\u001b[32m+ shop/d  Secret d\u001b[0m');
  });

  test('as JSON with every value whole', () => {
    expect(JSON.parse(json([comparison]))).toEqual(comparison);
    expect(JSON.parse(json([comparison, comparison]))).toEqual([comparison, comparison]);
  });

  test('as one line where nothing differs', () => {
    const one = side('dev', object('a', 'Service', 'a', 'shop'));
    expect(printed([compare(one, { ...one, name: 'HEAD' })])).toBe('dev and HEAD are the same, 1 of 1 objects\n');
  });
});

describe('a range', () => {
  test.each([
    ['dev..prod', { left: 'dev', right: 'prod', revisions: false }],
    ['main..HEAD', { left: 'main', right: 'HEAD', revisions: true }],
    ['v1.0..feature/x', { left: 'v1.0', right: 'feature/x', revisions: true }],
    ['HEAD~2..', { left: 'HEAD~2', right: '', revisions: true }],
  ])('%s', (text, expected) => {
    expect(parseRange(text)).toEqual(expected);
  });

  test.each([
    ['dev', 'is not a range such as dev..prod'],
    ['..prod', 'is not a range'],
    ['-x..y', 'is not a range'],
    ['x..-y', 'is not a range'],
    ['a..b..c', 'is not a range'],
    ['dev..HEAD', 'dev is an environment and the other side is none'],
    ['dev..', 'dev is an environment and the other side is none'],
  ])('%s is refused', (text, message) => {
    expect(() => parseRange(text)).toThrow(message);
  });
});
