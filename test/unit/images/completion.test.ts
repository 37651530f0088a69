import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sign, start } from './support';
import type { TestService } from './support';

const SECRET = 'a-secret-of-enough-length';
const KEY = 'the-key-of-the-model-server';
const token = (): string => `Bearer ${sign(SECRET, { exp: Math.floor(Date.now() / 1000) + 60 })}`;

interface Seen {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** What a llama.cpp server answers to /completion, as far as the protocol goes. */
class ModelServer {
  public readonly seen: Seen[] = [];
  public answer: { status: number; body: unknown } = {
    status: 200,
    body: { content: ' and so on', tokens_predicted: 3, model: 'tiny', stop: true, timings: { predicted_n: 3 } },
  };
  public delayMs = 0;
  public closed = 0;
  private readonly server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    response.once('close', () => (this.closed += response.writableFinished ? 0 : 1));
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url, headers } = request;
      this.seen.push({ url, headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
      setTimeout(() => {
        response.writeHead(this.answer.status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(this.answer.body));
      }, this.delayMs);
    });
  });

  public async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', () => resolve()));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  public async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

let model: ModelServer;
let flow: TestService;
let ui: TestService;
const ask = (body: unknown, headers: Record<string, string> = { authorization: token() }, base = ui.base) =>
  fetch(`${base}/api/completion`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

beforeEach(async () => {
  model = new ModelServer();
  const shared = { SECRET_KEY: SECRET, LLM_TIMEOUT_SECONDS: '1' };
  const server = { LLAMA_CPP_URL: `${await model.listen()}/`, LLAMA_CPP_API_KEY: KEY };
  flow = await start({ ...shared, ...server, SERVICE_NAME: 'claude-flow' });
  ui = await start({ ...shared, SERVICE_NAME: 'ui', COMPLETION_URL: flow.base });
});
afterEach(async () => {
  await Promise.all([ui.drain(), flow.drain()]);
  await model.close();
});

describe('a completion', () => {
  test('goes service by service to the model server, and comes back with its path', async () => {
    const response = await ask({ prompt: 'Once', n_predict: 3 }, { authorization: token(), 'x-request-id': 'one-1' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      content: ' and so on',
      tokens_predicted: 3,
      model: 'tiny',
      via: ['ui', 'claude-flow', 'llama.cpp'],
    });
    expect(model.seen).toEqual([
      {
        url: '/completion',
        headers: expect.objectContaining({ authorization: `Bearer ${KEY}`, 'x-request-id': 'one-1' }) as unknown,
        body: { prompt: 'Once', n_predict: 3 },
      },
    ]);
    const metrics = await (await fetch(`${ui.base}/metrics`)).text();
    expect(metrics).toMatch(/^reference_completion_tokens_total 3$/m);
  });

  test('needs a valid token at each service', async () => {
    expect((await ask({ prompt: 'Once' }, {})).status).toBe(401);
    expect((await ask({ prompt: 'Once' }, {}, flow.base)).status).toBe(401);
    expect(model.seen).toEqual([]);
  });

  test.each([
    ['no prompt', {}],
    ['an empty prompt', { prompt: '' }],
    ['too many tokens', { prompt: 'x', n_predict: 513 }],
    ['an unknown key', { prompt: 'x', stream: true }],
  ])('with %s is refused', async (_title, body) => {
    const response = await ask(body);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('n_predict');
    expect(model.seen).toEqual([]);
  });

  test.each([
    [503, { error: { message: 'Loading model' } }, 503],
    [401, { error: { message: 'Invalid API Key' } }, 401],
    [418, {}, 502],
    [200, { unexpected: true }, 502],
  ])('that the model server answers with %i %j is told as such', async (status, body, told) => {
    model.answer = { status, body };
    expect((await ask({ prompt: 'Once' })).status).toBe(told);
  });

  test('that takes too long is given up, there and at the model server', async () => {
    model.delayMs = 3000;
    expect((await ask({ prompt: 'Once' })).status).toBe(504);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(model.closed).toBe(1);
  });

  test('is 502 where the next service is away, and no log has the key', async () => {
    await model.close();
    const response = await ask({ prompt: 'Once' });
    expect(response.status).toBe(502);
    expect(JSON.stringify([...ui.lines, ...flow.lines])).not.toContain(KEY);
    expect(flow.lines).toContainEqual(expect.objectContaining({ msg: 'the next service for completions is away' }));
  });

  test('is 501 where nothing is configured', async () => {
    const alone = await start();
    try {
      expect((await ask({ prompt: 'Once' }, {}, alone.base)).status).toBe(501);
    } finally {
      await alone.drain();
    }
  });
});
