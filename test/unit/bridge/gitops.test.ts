import { ApiObject } from 'cdk8s';
import type { App, Chart } from 'cdk8s';
import { LateTokens } from '../../../components/late';
import { renderForGitOps } from '../../../bridge/gitops';
import { ExternalSecretValue } from '../../../bridge/secret-source';
import { READS_ANNOTATION } from '../../../bridge/reads';
import { freshChart, problemsOf } from './support';

const STORE = { kind: 'ClusterSecretStore', name: 'store' } as const;

const manifest = (app: App, kind: string): Record<string, unknown> => {
  const found = renderForGitOps(app, STORE).filter((one) => one.kind === kind);
  expect(found).toHaveLength(1);
  return found[0] as Record<string, unknown>;
};

function secret(chart: Chart, stringData: Record<string, string>): void {
  new ApiObject(chart, 'secret', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db' }, stringData });
}

describe('rendering for GitOps', () => {
  it('turns a Secret into an ExternalSecret whose template refers to the store', () => {
    const { app, chart } = freshChart();
    const password = LateTokens.of(chart).asSecret(chart, new ExternalSecretValue('trellis/prod/postgres'));
    secret(chart, { PASSWORD: password, URL: `postgres://u:${password}@db:5432/d`, NOTE: 'braces {{ stay }}' });
    expect(manifest(app, 'ExternalSecret').spec).toEqual({
      refreshInterval: '1h0m0s',
      secretStoreRef: { kind: 'ClusterSecretStore', name: 'store' },
      target: {
        name: 'db',
        creationPolicy: 'Owner',
        deletionPolicy: 'Retain',
        template: {
          engineVersion: 'v2',
          data: {
            PASSWORD: '{{ .trellis_prod_postgres }}',
            URL: 'postgres://u:{{ .trellis_prod_postgres }}@db:5432/d',
            NOTE: '{{ "braces {{ stay }}" }}',
          },
        },
      },
      data: [{ secretKey: 'trellis_prod_postgres', remoteRef: { key: 'trellis/prod/postgres' } }],
    });
  });

  it('refuses a secret that has a value and no reference, and does not show it', () => {
    const { app, chart } = freshChart();
    secret(chart, { PASSWORD: LateTokens.of(chart).asSecret(chart, 'canary-value') });
    expect(problemsOf(() => renderForGitOps(app, STORE))).toEqual([
      'chart/secret: stringData.PASSWORD has no reference to an external secret',
    ]);
  });

  it('refuses a late value elsewhere, naming its field', () => {
    const { app, chart } = freshChart();
    const late = LateTokens.of(chart).asString(chart, Promise.resolve('x'));
    new ApiObject(chart, 'c', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: late } });
    expect(problemsOf(() => renderForGitOps(app, STORE))).toEqual([
      'chart/c: data.a is known only to the deployment engine; give a plain value to render it',
    ]);
  });

  it('marks pods with a digest that changes with what they read, and with nothing else', () => {
    const digest = (data: Record<string, string>): unknown => {
      const { app, chart } = freshChart();
      new ApiObject(chart, 'c', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data });
      const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'read' } } }];
      const template = { metadata: { labels: { app: 'd' } }, spec: { containers: [{ name: 'c', image: 'web', env }] } };
      const spec = { selector: { matchLabels: { app: 'd' } }, template };
      new ApiObject(chart, 'd', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec });
      const pods = manifest(app, 'Deployment').spec as {
        template: { metadata: { annotations: Record<string, string> } };
      };
      return pods.template.metadata.annotations[READS_ANNOTATION];
    };
    const first = digest({ read: '1', other: '1' });
    expect(first).toMatch(/^[0-9a-f]{16}$/);
    expect(digest({ read: '1', other: '2' })).toBe(first);
    expect(digest({ read: '2', other: '1' })).not.toBe(first);
  });
});
