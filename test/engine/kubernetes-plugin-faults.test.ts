import * as fs from 'node:fs';

import { ApiServer } from '../support/api-server';
import { Engine } from '../support/engine';

jest.setTimeout(240_000);

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what: string, holds: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end) throw new RangeError(`${what}: not within ${seconds} s`);
    await sleep(100);
  }
}

/** Whether a process runs; one that ended and waits for its parent does not. */
function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

const children = (pid: number): number[] =>
  fs
    .readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => {
      try {
        return fs
          .readFileSync(`/proc/${entry}/stat`, 'utf8')
          .replace(/^.*\) \S /, '')
          .startsWith(`${pid} `);
      } catch {
        return false;
      }
    })
    .map(Number);

describe('the embedded Kubernetes plugin, when things go wrong', () => {
  let server: ApiServer;
  let engine: Engine;
  beforeAll(async () => {
    server = await ApiServer.start({ controllers: true });
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

  const many = (count: number): string => `
    let last;
    for (let i = 0; i < ${count}; i++) {
      const data = { number: String(i) };
      last = new k8s.core.v1.ConfigMap('map-' + i, { metadata: { name: 'map-' + i }, data }, { ...opts, dependsOn: last ? [last] : [] });
    }`;
  const map = (index: number): string => `/api/v1/namespaces/default/configmaps/map-${index}`;

  test('goes on when the API server restarts in the middle of an update', async () => {
    engine.program(many(40));
    const { exited } = engine.start(['up', '--yes', '--skip-preview']);
    await until('some objects', () => server.has(map(5)));
    await server.halt();
    await sleep(3_000);
    await server.resume();
    const run = await exited;
    expect(run.output).toContain('+ 42 created');
    expect(run.code).toBe(0);
    expect(await engine.steps()).toEqual([]);
    await engine.ok('destroy', '--yes', '--skip-preview');
  });

  test('finishes what a killed update began, with nothing doubled; its plugins are gone', async () => {
    engine.program(many(40));
    const { child, exited } = engine.start(['up', '--yes', '--skip-preview']);
    await until('some objects', () => server.has(map(5)));
    const plugins = children(child.pid ?? 0);
    expect(plugins.length).toBeGreaterThan(1);
    child.kill('SIGKILL');
    await exited;
    await until('the end of orphaned plugins', () => !plugins.some(alive), 10);

    await engine.ok('cancel', '--yes');
    const again = await engine.run('up', '--yes', '--skip-preview');
    expect(again.code).toBe(0);
    expect(await engine.steps()).toEqual([]);
    const { items } = (await server.call('GET', '/api/v1/namespaces/default/configmaps')) as unknown as {
      items: unknown[];
    };
    // One more is the cluster's own certificate.
    expect(items).toHaveLength(41);
    const owned = (await engine.resources()).filter((resource) => resource.type.endsWith(':ConfigMap'));
    expect(owned).toHaveLength(40);
    await engine.ok('destroy', '--yes', '--skip-preview');
  });

  const deployment = (replicas: number, annotations = `{ 'pulumi.com/timeoutSeconds': '3' }`): string => `
    new k8s.apps.v1.Deployment('web', { metadata: { name: 'web', annotations: ${annotations} }, spec: { replicas: ${replicas}, selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web' }] } } } }, opts);`;

  test('a workload that does not become ready fails with the scheduler’s words, stays in state, and is awaited again', async () => {
    engine.program(deployment(1));
    const failed = await engine.run('up', '--yes', '--skip-preview');
    expect(failed.code).not.toBe(0);
    expect(failed.output).toContain('Deployment default/web did not become ready: 0/1 replicas available');
    expect(failed.output).toMatch(/pod web-\S+ can't be scheduled: no nodes available/);
    const [kept] = (await engine.resources()).filter((resource) => resource.type.endsWith(':Deployment'));
    expect(kept?.id).toBe('default/web');
    expect(kept?.initErrors?.length).toBeGreaterThan(0);

    const refreshed = await engine.run('refresh', '--yes', '--skip-preview');
    expect(refreshed.output).toContain('Deployment default/web is not ready: 0/1 replicas available');
    const again = await engine.run('up', '--yes', '--skip-preview');
    expect(again.code).not.toBe(0);
    engine.program(deployment(0));
    await engine.up();
    expect(await engine.steps()).toEqual([]);
    await engine.ok('destroy', '--yes', '--skip-preview');
  });

  test('a pod that admission refuses is told at once, with the rule it breaks', async () => {
    const labels = `{ 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' }`;
    engine.program(`
      const ns = new k8s.core.v1.Namespace('strict', { metadata: { name: 'strict', labels: ${labels} } }, opts);
      ${deployment(1, '{}').replace(`name: 'web', annotations`, `name: 'web', namespace: ns.metadata.name, annotations`)}`);
    const began = Date.now();
    const failed = await engine.run('up', '--yes', '--skip-preview');
    expect(failed.code).not.toBe(0);
    expect(failed.output).toContain('violates PodSecurity "restricted');
    expect(failed.output).toContain('allowPrivilegeEscalation');
    expect(Date.now() - began).toBeLessThan(60_000);
    // The warning comes before anything is made, too.
    expect((await engine.ok('preview')).output).toContain('would violate PodSecurity');
    await engine.ok('destroy', '--yes', '--skip-preview');
    expect(await server.has('/api/v1/namespaces/strict')).toBe(false);
  });

  test('a user’s interrupt ends a wait at once and keeps the state', async () => {
    engine.program(deployment(1, `{ 'pulumi.com/timeoutSeconds': '120' }`));
    const { child, exited, seen } = engine.start(['up', '--yes', '--skip-preview']);
    await until('the deployment', () => server.has('/apis/apps/v1/namespaces/default/deployments/web'));
    await sleep(1_000);
    const began = Date.now();
    child.kill('SIGINT');
    const run = await exited;
    expect(run.code).not.toBe(0);
    expect(Date.now() - began).toBeLessThan(20_000);
    expect(seen()).toContain('canceled while waiting for Deployment default/web');
    expect((await engine.resources()).some((resource) => resource.id === 'default/web')).toBe(true);
    await engine.ok('destroy', '--yes', '--skip-preview');
  });

  test('without a kubeconfig a preview shows the program, and an update says what is missing', async () => {
    engine.program(many(1), `kubeconfig: '/nowhere/kubeconfig'`);
    const preview = await engine.ok('preview', '--diff');
    expect(preview.output).toContain('kubeconfig /nowhere/kubeconfig does not exist; the preview shows');
    expect(preview.output).toMatch(/number\s*: "0"/);
    const update = await engine.run('up', '--yes', '--skip-preview');
    expect(update.code).not.toBe(0);
    expect(update.output).toContain('kubeconfig /nowhere/kubeconfig does not exist');
  });

  test('an API server that is away: a preview shows the program, an update says who does not answer', async () => {
    engine.program(many(2));
    await engine.up();
    await server.halt();
    try {
      engine.program(
        `${many(2)} new k8s.core.v1.ConfigMap('more', { metadata: { name: 'more' }, data: { a: 'shown' } }, opts);`,
      );
      const preview = await engine.ok('preview', '--diff');
      expect(preview.output).toContain(`Kubernetes API server ${server.address} can't be reached`);
      expect(preview.output).toMatch(/a\s*: "shown"/);
      const update = await engine.run('up', '--yes', '--skip-preview');
      expect(update.code).not.toBe(0);
      expect(update.output).toContain(`Kubernetes API server ${server.address} can't be reached`);
      const forget = engine.start(['destroy', '--yes', '--skip-preview'], { PULUMI_K8S_DELETE_UNREACHABLE: 'true' });
      const destroyed = await forget.exited;
      expect(destroyed.output).toContain('forgotten (deleteUnreachable)');
      expect(destroyed.code).toBe(0);
    } finally {
      await server.resume();
    }
    expect(await server.has(map(0))).toBe(true);
  });
});
