import type { ServiceConfig } from './config';
import type { Logger } from './log';
import { OtlpExporter } from './otlp';
import { below, contextOf, headersOf, type TraceContext } from './trace-context';

/** By OpenTelemetry's names, such as `http.route`. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Numbers of the protocol. */
export const KIND = { server: 2, client: 3 } as const;
export type SpanKind = (typeof KIND)[keyof typeof KIND];

/** A span that is over. */
export interface FinishedSpan {
  readonly context: TraceContext;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  /** Nanoseconds since 1970. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Attributes;
  /** What went wrong, for people; undefined where nothing did. */
  readonly error: string | undefined;
}

/** One piece of work that is going on. */
export class Span {
  readonly #start = now();
  #over = false;

  constructor(
    readonly context: TraceContext,
    private readonly parentId: string | undefined,
    private readonly kind: SpanKind,
    private readonly finish: (span: FinishedSpan) => void,
  ) {}

  /** Fields of a log line. */
  get fields(): { readonly trace_id: string; readonly span_id: string } {
    return { trace_id: this.context.traceId, span_id: this.context.spanId };
  }

  /** A request to another service; `headers` tell it where it belongs. */
  client(): Span & { readonly headers: Record<string, string> } {
    const context = below(this.context, 0);
    const span = new Span(context, this.context.spanId, KIND.client, this.finish);
    return Object.assign(span, { headers: headersOf(context) });
  }

  /** Once: what comes later is nothing. */
  end(name: string, attributes: Attributes, error?: string): void {
    if (this.#over) return;
    this.#over = true;
    if (!this.context.sampled) return;
    const { context, parentId, kind } = this;
    this.finish({ context, parentId, name, kind, start: this.#start, end: now(), attributes, error });
  }
}

// The clock of the day with the resolution of the other one.
const EPOCH = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
const now = (): bigint => EPOCH + process.hrtime.bigint();

/** Begins spans and hands on those that are over; without an endpoint they only give ids to the log and to the services that are asked. */
export class Tracer {
  readonly #exporter: OtlpExporter | undefined;

  constructor(
    private readonly config: Pick<ServiceConfig, 'serviceName' | 'environment' | 'tracing'>,
    log: Logger,
  ) {
    const { endpoint } = config.tracing;
    this.#exporter = endpoint === undefined ? undefined : new OtlpExporter(endpoint, config, log);
  }

  /** The span of a request. A caller decides whether its trace is sampled. */
  server(headers: Parameters<typeof contextOf>[0]): Span {
    const parent = contextOf(headers);
    const context = below(parent, this.config.tracing.sampleRatio);
    return new Span(context, parent?.spanId, KIND.server, (span) => this.#exporter?.add(span));
  }

  /** Sends what is left. */
  async close(): Promise<void> {
    await this.#exporter?.close();
  }
}
