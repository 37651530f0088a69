import type * as pulumi from '@pulumi/pulumi';
import { ApiObject } from 'cdk8s';
import type { App, Chart } from 'cdk8s';
import { LateTokens } from '../../../components/late';
import { RemovalPolicy, setReleaseOptions } from '../../../components/release-options';
import { renderForGitOps } from '../../../bridge/gitops';
import { READS_ANNOTATION } from '../../../bridge/reads';
import { ClusterRelease } from '../../../bridge/release';
import { render } from '../../../bridge/render';
import type { SecretSource } from '../../../bridge/secret-source';
import { ExternalSecretValue, replaceSecrets, SealedSecretValue } from '../../../bridge/secret-source';
import { freshChart, problemsOf } from './support';

const STORE = { kind: 'ClusterSecretStore', name: 'store' } as const;
const sealed = (ciphertexts: Record<string, Record<string, string>>): SecretSource => ({
  kind: 'SealedSecret',
  ciphertexts,
});

const token = (chart: Chart, key: string, kind: 'external' | 'sealed' = 'sealed'): string =>
  LateTokens.of(chart).asSecret(
    chart,
    kind === 'sealed' ? new SealedSecretValue(key) : new ExternalSecretValue(`trellis/${key}`),
  );

function secret(chart: Chart, stringData: Record<string, string>, name = 'db'): ApiObject {
  return new ApiObject(chart, name, {
    ...{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque', stringData },
    metadata: { name, labels: { app: 'db' } },
  });
}

function deployment(chart: Chart, key: string): void {
  const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'db', key } } }];
  const template = { metadata: { labels: { app: 'd' } }, spec: { containers: [{ name: 'c', image: 'web', env }] } };
  const spec = { selector: { matchLabels: { app: 'd' } }, template };
  new ApiObject(chart, 'd', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec });
}

const specOf = (app: App, source: SecretSource, kind: string): Record<string, unknown> => {
  const found = renderForGitOps(app, source).filter((one) => one.kind === kind);
  expect(found).toHaveLength(1);
  return found[0]?.spec as Record<string, unknown>;
};

describe('a SealedSecret', () => {
  it('has a ciphertext where an entry is the secret, and a template where it is a part', () => {
    const { app, chart } = freshChart();
    const [password, other] = [token(chart, 'password'), token(chart, 'other-one')];
    secret(chart, {
      PASSWORD: password,
      SAME: password,
      URL: `postgres://u:${password}@db:5432/d`,
      'both.txt': `${password}/${other}`,
      NOTE: 'braces {{ stay }}',
    });
    expect(specOf(app, sealed({ 'test/db': { password: 'AAA', 'other-one': 'BBB' } }), 'SealedSecret')).toEqual({
      encryptedData: { PASSWORD: 'AAA', other_one: 'BBB' },
      template: {
        metadata: { labels: { app: 'db' }, annotations: { 'sealedsecrets.bitnami.com/managed': 'true' } },
        type: 'Opaque',
        data: {
          SAME: '{{ .PASSWORD }}',
          URL: 'postgres://u:{{ .PASSWORD }}@db:5432/d',
          'both.txt': '{{ .PASSWORD }}/{{ .other_one }}',
          NOTE: '{{ "braces {{ stay }}" }}',
        },
      },
    });
  });

  it('reads an entry whose name is no variable by its name', () => {
    const { app, chart } = freshChart();
    const key = token(chart, 'key');
    secret(chart, { 'tls.key': key, PAIR: `cert ${key}` });
    expect(specOf(app, sealed({ 'test/db': { key: 'AAA' } }), 'SealedSecret')).toMatchObject({
      encryptedData: { 'tls.key': 'AAA' },
      template: { data: { PAIR: 'cert {{ index . "tls.key" }}' } },
    });
  });

  it('leaves its Secret behind where the Secret is kept', () => {
    const { app, chart } = freshChart();
    setReleaseOptions(secret(chart, { PASSWORD: token(chart, 'password') }), { removalPolicy: RemovalPolicy.RETAIN });
    expect(specOf(app, sealed({ 'test/db': { password: 'AAA' } }), 'SealedSecret')).toMatchObject({
      template: { metadata: { annotations: { 'sealedsecrets.bitnami.com/skip-set-owner-references': 'true' } } },
    });
  });

  it('is refused, with all problems, where a ciphertext is missing or nobody needs one', () => {
    const { app, chart } = freshChart();
    secret(chart, { PASSWORD: token(chart, 'password'), KEY: token(chart, 'key') });
    const ciphertexts = { 'test/db': { key: 'AAA', old: 'BBB' }, 'elsewhere/db': { key: 'CCC' } };
    expect(problemsOf(() => renderForGitOps(app, sealed(ciphertexts)))).toEqual([
      "chart/db: test/db has no ciphertext of 'password'; seal it first",
      "test/db has a ciphertext of 'old', which that Secret does not hold",
      'elsewhere/db has ciphertexts, and the definition has no such Secret',
    ]);
  });
});

