import * as path from 'node:path';
import { ApiServer } from '../support/api-server';
import type { Step } from '../support/engine';
import { Engine } from '../support/engine';

jest.setTimeout(600_000);

const CANARY = 'canary-4e1b-must-not-leak';
const REPOSITORY = path.resolve(__dirname, '../..');

/** A program that releases one App; `body` adds to `chart`. */
const release = (namespace: string, body: string): string => `
  require('${REPOSITORY}/local/register-typescript');
  const { App, Chart, ApiObject } = require('cdk8s');
  const { Construct } = require('constructs');
  const { ClusterRelease } = require('${REPOSITORY}/bridge');
  const { LateTokens } = require('${REPOSITORY}/components/late');
  const { movedFrom, setReleaseOptions, RemovalPolicy } = require('${REPOSITORY}/components/release-options');
  const app = new App();
  const chart = new Chart(app, 'chart', { namespace: '${namespace}' });
  const tokens = LateTokens.of(app);
  const object = (scope, id, apiVersion, kind, rest) => new ApiObject(scope, id, { apiVersion, kind, metadata: { name: id }, ...rest });
  const template = (env) => ({ metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'web', env }] } });
  const deployment = (env) => object(chart, 'web', 'apps/v1', 'Deployment', {
    metadata: { name: 'web', annotations: { 'pulumi.com/skipAwait': 'true' } },
    spec: { selector: { matchLabels: { app: 'web' } }, template: template(env) },
  });
  const fromSecret = (name, key) => ({ name: key, valueFrom: { secretKeyRef: { name, key } } });
  ${body}
  const released = new ClusterRelease('release', { app, digestKey: pulumi.secret('0123456789abcdef0123456789abcdef') }, { provider });
`;

const shortName = (step: Step): string => `${step.op} ${step.urn.split('::').at(-1) ?? ''}`;

