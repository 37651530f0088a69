import { randomBytes } from 'node:crypto';

/** Where a request stands in its trace, as W3C Trace Context has it. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly sampled: boolean;
  /** What tracing systems on the way have added; handed on as it came. */
  readonly state: string | undefined;
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const SHAPE = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** Characters that a tracestate may have for it to be handed on. */
const LONGEST_STATE = 512;

const text = (header: Headers[string]): string | undefined => (typeof header === 'string' ? header : header?.join(','));

/** What a caller says of its trace; nothing where it says none, or something that is none. */
export function contextOf(headers: Headers): TraceContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = SHAPE.exec(text(headers.traceparent) ?? '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const state = text(headers.tracestate)?.trim();
  const sampled = (parseInt(flags, 16) & 1) === 1;
  return { traceId, spanId, sampled, state: state === '' || (state ?? '').length > LONGEST_STATE ? undefined : state };
}

/** What the next service is told. */
export const headersOf = ({ traceId, spanId, sampled, state }: TraceContext): Record<string, string> => ({
  traceparent: `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`,
  ...(state === undefined ? {} : { tracestate: state }),
});

/** The context of a span below another, or of the first one of a trace, of which a part is sampled. */
export function below(parent: TraceContext | undefined, ratio: number): TraceContext {
  const spanId = randomId(8);
  if (parent !== undefined) return { ...parent, spanId };
  const traceId = randomId(16);
  // By the trace's own digits, so that every service that is asked decides alike.
  return { traceId, spanId, sampled: parseInt(traceId.slice(-13), 16) / 2 ** 52 < ratio, state: undefined };
}

/** Never all zeros, which would be no id. */
function randomId(bytes: number): string {
  for (;;) {
    const id = randomBytes(bytes).toString('hex');
    if (!/^0+$/.test(id)) return id;
  }
}
