import * as fs from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { backEnds, edgeFindings, type Edge } from '../../../../cli/verify/edge';
import type { Front } from '../../../../cli/verify/fronts';
import { ensureAuthority, ensureCertificate } from '../../../../local/cluster/pki';

const HOST = 'shop.example';
const front = (changes: Partial<Front> = {}): Front => ({
  ...{ host: HOST, path: '/ready', readiness: true, redirects: true },
  ...changes,
});
type Handler = (url: string) => { readonly status: number; readonly location?: string; readonly body?: string };

describe('a public address', () => {
  let folder: string;
  let secure: https.Server;
  let plain: http.Server;
  let edge: Edge;
  let answer: Handler;
  let redirect: Handler;

  const listen = async (server: http.Server | https.Server): Promise<number> => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const handler =
    (say: () => Handler): http.RequestListener =>
    (request, response) => {
      const { status, location, body = '' } = say()(request.url ?? '');
      response.writeHead(status, location === undefined ? {} : { location }).end(body);
    };

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-verify-'));
    const authority = await ensureAuthority(folder, 'ca', 'test authority');
    const { certFile, keyFile } = await ensureCertificate(folder, authority, {
      ...{ name: 'edge', commonName: HOST },
      dns: [HOST],
    });
    const files = { cert: fs.readFileSync(certFile), key: fs.readFileSync(keyFile) };
    secure = https.createServer(
      files,
      handler(() => answer),
    );
    plain = http.createServer(handler(() => redirect));
    edge = {
      ...{ httpsPort: await listen(secure), httpPort: await listen(plain) },
      ...{ address: '127.0.0.1', caFile: authority.certFile },
    };
  });
  beforeEach(() => {
    answer = () => ({ status: 200, body: '{}' });
    redirect = (url) => ({ status: 308, location: `https://${HOST}${url}` });
  });
  afterAll(async () => {
    for (const server of [secure, plain]) await new Promise((resolve) => server.close(resolve));
    fs.rmSync(folder, { recursive: true, force: true });
  });

  test('that answers with its own certificate, and leads there from plain HTTP, is well', async () => {
    const asked: string[] = [];
    answer = (url) => {
      asked.push(url);
      return { status: 200 };
    };
    const [encrypted, redirected] = await edgeFindings([front()], edge);
    expect(encrypted).toMatchObject({ title: `https://${HOST}:${edge.httpsPort}/ready`, ok: true });
    expect(encrypted?.detail).toMatch(/^200, certificate of shop.example for 36[345] more days$/);
    expect(redirected).toEqual({
      ...{ title: `http://${HOST}:${edge.httpPort}/ready`, ok: true },
      detail: `308 to https://${HOST}/ready`,
    });
    expect(asked).toEqual(['/ready']);
  });

  test('tells what its service says of each back end', async () => {
    const checks = { postgres: { status: 'up' }, redis: { status: 'down', reason: 'timeout' } };
    answer = () => ({ status: 503, body: JSON.stringify({ status: 'degraded', checks }) });
    const findings = await edgeFindings([front({ redirects: false })], edge);
    expect(findings.map(({ title, ok, detail }) => [title, ok, detail])).toEqual([
      [expect.stringContaining('/ready'), false, expect.stringMatching(/^503, /)],
      [`postgres, asked by ${HOST}`, true, 'up'],
      [`redis, asked by ${HOST}`, false, 'down: timeout'],
    ]);
  });

  test('with the certificate of another name is not', async () => {
    const [finding] = await edgeFindings([front({ host: 'other.example', redirects: false })], edge);
    expect(finding?.ok).toBe(false);
    expect(finding?.detail).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('with a certificate of an authority that nobody trusts is not', async () => {
    const system = { httpsPort: edge.httpsPort, httpPort: edge.httpPort, address: '127.0.0.1' };
    const [finding] = await edgeFindings([front({ redirects: false })], system);
    expect(finding?.ok).toBe(false);
    expect(finding?.detail).toMatch(/UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT/);
  });

  test('with a certificate that is about to end is not', async () => {
    const soon = (): number => Date.now() + 363 * 86_400_000;
    const [finding] = await edgeFindings([front({ redirects: false })], { ...edge, now: soon });
    expect(finding).toMatchObject({ ok: false, detail: expect.stringMatching(/more days: too few$/) as string });
  });

  test('where nobody listens is not', async () => {
    const [encrypted, redirected] = await edgeFindings([front()], { ...edge, httpsPort: 1, httpPort: 1 });
    for (const finding of [encrypted, redirected])
      expect(finding).toMatchObject({ ok: false, detail: expect.stringContaining('ECONNREFUSED') as string });
  });

  test.each([
    ['answers itself', { status: 200 }],
    ['leads to plain HTTP', { status: 308, location: `http://${HOST}/` }],
    ['leads to another host', { status: 308, location: 'https://other.example/' }],
    ['leads nowhere', { status: 308 }],
  ])('that %s over plain HTTP is not', async (_, said) => {
    redirect = () => said;
    const [, redirected] = await edgeFindings([front()], edge);
    expect(redirected).toMatchObject({ ok: false, detail: `${said.status}, and does not lead to HTTPS` });
  });

  test.each([
    [404, true],
    [502, false],
  ])('whose path is no readiness path may say %d: %s', async (status, ok) => {
    answer = () => ({ status });
    const [finding] = await edgeFindings([front({ path: '/api', readiness: false, redirects: false })], edge);
    expect(finding?.ok).toBe(ok);
  });
});

test.each(['<html>', '[]', 'null', '{"checks":[]}', '{"status":"ready"}', '{"checks":"all"}'])(
  '%s says nothing of back ends',
  (body) => expect(backEnds(HOST, body)).toEqual([]),
);

test('a back end that says nothing of itself is not up', () => {
  expect(backEnds(HOST, '{"checks":{"redis":null}}')).toEqual([
    { title: `redis, asked by ${HOST}`, ok: false, detail: 'unknown' },
  ]);
});