describe('a release under the real engine', () => {
  let server: ApiServer;
  let engine: Engine;
  // Of its own for each test: what a stack leaves is in nobody's way.
  let namespace: string;
  let count = 0;
  beforeAll(async () => {
    server = await ApiServer.shared();
  });
  beforeEach(async () => {
    namespace = `bridge-${(count += 1)}`;
    await server.namespace(namespace);
    engine = await Engine.create({ kubeconfig: server.kubeconfig });
  });
  afterEach(async () => {
    await engine.dispose();
  });
  afterAll(async () => {
    await server.destroy();
  });

  const program = (body: string): void => engine.program(release(namespace, body));
  const changes = async (): Promise<readonly string[]> => (await engine.steps()).map(shortName).sort();
  const core = (kind: string, name: string): string => `/api/v1/namespaces/${namespace}/${kind}/${name}`;

  test('makes one resource of each object under the tree of its constructs, and a second preview is empty', async () => {
    program(
      `const part = new Construct(chart, 'part'); object(part, 'settings', 'v1', 'ConfigMap', { data: { a: '1' } });`,
    );
    await engine.up();
    const urns = (await engine.resources()).map((resource) => resource.urn.split('::').slice(2).join('::'));
    const tree = 'trellis:cdk8s:ClusterRelease$trellis:cdk8s:Construct';
    expect(urns).toEqual(
      expect.arrayContaining([
        `${tree}::chart`,
        `${tree}$trellis:cdk8s:Construct::chart/part`,
        `${tree}$trellis:cdk8s:Construct$kubernetes:core/v1:ConfigMap::chart/part/settings`,
      ]),
    );
    expect(await changes()).toEqual([]);
  });

  test('joins a secret into a URL, and shows it nowhere', async () => {
    program(`
      const password = tokens.asSecret(chart, pulumi.secret('${CANARY}'));
      object(chart, 'db', 'v1', 'Secret', { stringData: { URL: 'postgres://u:' + password + '@h/d', USER: 'u' } });
      deployment([fromSecret('db', 'URL')]);
    `);
    const runs = [await engine.ok('preview', '--diff'), await engine.up(), await engine.ok('stack', 'export')];
    const url = `postgres://u:${CANARY}@h/d`;
    const live = await server.call('GET', core('secrets', 'db'));
    expect(live.data).toMatchObject({ URL: Buffer.from(url).toString('base64') });
    expect(runs[0]?.output).toContain('[secret]');
    for (const needle of [CANARY, Buffer.from(url).toString('base64')]) {
      for (const { output } of runs) expect(output).not.toContain(needle);
      expect(engine.filesWith(needle)).toEqual([]);
    }
    expect(await changes()).toEqual([]);
  });

  test('leaves the rest of a preview readable where one leaf is unknown', async () => {
    program(`
      const id = new random.RandomId('id', { byteLength: 4 });
      object(chart, 'settings', 'v1', 'ConfigMap', { data: { known: 'plainly', late: 'x-' + tokens.asString(chart, id.hex) } });
    `);
    const { output } = await engine.ok('preview', '--diff');
    expect(output).toMatch(/known\s*: "plainly"/);
    expect(output).toMatch(/late\s*: \[unknown\]|late\s*: output<string>/);
  });

  test('deletes nothing when a construct is renamed or moved with an alias', async () => {
    program(`object(chart, 'settings', 'v1', 'ConfigMap', { data: { a: '1' } });`);
    await engine.up();
    const { metadata: before } = await server.call('GET', core('configmaps', 'settings'));
    program(`
      const part = new Construct(chart, 'part');
      const moved = object(new Construct(part, 'deeper'), 'renamed', 'v1', 'ConfigMap', { metadata: { name: 'settings' }, data: { a: '1' } });
      movedFrom(moved, 'chart/settings');
    `);
    expect((await changes()).filter((change) => /^(delete|replace|create-replacement)/.test(change))).toEqual([]);
    await engine.up();
    const { metadata: after } = await server.call('GET', core('configmaps', 'settings'));
    expect((after as { uid: string }).uid).toBe((before as { uid: string }).uid);
    expect(await changes()).toEqual([]);
  });

  test('updates a changed ConfigMap and Secret in place, and rolls pods exactly when what they read changed', async () => {
    const define = (read: string, other: string, map: string): void =>
      program(`
        const secret = (text) => tokens.asSecret(chart, pulumi.secret(text));
        object(chart, 'db', 'v1', 'Secret', { stringData: { READ: secret('${read}'), OTHER: secret('${other}') } });
        object(chart, 'settings', 'v1', 'ConfigMap', { data: { a: '${map}' } });
        deployment([fromSecret('db', 'READ')]);
      `);
    define('one', 'two', 'three');
    await engine.up();
    expect(await changes()).toEqual([]);
    define('one', 'changed', 'three');
    expect(await changes()).toEqual(['update chart/db']);
    define('one', 'two', 'changed');
    expect(await changes()).toEqual(['update chart/settings']);
    define('changed', 'two', 'three');
    expect(await changes()).toEqual(['update chart/db', 'update chart/web']);
    const [, roll] = (await engine.steps()).map((step) => Object.keys(step.detailedDiff ?? {}));
    expect(roll).toEqual([`spec.template.metadata.annotations["trellis.dev/reads"]`]);
    await engine.up();
    expect(await changes()).toEqual([]);
  });

  test('keeps what is marked so when the stack goes away, with its namespace', async () => {
    program(`
      object(chart, 'space', 'v1', 'Namespace', { metadata: { name: 'kept' } });
      const kept = object(chart, 'kept', 'v1', 'ConfigMap', { metadata: { name: 'kept', namespace: 'kept' }, data: {} });
      setReleaseOptions(kept, { removalPolicy: RemovalPolicy.RETAIN });
      object(chart, 'gone', 'v1', 'ConfigMap', { data: {} });
    `);
    await engine.up();
    await engine.ok('destroy', '--yes', '--skip-preview');
    expect(await server.has('/api/v1/namespaces/kept/configmaps/kept')).toBe(true);
    expect(await server.has(core('configmaps', 'gone'))).toBe(false);
  });

  test('refuses a bad definition before any resource is made, and shows no stack trace of its own files', async () => {
    program(`
      object(chart, 'good', 'v1', 'ConfigMap', { data: { a: '1' } });
      object(chart, 'bad', 'v1', 'ConfigMap', { data: { 'a/b': '1' } });
    `);
    const { code, output } = await engine.run('up', '--yes', '--skip-preview');
    expect(code).not.toBe(0);
    expect(output).toContain("chart/bad: data key 'a/b' must be letters, digits, '-', '_' or '.'");
    expect(await server.has(core('configmaps', 'good'))).toBe(false);
  });
});
