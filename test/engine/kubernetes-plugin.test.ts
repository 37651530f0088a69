import { ApiServer } from '../support/api-server';
import { Engine } from '../support/engine';

jest.setTimeout(180_000);

const CANARY = 'canary-9f2c-must-not-leak';

describe('the embedded Kubernetes plugin under the real engine', () => {
  // What a test leaves has names of its own.
  let server: ApiServer;
  let engine: Engine;
  beforeAll(async () => {
    server = await ApiServer.shared();
  });
  beforeEach(async () => {
    engine = await Engine.create({ kubeconfig: server.kubeconfig });
  });
  afterEach(async () => {
    await engine?.dispose();
  });
  afterAll(async () => {
    await server?.destroy();
  });

  const configMap = (name: string): string => `/api/v1/namespaces/default/configmaps/${name}`;

  test('creates, sees no change, updates in place, shows and mends drift, deletes', async () => {
    const settings = configMap('settings');
    const program = (data: string): string => `
      const settings = new k8s.core.v1.ConfigMap('settings', { metadata: { name: 'settings' }, data: ${data} }, opts);
      return { uid: settings.metadata.uid };`;
    engine.program(program(`{ a: '1', gone: 'x' }`));
    expect((await engine.steps()).map((step) => step.op)).toContain('create');
    await engine.up();
    const made = await server.call('GET', settings);
    expect(made['data']).toEqual({ a: '1', gone: 'x' });
    expect(await engine.steps()).toEqual([]);

    engine.program(program(`{ a: '2' }`));
    const [update] = await engine.steps();
    expect(update).toMatchObject({ op: 'update' });
    expect(Object.keys(update?.detailedDiff ?? {}).sort()).toEqual(['data.a', 'data.gone']);
    await engine.up();
    const updated = await server.call('GET', settings);
    expect(updated['data']).toEqual({ a: '2' });
    expect((updated['metadata'] as { uid: string }).uid).toBe((made['metadata'] as { uid: string }).uid);

    await server.edit(settings, { data: { a: 'by hand', foreign: 'y' } });
    const refresh = await engine.ok('refresh', '--yes', '--diff');
    expect(refresh.output).toContain('by hand');
    expect(refresh.output).not.toContain('foreign');
    expect(await engine.steps()).toMatchObject([{ op: 'update' }]);
    await engine.up();
    expect((await server.call('GET', settings))['data']).toMatchObject({ a: '2' });
    expect(await engine.steps()).toEqual([]);

    await engine.ok('destroy', '--yes', '--skip-preview');
    expect(await server.has(settings)).toBe(false);
  });

  test('imports what exists, and refuses to take it over without being asked', async () => {
    const url = configMap('found');
    await server.call('POST', '/api/v1/namespaces/default/configmaps', {
      metadata: { name: 'found' },
      data: { a: '1' },
    });
    const program = (options: string): string =>
      `new k8s.core.v1.ConfigMap('found', { metadata: { name: 'found', namespace: 'default' }, data: { a: '1' } }, ${options});`;
    engine.program(program('opts'));
    const refused = await engine.run('up', '--yes', '--skip-preview');
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain('ConfigMap default/found already exists');

    engine.program(program(`{ ...opts, import: 'default/found' }`));
    await engine.up();
    engine.program(program('opts'));
    expect(await engine.steps()).toEqual([]);
    await engine.ok('destroy', '--yes', '--skip-preview');
    expect(await server.has(url)).toBe(false);
  });

  test('makes again what was deleted by hand, and forgets it where it shall go anyway', async () => {
    engine.program(`new k8s.core.v1.ConfigMap('short', { metadata: { name: 'short' }, data: { a: '1' } }, opts);`);
    await engine.up();
    await server.call('DELETE', configMap('short'));
    await engine.ok('refresh', '--yes', '--skip-preview');
    expect(await engine.steps()).toMatchObject([{ op: 'create' }]);
    await engine.up();
    expect(await server.has(configMap('short'))).toBe(true);
    await server.call('DELETE', configMap('short'));
    await engine.ok('destroy', '--yes', '--skip-preview');
  });

  test('patches some fields of an object that others made, reads it, and gives the fields up in the end', async () => {
    const url = configMap('theirs');
    await server.call('POST', '/api/v1/namespaces/default/configmaps', {
      metadata: { name: 'theirs' },
      data: { a: '1' },
    });
    engine.program(`
      const patch = new k8s.core.v1.ConfigMapPatch('patch', { metadata: { name: 'theirs', namespace: 'default' }, data: { b: '2' } }, opts);
      const read = k8s.core.v1.ConfigMap.get('read', 'default/theirs', opts);
      return { a: read.data.apply((data) => data.a) };
    `);
    await engine.ok('preview');
    await engine.up();
    expect((await server.call('GET', url))['data']).toEqual({ a: '1', b: '2' });
    expect((await engine.ok('stack', 'output', 'a')).stdout.trim()).toBe('1');
    expect(await engine.steps()).toEqual([]);
    await engine.ok('destroy', '--yes', '--skip-preview');
    expect((await server.call('GET', url))['data']).toEqual({ a: '1' });
  });

  test('leaves an ignored field to whoever owns it', async () => {
    const url = configMap('half');
    const program = (a: string): string =>
      `new k8s.core.v1.ConfigMap('half', { metadata: { name: 'half' }, data: { a: '${a}', b: '1' } }, { ...opts, ignoreChanges: ['data.b'] });`;
    engine.program(program('1'));
    await engine.up();
    await server.edit(url, { data: { b: 'theirs' } }, 'some-operator');
    engine.program(program('2'));
    expect((await engine.ok('preview')).output).toContain('1 to update');
    await engine.up();
    expect((await server.call('GET', url))['data']).toEqual({ a: '2', b: 'theirs' });
  });

  test('keeps secrets out of previews, output and state, and shows their drift without the value', async () => {
    engine.program(`
      const password = pulumi.secret('${CANARY}');
      new k8s.core.v1.Secret('db', { metadata: { name: 'db' }, stringData: { password, user: 'app' } }, opts);
      new k8s.core.v1.ConfigMap('plain', { metadata: { name: 'plain' }, data: { shown: 'yes', url: pulumi.interpolate\`pg://u:\${password}@h\` } }, opts);
    `);
    const encoded = Buffer.from(CANARY).toString('base64');
    const runs = [await engine.ok('preview', '--diff'), await engine.ok('preview', '--json'), await engine.up()];
    expect(runs[0]?.output).toContain('[secret]');
    expect(runs[0]?.output).toMatch(/shown\s*: "yes"/);
    expect((await server.call('GET', '/api/v1/namespaces/default/secrets/db'))['data']).toMatchObject({
      password: encoded,
    });

    const byHand = Buffer.from('changed-by-hand-71').toString('base64');
    await server.edit('/api/v1/namespaces/default/secrets/db', { data: { password: byHand } });
    runs.push(await engine.ok('refresh', '--yes', '--diff'), await engine.ok('preview', '--diff'));
    expect(runs.at(-2)?.output).toMatch(/stringData[\s\S]*\[secret\]/);
    expect(await engine.steps()).toMatchObject([{ op: 'update' }]);
    runs.push(await engine.ok('stack', 'export'), await engine.up());
    for (const needle of [CANARY, encoded, byHand, 'changed-by-hand-71']) {
      for (const { output } of runs) expect(output).not.toContain(needle);
      expect(engine.filesWith(needle)).toEqual([]);
    }
    expect(await engine.steps()).toEqual([]);
  });

  test('shows an unknown leaf as unknown, and everything beside it', async () => {
    engine.program(`
      const first = new k8s.core.v1.ConfigMap('first', { metadata: { name: 'first' }, data: { a: '1' } }, opts);
      new k8s.core.v1.ConfigMap('second', { metadata: { name: 'second' }, data: { from: first.metadata.uid, beside: 'readable' } }, opts);
      return { uid: first.metadata.uid };
    `);
    const { output } = await engine.ok('preview', '--diff');
    expect(output).toMatch(/from\s*: (output<string>|\[unknown\])/);
    expect(output).toMatch(/beside\s*: "readable"/);
    expect(output).toMatch(/uid\s*: (output<string>|\[unknown\])/);
    await engine.up();
    expect((await server.call('GET', configMap('second')))['data']).toMatchObject({ beside: 'readable' });
  });

  test('reports what the API server refuses at preview: both problems, with kind and name', async () => {
    const invalid = (namespace: string): string => `
      new k8s.core.v1.Service('bad', { metadata: { name: 'bad', namespace: '${namespace}' }, spec: {
        type: 'ClusterIP', selector: { app: 'x' }, ports: [{ name: 'Upper', port: 70000 }] } }, opts);`;
    for (const namespace of ['default', 'not-there-yet']) {
      engine.program(invalid(namespace));
      const run = await engine.run('preview');
      expect(run.code).not.toBe(0);
      expect(run.output).toContain(`Service ${namespace}/bad is refused by the API server`);
      expect(run.output).toContain('spec.ports[0].port');
      expect(run.output).toContain('spec.ports[0].name');
    }
    engine.program(`
      new k8s.apps.v1.Deployment('typo', { metadata: { name: 'typo' }, spec: { replicaz: 1, selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } } }, opts);`);
    const typo = await engine.run('preview');
    expect(typo.code).not.toBe(0);
    expect(typo.output).toContain('replicaz');
  });

  test('previews a namespace and a custom resource that are not there yet', async () => {
    engine.program(`
      const namespace = new k8s.core.v1.Namespace('later', { metadata: { name: 'later' } }, opts);
      new k8s.core.v1.ConfigMap('inside', { metadata: { name: 'inside', namespace: 'later' }, data: { a: 'visible' } }, { ...opts, dependsOn: namespace });
      new k8s.apiextensions.CustomResource('thing', { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'thing' } , spec: { size: 3 } }, opts);
    `);
    const { output } = await engine.ok('preview', '--diff');
    expect(output).toContain('namespace later does not exist yet');
    expect(output).toContain('example.com/v1/Thing is not served yet');
    expect(output).toMatch(/a\s*: "visible"/);
  });

  test('plans a replacement where the vendor does', async () => {
    const program = (size: string, app: string): string => `
      const labels = { app: '${app}' };
      const meta = (name) => ({ name, annotations: { 'pulumi.com/skipAwait': 'true', 'pulumi.com/deletionPropagationPolicy': 'background' } });
      const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
      new k8s.apps.v1.StatefulSet('set', { metadata: meta('set'), spec: { serviceName: 's', replicas: 1, selector: { matchLabels: { app: 'fixed' } },
        template: { ...template, metadata: { labels: { app: 'fixed' } } },
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '${size}' } } } }] } }, opts);
      new k8s.apps.v1.Deployment('web', { metadata: meta('web'), spec: { replicas: 1, selector: { matchLabels: labels }, template } }, opts);
      new k8s.core.v1.ServiceAccount('generated', {}, opts);
    `;
    engine.program(program('1Gi', 'one'));
    await engine.up();
    // A quantity in another spelling is the same quantity.
    engine.program(program('1024Mi', 'one'));
    expect(await engine.steps()).toEqual([]);
    engine.program(program('2Gi', 'two'));
    const steps = await engine.steps();
    const replaced = steps.filter((step) => step.op === 'replace');
    expect(replaced.map((step) => step.urn.split('::').at(-1)).sort()).toEqual(['set', 'web']);
    expect(replaced.flatMap((step) => step.replaceReasons ?? []).length).toBeGreaterThan(0);
    await engine.up();
    const web = await server.call('GET', '/apis/apps/v1/namespaces/default/deployments/web');
    expect(web).toMatchObject({ spec: { selector: { matchLabels: { app: 'two' } } } });
    expect(await engine.steps()).toEqual([]);
  });

  test('names the manager and the field of a conflict, and overrules it when told to', async () => {
    const program = (annotations: string): string => `
      new k8s.core.v1.ConfigMap('shared', { metadata: { name: 'shared', annotations: ${annotations} }, data: { a: 'ours2' } }, opts);`;
    engine.program(program('{}').replace('ours2', 'ours1'));
    await engine.up();
    await server.edit(configMap('shared'), { data: { a: 'theirs' } }, 'some-operator');
    engine.program(program('{}'));
    const conflict = await engine.run('up', '--yes', '--skip-preview');
    expect(conflict.code).not.toBe(0);
    expect(conflict.output).toContain('.data.a is managed by "some-operator"');
    engine.program(program(`{ 'pulumi.com/patchForce': 'true' }`));
    await engine.up();
    expect((await server.call('GET', configMap('shared')))['data']).toEqual({ a: 'ours2' });
  });

  test('refuses a wrong context with the ones that exist, and client-side apply', async () => {
    engine.program(`new k8s.core.v1.ConfigMap('x', {}, opts);`, `context: 'nowhere'`);
    const context = await engine.run('preview');
    expect(context.code).not.toBe(0);
    expect(context.output).toMatch(/context "nowhere" does not exist in kubeconfig .*; it has: \S+/);
    engine.program(`new k8s.core.v1.ConfigMap('x', {}, opts);`, 'enableServerSideApply: false');
    const clientSide = await engine.run('preview');
    expect(clientSide.code).not.toBe(0);
    expect(clientSide.output).toContain('applies on the server only');
  });
});
