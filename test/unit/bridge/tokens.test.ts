import * as pulumi from '@pulumi/pulumi';
import { ApiObject, JsonPatch } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { LateTokens } from '../../../components/late';
import { render } from '../../../bridge/render';
import { restore } from '../../../bridge/restore';
import { find, freshChart, problemsOf } from './support';

/** Waits for every Output in a tree, as the engine does. */
const settle = (value: unknown): Promise<unknown> =>
  (pulumi.output(value) as pulumi.Output<unknown> & { promise(): Promise<unknown> }).promise();

describe('a late value in each of the places where a raw Output breaks', () => {
  const late = (): pulumi.Output<string> => pulumi.output(Promise.resolve('late.example.com'));

  it('is the Output itself as a whole value', async () => {
    const { app, chart } = freshChart();
    const output = late();
    const tokens = LateTokens.of(chart);
    new kplus.ConfigMap(chart, 'c', { metadata: { name: 'c' }, data: { key: tokens.asString(chart, output) } });
    const inputs = restore(find(app, 'ConfigMap', 'c'), tokens) as { data: { key: unknown } };
    expect(inputs.data.key).toBe(output);
    expect(await settle(inputs.data.key)).toBe('late.example.com');
  });

  it('joins within a template literal', async () => {
    const { app, chart } = freshChart();
    const tokens = LateTokens.of(chart);
    const host = tokens.asString(chart, late());
    new kplus.ConfigMap(chart, 'c', { metadata: { name: 'c' }, data: { url: `https://${host}:8443/${host}` } });
    const inputs = restore(find(app, 'ConfigMap', 'c'), tokens) as { data: { url: unknown } };
    expect(await settle(inputs.data.url)).toBe('https://late.example.com:8443/late.example.com');
  });

  it('works as the host of a cdk8s-plus Ingress, which keys a map by it', async () => {
    const { app, chart } = freshChart();
    const tokens = LateTokens.of(chart);
    const deployment = new kplus.Deployment(chart, 'd', {
      metadata: { name: 'd' },
      replicas: 2,
      containers: [{ image: 'web', portNumber: 8080 }],
    });
    const service = deployment.exposeViaService({ name: 'd' });
    const ingress = new kplus.Ingress(chart, 'i', { metadata: { name: 'i' } });
    ingress.addHostRule(tokens.asString(chart, late()), '/', kplus.IngressBackend.fromService(service));
    const inputs = restore(find(app, 'Ingress', 'i'), tokens) as { spec: { rules: readonly { host: unknown }[] } };
    expect(await settle(inputs.spec.rules[0]?.host)).toBe('late.example.com');
  });

  it('works in a JsonPatch, which runs after cdk8s resolved everything', async () => {
    const { app, chart } = freshChart();
    const tokens = LateTokens.of(chart);
    const map = new kplus.ConfigMap(chart, 'c', { metadata: { name: 'c' }, data: { a: 'b' } });
    ApiObject.of(map).addJsonPatch(JsonPatch.add('/data/patched', `x-${tokens.asString(chart, late())}`));
    const inputs = restore(find(app, 'ConfigMap', 'c'), tokens) as { data: { patched: unknown } };
    expect(await settle(inputs.data.patched)).toBe('x-late.example.com');
  });

  it('works as image, label value and environment variable', async () => {
    const { app, chart } = freshChart();
    const tokens = LateTokens.of(chart);
    const token = tokens.asString(chart, late());
    new ApiObject(chart, 'd', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd' },
      spec: {
        selector: { matchLabels: { app: 'd' } },
        template: {
          metadata: { labels: { app: 'd', host: token } },
          spec: { containers: [{ name: 'c', image: `${token}/web`, env: [{ name: 'HOST', value: token }] }] },
        },
      },
    });
    const inputs = restore(find(app, 'Deployment', 'd'), tokens) as {
      spec: { template: { metadata: { labels: unknown }; spec: { containers: readonly unknown[] } } };
    };
    expect(await settle(inputs.spec.template.metadata.labels)).toEqual({ app: 'd', host: 'late.example.com' });
    expect(await settle(inputs.spec.template.spec.containers[0])).toMatchObject({
      image: 'late.example.com/web',
      env: [{ name: 'HOST', value: 'late.example.com' }],
    });
  });

  it('is refused as an object key, naming path and field', () => {
    const { app, chart } = freshChart();
    const token = LateTokens.of(chart).asString(chart, late());
    new ApiObject(chart, 'c', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { [token]: 'x' } });
    expect(problemsOf(() => render(app))).toEqual([
      expect.stringMatching(/^chart\/c: data\.\S+ has a late value as a key, which cannot be filled in later$/),
    ]);
  });

  it('is refused as the name of an object', () => {
    const { app, chart } = freshChart();
    const token = LateTokens.of(chart).asString(chart, late());
    new ApiObject(chart, 'c', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: token } });
    expect(problemsOf(() => render(app))).toEqual([
      "chart/c: metadata.name must be known before the deployment, got 'a late value'",
    ]);
  });
});

