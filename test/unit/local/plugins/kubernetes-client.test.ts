import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';

import { Client } from '../../../../local/plugins/kubernetes/client';
import { Discovery, builtIn, pathOf } from '../../../../local/plugins/kubernetes/discovery';
import { connection } from '../../../../local/plugins/kubernetes/kubeconfig';

const config = (server: string, user: object = {}, extra: object = {}): string =>
  JSON.stringify({
    'current-context': 'a',
    contexts: [
      { name: 'a', context: { cluster: 'c', user: 'u', namespace: 'n' } },
      { name: 'b', context: { cluster: 'c' } },
    ],
    clusters: [{ name: 'c', cluster: { server, ...extra } }],
    users: [{ name: 'u', user }],
  });

describe('a kubeconfig', () => {
  let folder: string;
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kubeconfig-'));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  test('as content, with another context', () => {
    expect(connection({ kubeconfig: config('https://x/') })).toMatchObject({
      server: 'https://x',
      namespace: 'n',
      context: 'a',
    });
    expect(connection({ kubeconfig: config('https://x'), context: 'b' })).toMatchObject({
      namespace: 'default',
      user: {},
    });
  });

  test('as files: the first that names something wins; paths are relative to their file', () => {
    const [one, two] = [path.join(folder, 'one'), path.join(folder, 'two')];
    fs.writeFileSync(path.join(folder, 'ca.crt'), 'CA');
    fs.writeFileSync(one, config('https://one', {}, { 'certificate-authority': 'ca.crt' }));
    fs.writeFileSync(two, config('https://two'));
    expect(connection({ kubeconfig: `${one}${path.delimiter}${two}` })).toMatchObject({
      server: 'https://one',
      ca: Buffer.from('CA'),
    });
    expect(() => connection({ kubeconfig: path.join(folder, 'none') })).toThrow(/none does not exist/);
  });

  test('names what exists where the wanted thing does not', () => {
    expect(() => connection({ kubeconfig: config('https://x'), context: 'z' })).toThrow(
      'context "z" does not exist in kubeconfig in the provider’s configuration; it has: a, b',
    );
    expect(() => connection({ kubeconfig: config('https://x'), cluster: 'z' })).toThrow(/cluster "z".*it has: c/);
    expect(() => connection({ kubeconfig: config('https://x', { 'auth-provider': {} }) })).toThrow(/auth-provider/);
    expect(() => connection({ kubeconfig: 'token: [\nsecret' })).toThrow(/is no YAML/);
  });
});

describe('the client', () => {
  let server: http.Server;
  let answers: ((request: http.IncomingMessage, response: http.ServerResponse) => void)[];
  let seen: http.IncomingMessage[];
  let url: string;
  beforeEach(async () => {
    answers = [];
    seen = [];
    server = http.createServer((request, response) => {
      seen.push(request);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      answer?.(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  const say =
    (code: number, body: object, headers: http.OutgoingHttpHeaders = {}) =>
    (_: http.IncomingMessage, response: http.ServerResponse): void => {
      response.writeHead(code, headers).end(JSON.stringify(body));
    };
  const client = (user: object = {}): Client => new Client(connection({ kubeconfig: config(url, user) }));
  const get = { method: 'GET', path: '/x' } as const;

  test('repeats what an overload or a restart made fail, and passes warnings on', async () => {
    answers = [
      say(503, {}),
      (request) => request.socket.destroy(),
      say(429, {}, { 'retry-after': '0' }),
      say(500, { kind: 'Status', message: 'etcdserver: leader changed' }),
      say(200, { ok: 1 }, { warning: '299 - "old \\"api\\"", 299 - "two"' }),
    ];
    const answer = await client().send(get);
    expect(JSON.parse(answer.text)).toEqual({ ok: 1 });
    expect(answer.warnings).toEqual(['old "api"', 'two']);
    expect(seen).toHaveLength(5);
  });

  test('does not repeat a verdict', async () => {
    answers = [say(422, { kind: 'Status', reason: 'Invalid', message: 'no', details: { causes: [{ field: 'a' }] } })];
    await expect(client().send(get)).rejects.toMatchObject({ code: 422, message: 'no', reason: 'Invalid' });
    answers = [say(500, { kind: 'Status', message: 'failed to create typed patch object' })];
    await expect(client().send(get)).rejects.toMatchObject({ code: 500 });
    expect(seen).toHaveLength(2);
  });

  test('says which server does not answer, and does not wait for it again', async () => {
    server.close();
    const away = client();
    await expect(away.send({ ...get, patience: 0.5 })).rejects.toThrow(
      `Kubernetes API server ${url} can't be reached: ECONNREFUSED`,
    );
    const began = Date.now();
    await expect(away.send({ ...get, patience: 30 })).rejects.toThrow("can't be reached");
    expect(Date.now() - began).toBeLessThan(5_000);
    expect(away.unreachable).toContain('ECONNREFUSED');
  });

  test('an abort ends the wait', async () => {
    answers = [say(503, {})];
    const controller = new AbortController();
    const pending = client().send({ ...get, signal: controller.signal });
    setTimeout(() => controller.abort(), 100);
    await expect(pending).rejects.toThrow('canceled');
  });

  test('proves who it is: token, password, exec plugin; a refused credential is fetched again', async () => {
    answers = [say(200, {})];
    await client({ token: 't' }).send(get);
    await client({ username: 'u', password: 'p' }).send(get);
    const script = `console.log(JSON.stringify({ status: { token: process.env.T + JSON.parse(process.env.KUBERNETES_EXEC_INFO).kind } }))`;
    const exec = { command: process.execPath, args: ['-e', script], env: [{ name: 'T', value: 'x' }] };
    answers = [say(401, {}), say(200, {})];
    await client({ exec }).send(get);
    const sent = seen.map((request) => request.headers.authorization);
    expect(sent).toEqual(['Bearer t', 'Basic dTpw', 'Bearer xExecCredential', 'Bearer xExecCredential']);
  });

  test('discovery: asks once, remembers no absence, knows Kubernetes’ own kinds without asking', async () => {
    const discovery = new Discovery(client());
    const kind = { group: 'example.com', version: 'v1', kind: 'Thing' };
    answers = [
      say(404, { kind: 'Status' }),
      say(200, {
        resources: [
          { name: 'things', kind: 'Thing', namespaced: false },
          { name: 'things/status', kind: 'Thing', namespaced: false },
        ],
      }),
    ];
    await expect(discovery.find(kind)).rejects.toThrow('serves no example.com/v1/Thing');
    const [found] = await Promise.all([discovery.find(kind), discovery.find(kind)]);
    expect(pathOf(found, 'ignored', 'a')).toBe('/apis/example.com/v1/things/a');
    expect(seen).toHaveLength(2);
    expect(await discovery.namespaced({ group: '', version: 'v1', kind: 'Namespace' })).toBe(false);
    expect(await discovery.namespaced({ group: 'apps', version: 'v1', kind: 'Deployment' })).toBe(true);
    discovery.announce('new.example.com', 'Wide', false);
    expect(await discovery.namespaced({ group: 'new.example.com', version: 'v1', kind: 'Wide' })).toBe(false);
    expect(seen).toHaveLength(2);
    expect(builtIn({ group: 'gateway.networking.k8s.io', version: 'v1', kind: 'Gateway' })).toBe(false);
    expect(builtIn({ group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' })).toBe(true);
  });
});
