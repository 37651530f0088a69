import { createHmac } from 'node:crypto';
import type { V1Pod, V1Secret } from '@kubernetes/client-node';
import { Cluster, info, isReady, request, trellis, until } from '../support/cluster';
import { queryFromNode } from './support/network';

jest.setTimeout(300_000);

const NAMESPACE = 'noa-server-dev';
const HOST = 'noa.trellis.localhost';
const SERVICES = [
  'ui',
  'mcp',
  'claude-flow',
  'agentic-os',
  'llama-cpp',
  'postgres',
  'postgres-pooler',
  'redis',
  'backup-status',
];

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A user's token for ten minutes, signed as the UI signs it. */
function tokenOf(secret: string): string {
  const claims = { sub: 'tester', exp: Math.floor(Date.now() / 1000) + 600 };
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

describe('Noa Server on the local cluster', () => {
  let cluster: Cluster;
  let pods: readonly V1Pod[];
  const at = (path: string): string => `https://${HOST}:${info().httpsPort}${path}`;
  const secret = async (key: string): Promise<string> => {
    const url = `/api/v1/namespaces/${NAMESPACE}/secrets/noa-server-secret`;
    const { data = {} } = await cluster.get<V1Secret>(url);
    return Buffer.from(data[key] ?? '', 'base64').toString();
  };

  beforeAll(async () => {
    cluster = new Cluster();
    pods = await until(
      'every pod of Noa Server Ready',
      async () => {
        const all = await cluster.list<V1Pod>(`/api/v1/namespaces/${NAMESPACE}/pods`);
        const serving = all.filter(
          ({ metadata }) => metadata?.ownerReferences?.every(({ kind }) => kind !== 'Job') === true,
        );
        return serving.length >= SERVICES.length && serving.every(isReady) && serving;
      },
      240,
    );
  });

  test('runs every service of its description, every pod Ready', () => {
    const found = pods.map(({ metadata }) => metadata?.labels?.['app.kubernetes.io/name']);
    expect([...found].sort()).toEqual([...SERVICES].sort());
  });

  test('status names its address and its pods beside NoodleCore’s', async () => {
    const { stdout } = await trellis('status');
    expect(stdout).toContain(new URL(at('/')).href);
    for (const { metadata } of pods) expect(stdout).toMatch(new RegExp(`✔ +${metadata?.name ?? '?'} `));
  });

  test('answers a completion through its HTTPS ingress: UI → MCP → Claude Flow → llama.cpp, with tokens', async () => {
    const headers = { authorization: `Bearer ${tokenOf(await secret('SECRET_KEY'))}` };
    const json = { prompt: 'Once upon a time', n_predict: 8 };
    const { status, body } = await request(at('/api/completion'), { method: 'POST', headers, json });
    expect({ status, body: JSON.parse(body) as unknown }).toMatchObject({
      status: 200,
      body: { via: ['ui', 'mcp', 'claude-flow', 'llama.cpp'], tokens_predicted: 8 },
    });
    expect((JSON.parse(body) as { content: string }).content.length).toBeGreaterThan(0);
  });

  test('asks for a token before it asks the model', async () => {
    const json = { prompt: 'Once' };
    expect((await request(at('/api/completion'), { method: 'POST', json })).status).toBe(401);
  });

  test('has its schemas, tables and first data, none of them twice', async () => {
    const at = `/api/v1/namespaces/${NAMESPACE}`;
    const { data = {} } = await cluster.get<V1Secret>(`${at}/secrets/postgres-secret`);
    const { status } = await cluster.get<V1Pod>(`${at}/pods/postgres-0`);
    const url = new URL(Buffer.from(data.DATABASE_DIRECT_URL ?? data.DATABASE_URL ?? '', 'base64').toString());
    url.hostname = status?.podIP ?? '';
    url.search = '';
    const [schemas, versions, kinds] = await queryFromNode(url.href, [
      `select count(*) from pg_namespace where nspname in ('core', 'agents', 'memory')`,
      `select count(*) from core.settings where key = 'schema.version'`,
      `select count(*) - count(distinct name) from agents.kinds`,
    ]);
    expect({ schemas, versions, kinds }).toEqual({ schemas: '3', versions: '1', kinds: '0' });
    const { stdout } = await trellis('logs', 'postgres', '--lines', '10000');
    for (const file of ['10-schemas', '20-core', '30-agents', '40-memory', '90-data']) {
      expect((stdout.match(new RegExp(`running .*/${file}\\.sql`, 'g')) ?? []).length).toBeLessThanOrEqual(1);
    }
  });
});