describe('secrets', () => {
  it('stay secret as a whole leaf and inside a joined one, and leave their neighbours plain', async () => {
    const { app, chart } = freshChart();
    const tokens = LateTokens.of(chart);
    const password = tokens.asSecret(chart, 'canary-literal');
    const other = tokens.asString(chart, pulumi.output('plain'));
    new ApiObject(chart, 's', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      stringData: { password, url: `postgres://u:${password}@${other}/d`, user: `u-${other}` },
    });
    const object = find(app, 'Secret', 's');
    expect(JSON.stringify(object.manifest)).not.toContain('canary-literal');
    const { stringData } = restore(object, tokens) as { stringData: Record<string, pulumi.Output<string>> };
    const secret = async (key: string): Promise<boolean> => pulumi.isSecret(stringData[key] as pulumi.Output<string>);
    expect([await secret('password'), await secret('url'), await secret('user')]).toEqual([true, true, false]);
    expect(await settle(stringData)).toEqual({
      password: 'canary-literal',
      url: 'postgres://u:canary-literal@plain/d',
      user: 'u-plain',
    });
  });

  it('are refused outside a Secret without showing the value', () => {
    const { app, chart } = freshChart();
    const tokens = LateTokens.of(chart);
    const password = tokens.asSecret(chart, 'canary-literal');
    new ApiObject(chart, 'c', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { password } });
    const problems = problemsOf(() => restore(find(app, 'ConfigMap', 'c'), tokens));
    expect(problems).toEqual([
      "chart/c: data.password would hold the secret that chart brought in; read it from the Secret's key instead",
    ]);
  });
});

describe('the registry', () => {
  it('gives the same value the same token, so that two synths are equal', () => {
    const { app, chart } = freshChart();
    const output = pulumi.output('x');
    const tokens = LateTokens.of(chart);
    expect(tokens.asString(chart, output)).toBe(tokens.asString(chart, output));
    new ApiObject(chart, 'c', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c' },
      data: { a: tokens.asString(chart, output) },
    });
    expect(JSON.stringify(render(app))).toBe(JSON.stringify(render(app)));
  });

  it('belongs to one App: a token of another is refused', () => {
    const first = freshChart();
    const second = freshChart();
    const foreign = LateTokens.of(first.chart).asString(first.chart, pulumi.output('x'));
    new ApiObject(second.chart, 'c', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c' },
      data: { a: foreign },
    });
    expect(LateTokens.of(first.chart)).not.toBe(LateTokens.of(second.chart));
    expect(problemsOf(() => restore(find(second.app, 'ConfigMap', 'c'), LateTokens.of(second.chart)))).toEqual([
      `chart/c: data.a holds a late value of another App, or text that looks like one: ${foreign}`,
    ]);
  });
});

describe('cdk8s’ own synthesis', () => {
  it('is refused where it would write a placeholder for a secret, naming who brought it in', () => {
    const { app, chart } = freshChart();
    const password = LateTokens.of(chart).asSecret(chart, 'canary-literal');
    new ApiObject(chart, 's', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { password } });
    expect(() => app.synthYaml()).toThrow(
      /late values or secrets of chart are filled in by ClusterRelease or renderForGitOps/,
    );
    expect(problemsOf(() => render(app))).toEqual([]);
  });

  it('works where there is nothing to fill in', () => {
    const { app, chart } = freshChart();
    LateTokens.of(chart).asString(chart, 'plain');
    new ApiObject(chart, 'c', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: 'b' } });
    expect(app.synthYaml()).toContain('a: b');
  });
});

describe('what must not be rendered', () => {
  it('refuses the text of a stringified Output, naming path and field', () => {
    const { app, chart } = freshChart();
    const output = pulumi.output('x');
    new ApiObject(chart, 'c', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c' },
      // oxlint-disable-next-line typescript/restrict-template-expressions, typescript/no-base-to-string -- the mistake under test
      data: { url: `https://${output}/` },
    });
    expect(problemsOf(() => render(app))).toEqual([
      'chart/c: data.url holds the text of a stringified Output; pass it through LateTokens.asString before it enters text',
    ]);
  });

  it('refuses a raw Output and an instance of a class, with the construct path and what to do', () => {
    const { app, chart } = freshChart();
    new ApiObject(chart, 'raw', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'r' },
      data: { a: pulumi.output('x') },
    });
    new ApiObject(chart, 'date', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'd' },
      data: { a: new URL('http://x') },
    });
    const problems = problemsOf(() => render(app));
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(
      /^chart\/raw: ConfigMap cannot be rendered: .*OutputImpl.*; pass a late value through/s,
    );
    expect(problems[1]).toMatch(/^chart\/date: ConfigMap cannot be rendered: .*URL/s);
  });
});
