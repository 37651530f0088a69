import type { ServiceConfig } from './config';
import type { Logger } from './log';
import type { Attributes, FinishedSpan } from './tracing';
import { version } from './version';

/** Spans that wait at most; the oldest go first where a collector is away. */
const MOST = 2048;
const BATCH = 512;
const EVERY_MS = 2000;
const TIMEOUT_MS = 5000;
/** Answers after which the same spans are worth another try. */
const LATER: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const ERROR = 2;

const attributes = (from: Attributes) =>
  Object.entries(from).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: valueOf(value) }]));

// 64-bit numbers are texts in the protocol's JSON.
function valueOf(value: string | number | boolean): Record<string, string | number | boolean> {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

const spanOf = ({ context, parentId, name, kind, start, end, attributes: own, error }: FinishedSpan) => ({
  traceId: context.traceId,
  spanId: context.spanId,
  ...(parentId === undefined ? {} : { parentSpanId: parentId }),
  ...(context.state === undefined ? {} : { traceState: context.state }),
  flags: context.sampled ? 1 : 0,
  name,
  kind,
  startTimeUnixNano: String(start),
  endTimeUnixNano: String(end),
  attributes: attributes(own),
  status: error === undefined ? {} : { code: ERROR, message: error },
});

/** Sends spans to a collector, in batches, as OTLP over HTTP in JSON. No request ever waits for it. */
export class OtlpExporter {
  readonly #url: string;
  readonly #resource: object;
  #waiting: FinishedSpan[] = [];
  #dropped = 0;
  #sending: Promise<void> | undefined;
  #away = false;
  readonly #timer: NodeJS.Timeout;

  constructor(
    endpoint: string,
    { serviceName, environment }: Pick<ServiceConfig, 'serviceName' | 'environment'>,
    private readonly log: Logger,
  ) {
    this.#url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
    this.#resource = {
      attributes: attributes({
        'service.name': serviceName,
        'service.version': version,
        'deployment.environment.name': environment,
      }),
    };
    this.#timer = setInterval(() => void this.#send(), EVERY_MS);
    this.#timer.unref();
  }

  add(span: FinishedSpan): void {
    this.#waiting.push(span);
    if (this.#waiting.length > MOST) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
    if (this.#waiting.length >= BATCH) void this.#send();
  }

  /** Sends what waits, once. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sending;
    await this.#send();
  }

  #send(): Promise<void> {
    this.#sending ??= this.#sendBatch().finally(() => (this.#sending = undefined));
    return this.#sending;
  }

  async #sendBatch(): Promise<void> {
    const batch = this.#waiting.slice(0, BATCH);
    if (batch.length === 0) return;
    const scopeSpans = [{ scope: { name: 'reference-service', version }, spans: batch.map(spanOf) }];
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ resourceSpans: [{ resource: this.#resource, scopeSpans }] }),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.arrayBuffer();
      // What is refused for good would be refused again.
      if (response.ok || !LATER.has(response.status)) this.#forget(batch);
      this.#tell(response.ok ? undefined : { status: response.status });
    } catch (error) {
      this.#tell({ err: (error as Error).cause ?? error });
    }
  }

  #forget(batch: readonly FinishedSpan[]): void {
    const done = new Set(batch);
    this.#waiting = this.#waiting.filter((span) => !done.has(span));
  }

  /** Only a change is logged. */
  #tell(trouble: object | undefined): void {
    if (trouble !== undefined && !this.#away) this.log.warn(trouble, 'the collector of traces takes no spans');
    if (trouble === undefined && this.#away)
      this.log.info({ dropped: this.#dropped }, 'the collector takes spans again');
    if (trouble === undefined) this.#dropped = 0;
    this.#away = trouble !== undefined;
  }
}
