import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { contextOf, headersOf, below } from '../../../images/reference-service/src/trace-context';
import { start, type TestService } from './support';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const traceparent = (flags = '01'): string => `00-${TRACE}-${PARENT}-${flags}`;

interface Value {
  readonly stringValue?: string;
  readonly intValue?: string;
}
interface Attribute {
  readonly key: string;
  readonly value: Value;
}
interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number; readonly message?: string };
}
interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}

/** A collector as OTLP over HTTP has it. */
class Collector {
  public readonly requests: { readonly url: string; readonly type: string; readonly body: Sent }[] = [];
  public status = 200;
  readonly #server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Sent;
      this.requests.push({ url: request.url ?? '', type: request.headers['content-type'] ?? '', body });
      response.writeHead(this.status, { 'content-type': 'application/json' }).end('{}');
    });
  });

  public async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  public get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  public get spans(): readonly SentSpan[] {
    return this.requests.flatMap(({ body }) =>
      body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    );
  }

  public stop(): Promise<unknown> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }
}

const attribute = ({ attributes }: { readonly attributes: readonly Attribute[] }, key: string): Value | undefined =>
  attributes.find((one) => one.key === key)?.value;

describe('a context', () => {
  it.each([
    ['none', undefined],
    ['another form', 'abc'],
    ['the version that is none', `ff-${TRACE}-${PARENT}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capitals', traceparent().toUpperCase()],
    ['more than the version has', `${traceparent()}-more`],
  ])('is not taken from %s', (_, header) => {
    expect(contextOf(header === undefined ? {} : { traceparent: header })).toBeUndefined();
  });

  it('is taken as W3C has it, of later versions too', () => {
    const expected = { traceId: TRACE, spanId: PARENT, sampled: true, state: 'a=1,b=2' };
    expect(contextOf({ traceparent: traceparent(), tracestate: ['a=1', 'b=2'] })).toEqual(expected);
    expect(contextOf({ traceparent: `01-${TRACE}-${PARENT}-03-more` })).toEqual({ ...expected, state: undefined });
    expect(contextOf({ traceparent: traceparent('00') })?.sampled).toBe(false);
    expect(contextOf({ traceparent: traceparent(), tracestate: 'x'.repeat(513) })?.state).toBeUndefined();
  });

  it('goes on under a span of its own, whatever the ratio', () => {
    const context = below(contextOf({ traceparent: traceparent(), tracestate: 'a=1' }), 0);
    expect(context).toMatchObject({ traceId: TRACE, sampled: true });
    expect(context.spanId).not.toBe(PARENT);
    expect(headersOf(context)).toEqual({ traceparent: `00-${TRACE}-${context.spanId}-01`, tracestate: 'a=1' });
  });

  it.each([0, 0.25, 1])('that begins here is sampled in %d of the cases', (ratio) => {
    const sampled = Array.from({ length: 4000 }, () => below(undefined, ratio).sampled).filter(Boolean).length;
    expect(Math.abs(sampled / 4000 - ratio)).toBeLessThan(ratio === 0.25 ? 0.05 : Number.MIN_VALUE);
  });
});

describe('spans', () => {
  let collector: Collector;
  const running: TestService[] = [];
  const service = async (environment: Record<string, string>): Promise<TestService> => {
    const one = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, TRACING_SAMPLE_RATIO: '1', ...environment });
    running.push(one);
    return one;
  };
  const drain = async (): Promise<void> => void (await Promise.all(running.splice(0).map((one) => one.drain())));
  const ask = (base: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${base}/api/completion`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ prompt: 'x' }),
    });
  beforeEach(async () => {
    collector = await new Collector().start();
  });
  afterEach(async () => {
    await drain();
    await collector.stop();
  });

  it('of a request that passes two services are one trace, each below the one that asked', async () => {
    const end = await service({ SERVICE_NAME: 'end' });
    const front = await service({ SERVICE_NAME: 'front', COMPLETION_URL: end.base, APP_ENV: 'staging' });
    const response = await ask(front.base, { traceparent: traceparent(), tracestate: 'vendor=1' });
    expect(response.status).toBe(501);
    await drain();

    expect(new Set(collector.requests.map(({ url, type }) => `${url} ${type}`))).toEqual(
      new Set(['/v1/traces application/json']),
    );
    const [server, client, last] = [
      collector.spans.find(({ parentSpanId }) => parentSpanId === PARENT),
      collector.spans.find(({ kind }) => kind === 3),
      collector.spans.find(({ kind, parentSpanId }) => kind === 2 && parentSpanId !== PARENT),
    ];
    expect(server).toMatchObject({ traceId: TRACE, traceState: 'vendor=1', kind: 2, name: 'POST /api/completion' });
    expect(client).toMatchObject({ traceId: TRACE, parentSpanId: server?.spanId });
    expect(last).toMatchObject({ traceId: TRACE, traceState: 'vendor=1', parentSpanId: client?.spanId });
    expect(attribute(server ?? { attributes: [] }, 'http.response.status_code')).toEqual({ intValue: '501' });
    expect(server?.status).toEqual({ code: 2, message: 'answered 501' });
    expect(BigInt(server?.endTimeUnixNano ?? 0) >= BigInt(client?.endTimeUnixNano ?? 1)).toBe(true);
    expect(Number(BigInt(server?.startTimeUnixNano ?? 0) / 1_000_000n)).toBeGreaterThan(Date.now() - 60_000);

    const resources = collector.requests.map(({ body }) => body.resourceSpans[0]?.resource ?? { attributes: [] });
    expect(new Set(resources.map((one) => attribute(one, 'service.name')?.stringValue))).toEqual(
      new Set(['front', 'end']),
    );
    expect(resources.map((one) => attribute(one, 'deployment.environment.name')?.stringValue)).toContain('staging');
    const lines = front.lines.filter(({ route }) => route === '/api/completion');
    expect(lines.map(({ trace_id, span_id }) => [trace_id, span_id])).toEqual([[TRACE, server?.spanId]]);
    expect(end.lines.find(({ route }) => route === '/api/completion')).toMatchObject({
      trace_id: TRACE,
      span_id: last?.spanId,
    });
  });

  it('are sent by themselves, and never of probes and scrapes', async () => {
    const { base } = await service({});
    for (const path of ['/health', '/ready', '/metrics', '/']) await fetch(base + path);
    for (let waited = 0; collector.spans.length === 0 && waited < 8000; waited += 100)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(collector.spans.map(({ name }) => name)).toEqual(['GET /']);
    await drain();
    expect(collector.spans).toHaveLength(1);
  });

  it('are not sent where the caller, or the ratio, does not sample; ids are in the log all the same', async () => {
    const quiet = await service({ TRACING_SAMPLE_RATIO: '0' });
    await fetch(`${quiet.base}/`);
    const asked = await service({});
    await fetch(`${asked.base}/`, { headers: { traceparent: traceparent('00') } });
    await drain();
    expect(collector.requests).toEqual([]);
    expect(quiet.lines.find(({ route }) => route === '/')?.trace_id).toMatch(/^[0-9a-f]{32}$/);
    expect(asked.lines.find(({ route }) => route === '/')?.trace_id).toBe(TRACE);
  });

  it('wait for a collector that is away, which the log says once; requests are answered all the same', async () => {
    collector.status = 503;
    const one = await service({});
    await fetch(`${one.base}/`);
    for (let waited = 0; collector.requests.length < 2 && waited < 10_000; waited += 100)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await fetch(`${one.base}/`)).status).toBe(200);
    collector.status = 200;
    await drain();
    const last = collector.requests.at(-1)?.body.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
    expect(last.map(({ name }) => name)).toEqual(['GET /', 'GET /']);
    const said = one.lines.map(({ msg }) => msg);
    expect(said.filter((text) => text === 'the collector of traces takes no spans')).toHaveLength(1);
    expect(said).toContain('the collector takes spans again');
  });

  it('of a collector that is not there hinder neither a request nor the end', async () => {
    const one = await service({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
    expect((await fetch(`${one.base}/`)).status).toBe(200);
    running.splice(0);
    expect(await one.drain()).toBe(true);
  });

  it('hold no secret: neither tokens nor bodies', async () => {
    const one = await service({});
    await ask(`${one.base}`, { authorization: 'Bearer canary-token', traceparent: traceparent() });
    await fetch(`${one.base}/?key=canary-query`);
    await drain();
    expect(collector.spans).toHaveLength(2);
    expect(JSON.stringify(collector.requests)).not.toContain('canary');
  });
});

describe('wrong settings of tracing', () => {
  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'ftp://x', 'a URL that starts with'],
    ['TRACING_SAMPLE_RATIO', '2', 'a number from 0 to 1'],
    ['TRACING_SAMPLE_RATIO', 'half', 'a number from 0 to 1'],
  ])('%s=%s is refused', async (name, value, message) => {
    await expect(start({ [name]: value })).rejects.toThrow(message);
  });
});
