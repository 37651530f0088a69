import { setTimeout as sleep } from 'node:timers/promises';

import type { V1Pod, V1Secret } from '@kubernetes/client-node';

import { root } from '../../local/paths';
import { Cluster, info, isReady } from '../support/cluster';
import { Engine } from '../support/engine';
import { imageOf } from './support/images';
import { queryFromNode } from './support/network';
import { spellings } from './support/leaks';
import { rotationProgram, ROTATION_NAMESPACE as NAMESPACE } from './support/rotation';

jest.setTimeout(300_000);

const CORE = `/api/v1/namespaces/${NAMESPACE}`;
const STORES = ['db', 'db-pooler', 'redis'];
const CLIENTS = ['sql', 'keys'];
const PHASES = [
  { title: 'before', accepted: [1], used: 1 },
  { title: 'stage', accepted: [1, 2], used: 1 },
  { title: 'switch', accepted: [1, 2], used: 2 },
  { title: 'retire', accepted: [2], used: 2 },
] as const;

interface Report {
  readonly name: string;
  readonly uid: string;
  readonly log: string;
}

/** Clients that log in anew for each write and each read, while the passwords of both stores go from the first to the second. */
describe('a rotation of the passwords of PostgreSQL, behind PgBouncer, and Redis', () => {
  let cluster: Cluster;
  let engine: Engine;
  /** What each pod of a client has said so far, by its identity: those that are gone too. */
  const reports = new Map<string, Report>();
  const pods = new Map<string, readonly string[]>();
  const urls = new Map<string, string>();
  const passwords = new Set<string>();
  let output = '';
  let watching = true;
  let watcher: Promise<void>;

  const podsOf = (name: string): Promise<readonly V1Pod[]> =>
    cluster.list<V1Pod>(`${CORE}/pods?labelSelector=app.kubernetes.io%2Fname%3D${name}`);

  /** Reads what clients say before their pods are gone, and lets the kubelet look at once for Secrets that have changed. */
  async function watch(): Promise<void> {
    for (let round = 0; watching; round += 1) {
      for (const client of CLIENTS) {
        for (const { metadata } of await podsOf(client)) {
          const [name = '', uid = ''] = [metadata?.name, metadata?.uid];
          const log = await cluster.text(`${CORE}/pods/${name}/log`).catch(() => '');
          if (log.length > (reports.get(uid)?.log.length ?? 0)) reports.set(uid, { name, uid, log });
        }
      }
      if (round % 4 === 0) {
        for (const pod of (await Promise.all(STORES.map(podsOf))).flat()) {
          const change = { metadata: { annotations: { 'trellis.test/round': String(round) } } };
          await cluster.edit(`${CORE}/pods/${pod.metadata?.name ?? ''}`, change).catch(() => undefined);
        }
      }
      await sleep(500);
    }
  }

  async function secretOf(name: string): Promise<Readonly<Record<string, string>>> {
    const { data = {} } = await cluster.get<V1Secret>(`${CORE}/secrets/${name}-secret`);
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    );
  }

  beforeAll(async () => {
    cluster = new Cluster();
    engine = await Engine.create({ kubeconfig: info().kubeconfig });
    // Those that the dev stack runs.
    const images = {
      postgres: await imageOf(cluster, 'apps/v1/statefulsets/postgres'),
      pgbouncer: await imageOf(cluster, 'apps/v1/deployments/postgres-pooler'),
      redis: await imageOf(cluster, 'apps/v1/statefulsets/redis'),
    };
    watcher = watch();
    for (const { title, accepted, used } of PHASES) {
      engine.program(
        rotationProgram(root, images, accepted, used),
        "context: 'trellis-dev', enableConfigMapMutable: true, enableSecretMutable: true",
      );
      output += (await engine.up()).output;
      // Each phase lasts, so that clients read and write in it too.
      await sleep(2000);
      for (const name of [...STORES, ...CLIENTS]) {
        const ready = (await podsOf(name)).filter(
          (pod) => isReady(pod) && pod.metadata?.deletionTimestamp === undefined,
        );
        pods.set(
          `${title} ${name}`,
          ready.map(({ metadata }) => metadata?.uid ?? ''),
        );
      }
      const [database, redis] = [await secretOf('db'), await secretOf('redis')];
      urls.set(title, database['DATABASE_DIRECT_URL'] ?? '');
      urls.set(`${title} redis`, redis['REDIS_URL'] ?? '');
      passwords.add(database['POSTGRES_PASSWORD'] ?? '').add(redis['REDIS_PASSWORD'] ?? '');
    }
    watching = false;
    await watcher;
  }, 600_000);
  afterAll(async () => {
    watching = false;
    await watcher;
    await engine.run('destroy', '--yes', '--skip-preview');
    await engine.dispose();
  });

  test('refuses no read and no write of any client, before, in and after each phase', () => {
    const all = [...reports.values()];
    for (const client of CLIENTS) {
      const own = all.filter(({ name }) => name.startsWith(`${client}-`));
      // One pod with the first password, one with the second.
      expect(own).toHaveLength(2);
      for (const { log } of own) expect(log.match(/^done/gm)?.length ?? 0).toBeGreaterThan(4);
    }
    expect(all.flatMap(({ log }) => log.split('\n').filter((line) => line.startsWith('failed')))).toEqual([]);
  });

  test('restarts no server and no pooler', () => {
    for (const name of STORES) {
      const [first, ...later] = PHASES.map(({ title }) => pods.get(`${title} ${name}`));
      expect(first).toHaveLength(1);
      for (const phase of later) expect(phase).toEqual(first);
    }
  });

  test('makes clients anew when they switch, and at no other time', () => {
    for (const name of CLIENTS) {
      const [before, stage, change, retire] = PHASES.map(({ title }) => pods.get(`${title} ${name}`));
      expect(stage).toEqual(before);
      expect(change).not.toEqual(before);
      expect(retire).toEqual(change);
    }
  });

  test('ends with a login that owns what the first one made, and a first one that is refused', async () => {
    const [before = '', after = ''] = [urls.get('before'), urls.get('retire')];
    const owners = "select string_agg(distinct tableowner, ',') from pg_tables where schemaname = 'public'";
    const address = (await cluster.get<{ spec: { clusterIP: string } }>(`${CORE}/services/db-service`)).spec.clusterIP;
    const at = (url: string): string => url.replace(/@[^:]+:/, `@${address}:`).replace(/\?.*/, '');
    expect(before).toMatch(/^postgres:\/\/app:/);
    expect(after).toMatch(/^postgres:\/\/app_b:/);
    const asked = await queryFromNode(at(after), ['select session_user', 'select current_user', owners]);
    expect(asked).toEqual(['app_b', 'app', 'app']);
    await expect(queryFromNode(at(before), ['select 1'])).rejects.toThrow(/password authentication failed/);
  });

  test('shows no password in a log, an output or the state', async () => {
    expect([...passwords].filter((one) => one.length === 24)).toHaveLength(4);
    const logs = await Promise.all(
      (await cluster.list<V1Pod>(`${CORE}/pods`)).map(({ metadata, spec }) =>
        Promise.all(
          (spec?.containers ?? []).map(({ name }) =>
            cluster.text(`${CORE}/pods/${metadata?.name ?? ''}/log?container=${name}`),
          ),
        ),
      ),
    );
    const { output: state } = await engine.run('stack', 'export');
    const texts = [output, state, ...logs.flat(), ...[...reports.values()].map(({ log }) => log)];
    for (const needle of spellings([...passwords])) for (const text of texts) expect(text.includes(needle)).toBe(false);
  });
});
