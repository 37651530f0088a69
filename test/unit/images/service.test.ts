import { connect } from 'node:net';
import type { Route } from '../../../images/reference-service/src/http';
import { sign, start } from './support';
import type { TestService } from './support';

const SECRET = 'a-secret-of-enough-length';
/** A port of the loopback that nothing listens on: port 1 is reserved. */
const NOWHERE = {
  DATABASE_URL: 'postgres://noodlecore:canary-pg@127.0.0.1:1/noodlecore',
  REDIS_URL: 'redis://:canary-redis@127.0.0.1:1/0',
  CHECK_TIMEOUT_MS: '500',
};
const soon = () => Math.floor(Date.now() / 1000) + 60;
const answer = async (response: Response) => ({ status: response.status, body: await response.json() });

describe('the reference service without back ends', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await start({ SERVICE_NAME: 'noodle-runtime', SECRET_KEY: SECRET });
  });
  afterAll(() => service.drain());

  test('says that it is a reference service', async () => {
    const { status, body } = await answer(await fetch(`${service.base}/`));
    expect(status).toBe(200);
    expect(body).toMatchObject({ service: 'noodle-runtime', kind: 'reference service' });
  });

  test.each([
    ['/health', 'alive'],
    ['/health/startup', 'started'],
    ['/health/ready', 'ready'],
    ['/ready', 'ready'],
  ])('%s answers 200', async (path, status) => {
    expect(await answer(await fetch(service.base + path))).toMatchObject({ status: 200, body: { status } });
  });

  test('metrics are in the text format, by route pattern', async () => {
    await fetch(`${service.base}/api/notes/42`);
    const response = await fetch(`${service.base}/metrics`);
    const text = await response.text();
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toMatch(
      /^http_request_duration_seconds_count\{method="GET",route="\/api\/notes\/:id",status="401"\} 1$/m,
    );
    expect(text).toMatch(/^process_cpu_seconds_total /m);
    expect(text).not.toContain('backend_up');
  });

  test('the API wants a valid token', async () => {
    const call = (token?: string) =>
      fetch(`${service.base}/api/notes`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
    const none = await call();
    expect(none.status).toBe(401);
    expect(none.headers.get('www-authenticate')).toBe('Bearer realm="noodle-runtime"');
    const wrong = await call(sign('another-secret-of-length', { exp: soon() }));
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect((await call(sign(SECRET, { exp: soon() }))).status).toBe(501);
  });

  test.each([
    ['no JSON type', 'text/plain', '{}', 415],
    ['no JSON', 'application/json', '{', 400],
    ['an unknown key', 'application/json', '{"body":"x","more":1}', 400],
    ['an empty note', 'application/json', '{"body":""}', 400],
    ['a body over the limit', 'application/json', JSON.stringify({ body: 'x'.repeat(20_000) }), 413],
  ])('%s is refused', async (_name, type, body, status) => {
    const headers = { authorization: `Bearer ${sign(SECRET, { exp: soon() })}`, 'content-type': type };
    const response = await fetch(`${service.base}/api/notes`, { method: 'POST', headers, body });
    expect(response.status).toBe(status);
    await response.text();
  });

  test('unknown paths and methods', async () => {
    expect((await fetch(`${service.base}/nope`)).status).toBe(404);
    const response = await fetch(`${service.base}/ready`, { method: 'POST' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET');
    expect((await fetch(`${service.base}/ready`, { method: 'HEAD' })).status).toBe(200);
  });

  test('a harmless request id is kept and logged, another one replaced', async () => {
    const id = (given: string) => fetch(`${service.base}/`, { headers: { 'x-request-id': given } });
    expect((await id('abc-1')).headers.get('x-request-id')).toBe('abc-1');
    expect((await id('"; drop')).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(service.lines).toContainEqual(expect.objectContaining({ requestId: 'abc-1', status: 200, level: 'INFO' }));
  });

  test('what is not HTTP gets a 400 and the service lives on', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      let received = '';
      const socket = connect(service.port, '127.0.0.1', () => socket.write('nonsense\r\n\r\n'));
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.on('end', () => resolve(received));
      socket.on('error', reject);
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect((await fetch(`${service.base}/health`)).status).toBe(200);
  });
});

describe('the reference service with back ends away', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await start(NOWHERE);
  });
  afterAll(() => service.drain());

  test('is alive, and not ready with a reason for each', async () => {
    expect((await fetch(`${service.base}/health`)).status).toBe(200);
    const down = { status: 'down', latencyMs: expect.any(Number) as number, reason: 'ECONNREFUSED' };
    expect(await answer(await fetch(`${service.base}/ready`))).toEqual({
      status: 503,
      body: { status: 'degraded', checks: { postgres: down, redis: down } },
    });
  });

  test('shows it in the metrics', async () => {
    const text = await (await fetch(`${service.base}/metrics`)).text();
    expect(text).toContain('backend_up{backend="postgres"} 0');
    expect(text).toContain('backend_up{backend="redis"} 0');
    expect(text).toContain('database_pool_connections_max 10');
  });

  test('tells the client no inside, and the log no secret', async () => {
    const { status, body } = await answer(await fetch(`${service.base}/api/notes`));
    expect(status).toBe(503);
    expect(body).toMatchObject({ error: 'the service cannot answer this now' });
    const log = JSON.stringify(service.lines);
    expect(log).toContain('request failed');
    expect(log).not.toContain('canary');
  });
});

describe('draining', () => {
  const slow: Route = {
    method: 'GET',
    pattern: '/slow/:ms',
    handle: ({ params }) =>
      new Promise((resolve) => setTimeout(() => resolve({ status: 200, body: 'done' }), Number(params['ms'])).unref()),
  };

  test('readiness fails at once, new and running requests are answered, then the port closes', async () => {
    const service = await start({ SHUTDOWN_DELAY_SECONDS: '1' }, [slow]);
    const running = fetch(`${service.base}/slow/1500`);
    await fetch(`${service.base}/health`);
    const drained = service.drain();
    const ready = await fetch(`${service.base}/ready`);
    expect(await answer(ready)).toEqual({ status: 503, body: { status: 'draining', checks: {} } });
    expect(ready.headers.get('connection')).toBe('close');
    expect((await fetch(`${service.base}/`)).status).toBe(200);
    expect(await (await running).text()).toBe('done');
    expect(await drained).toBe(true);
    await expect(fetch(`${service.base}/health`)).rejects.toThrow();
  });

  test('a request that outlasts the grace is cut, and that is told', async () => {
    const service = await start({ SHUTDOWN_GRACE_SECONDS: '1' }, [slow]);
    const running = fetch(`${service.base}/slow/20000`).catch(() => 'cut');
    await fetch(`${service.base}/health`);
    const begun = Date.now();
    expect(await service.drain()).toBe(false);
    expect(Date.now() - begun).toBeLessThan(1000);
    expect(await running).toBe('cut');
  });
});