describe('an ExternalSecret', () => {
  it.each([
    [RemovalPolicy.RETAIN, 'Orphan'],
    [RemovalPolicy.DESTROY, 'Owner'],
  ])('of a Secret with removal %s leaves it as %s', (removalPolicy, creationPolicy) => {
    const { app, chart } = freshChart();
    setReleaseOptions(secret(chart, { PASSWORD: token(chart, 'a', 'external') }), { removalPolicy });
    expect(specOf(app, STORE, 'ExternalSecret')).toMatchObject({ target: { creationPolicy } });
  });
});

describe('a release', () => {
  const replaced = (app: App, source: SecretSource) => replaceSecrets(render(app), LateTokens.of(app), source);

  it('puts the maker in the Secret’s place, with its path and order, and leaves known Secrets alone', () => {
    const { app, chart } = freshChart();
    secret(chart, { PASSWORD: token(chart, 'a', 'external') });
    secret(chart, { PLAIN: 'x' }, 'plain');
    deployment(chart, 'PASSWORD');
    const objects = replaced(app, STORE);
    expect(objects.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
      'chart/db ExternalSecret',
      'chart/plain Secret',
      'chart/d Deployment',
    ]);
    expect(objects[2]?.dependsOn).toEqual(['chart/db']);
  });

  it('refuses a Secret that mixes values and references, and one whose source is another', () => {
    const { app, chart } = freshChart();
    const value = LateTokens.of(chart).asSecret(chart, 'canary-value');
    secret(chart, { PASSWORD: token(chart, 'a', 'external'), MIXED: value, OTHER: token(chart, 'b') });
    expect(problemsOf(() => replaced(app, STORE))).toEqual([
      'chart/db: stringData.MIXED has no reference to an external secret',
      'chart/db: stringData.OTHER has no reference to an external secret',
    ]);
  });
});

describe('a release is refused before any resource is made', () => {
  const problems = (app: App, secrets?: SecretSource): readonly string[] =>
    problemsOf(
      () =>
        new ClusterRelease(
          'release',
          { app, ...(secrets === undefined ? {} : { secrets }) },
          { provider: undefined as unknown as pulumi.ProviderResource },
        ),
    );

  it('where a reference stands outside of a Secret, or nobody makes what a Secret refers to', () => {
    const { app, chart } = freshChart();
    const reference = new ExternalSecretValue('trellis/a');
    const data = { a: LateTokens.of(chart).asString(chart, reference) };
    new ApiObject(chart, 'c', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data });
    const refused = (field: string): string =>
      `${field} refers to the secret 'trellis/a', which has no value here; only a Secret of a release with \`secrets\` may`;
    expect(problems(app, STORE)).toEqual([refused('chart/c: data.a')]);
    const other = freshChart();
    secret(other.chart, { PASSWORD: LateTokens.of(other.chart).asSecret(other.chart, reference) });
    expect(problems(other.app)).toEqual([refused('chart/db: stringData.PASSWORD')]);
  });

  it('where pods read a value of the engine, and there is no key for the digest', () => {
    const { app, chart } = freshChart();
    secret(chart, { PASSWORD: LateTokens.of(chart).asSecret(chart, 'canary-value') });
    deployment(chart, 'PASSWORD');
    expect(problems(app)).toEqual(['chart/d: its pods read values that only the engine knows; give a digestKey']);
  });
});

describe('pods that read a secret of which no value is known', () => {
  const digest = (source: SecretSource, key: string, before = 0, read = 'PASSWORD'): unknown => {
    const { app, chart } = freshChart();
    // Late values that others bring in do not count.
    for (let one = 0; one < before; one += 1) token(chart, `before-${one}`);
    const kind = source.kind === 'SealedSecret' ? 'sealed' : 'external';
    secret(chart, { PASSWORD: token(chart, key, kind), OTHER: 'x' });
    deployment(chart, read);
    const { template } = specOf(app, source, 'Deployment') as {
      template: { metadata: { annotations: Record<string, string> } };
    };
    return template.metadata.annotations[READS_ANNOTATION];
  };

  it('roll when they refer to another key of the store, or its revision is a new one', () => {
    const first = digest(STORE, 'a');
    expect(first).toMatch(/^[0-9a-f]{16}$/);
    expect(digest(STORE, 'a', 3)).toBe(first);
    expect(digest(STORE, 'b')).not.toBe(first);
    expect(digest({ ...STORE, revision: '2' }, 'a')).not.toBe(first);
    expect(digest({ ...STORE, revision: '2' }, 'a', 0, 'OTHER')).toBe(digest(STORE, 'a', 0, 'OTHER'));
  });

  it('roll when the ciphertext is a new one', () => {
    const first = digest(sealed({ 'test/db': { a: 'AAA' } }), 'a');
    expect(digest(sealed({ 'test/db': { a: 'AAA' } }), 'a', 2)).toBe(first);
    expect(digest(sealed({ 'test/db': { a: 'AAB' } }), 'a')).not.toBe(first);
  });
});
