import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from './errors';
import type { Logger } from './log';
import type { Metrics } from './metrics';
import type { Span, Tracer } from './tracing';

/** Bytes of a request body. */
const BODY_LIMIT = 16 * 1024;

export interface Answer {
  readonly status: number;
  /** An object is sent as JSON. */
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}
export interface Call {
  readonly request: IncomingMessage;
  readonly params: Readonly<Record<string, string>>;
  readonly log: Logger;
  /** Handed on to the services that are asked for this request. */
  readonly requestId: string;
  /** The request's place in its trace. */
  readonly span: Span;
}
export interface Route {
  readonly method: 'GET' | 'POST';
  /** Segments that start with a colon are parameters; this text is also the metrics' label. */
  readonly pattern: string;
  /** Probes and scrapes are logged at debug level only. */
  readonly quiet?: boolean;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
}

/** @throws HttpError 413 over the limit, 400 for what is not JSON, 415 for another type */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new HttpError(415, 'the body must be application/json');
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // The rest of the body is not read, so the connection can't be used again.
    if (size > BODY_LIMIT) throw new HttpError(413, `the body is over ${BODY_LIMIT} bytes`, { connection: 'close' });
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new HttpError(400, 'the body is not JSON');
  }
}

function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const actual = given[i] ?? '';
    if (part.startsWith(':') && actual !== '') params[part.slice(1)] = actual;
    else if (part !== actual) return undefined;
  }
  return params;
}

function find(routes: readonly Route[], request: IncomingMessage): { route: Route; params: Record<string, string> } {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const allowed: string[] = [];
  for (const route of routes) {
    const params = match(route.pattern, path);
    if (params === undefined) continue;
    if (route.method === method) return { route, params };
    allowed.push(route.method);
  }
  if (allowed.length > 0) throw new HttpError(405, 'method not allowed', { allow: allowed.join(', ') });
  throw new HttpError(404, 'not found');
}

function send(request: IncomingMessage, response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const text = typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

/** A client's id is kept if it is harmless in a log line. */
function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

export interface ListenerContext {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly draining: () => boolean;
}

/** Ends the span of a request. Probes and scrapes would hide everything else, so they have none. */
function endSpan(
  span: Span,
  { method = '' }: IncomingMessage,
  response: ServerResponse,
  route: Route | undefined,
): void {
  if (route?.quiet === true) return;
  const { statusCode } = response;
  const attributes = {
    'http.request.method': method,
    'http.route': route?.pattern,
    'http.response.status_code': statusCode,
  };
  const failed = statusCode >= 500 ? `answered ${statusCode}` : undefined;
  const error = response.writableFinished ? failed : 'the client went away';
  span.end(route === undefined ? method : `${method} ${route.pattern}`, attributes, error);
}

/** The request listener: finds the route, answers, measures, logs; what goes wrong inside is told to the log only. */
export function createListener(
  routes: readonly Route[],
  { log, metrics, tracer, draining }: ListenerContext,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const id = requestId(request);
    const span = tracer.server(request.headers);
    const end = metrics.duration.startTimer();
    let route: Route | undefined;
    metrics.inFlight.inc();
    response.setHeader('x-request-id', id);
    response.once('close', () => {
      metrics.inFlight.dec();
      const seconds = end({
        method: request.method ?? '',
        route: route?.pattern ?? 'none',
        status: response.statusCode,
      });
      const fields = {
        requestId: id,
        method: request.method,
        route: route?.pattern ?? 'none',
        status: response.statusCode,
      };
      endSpan(span, request, response, route);
      const line = {
        ...fields,
        ...span.fields,
        ms: Math.round(seconds * 1e4) / 10,
        completed: response.writableFinished,
      };
      log[route?.quiet === true ? 'debug' : 'info'](line, 'request');
    });
    const answer = async (): Promise<Answer> => {
      const found = find(routes, request);
      route = found.route;
      const own = log.child({ requestId: id, ...span.fields });
      return route.handle({ request, params: found.params, log: own, requestId: id, span });
    };
    answer()
      .catch((error: unknown): Answer => {
        if (error instanceof HttpError) {
          return { status: error.status, body: { error: error.message, requestId: id }, headers: error.headers };
        }
        log.error({ requestId: id, ...span.fields, err: error }, 'request failed');
        return { status: 503, body: { error: 'the service cannot answer this now', requestId: id } };
      })
      .then((result) => {
        // Clients that keep connections alive must move to another replica before this one is gone.
        if (draining()) response.setHeader('connection', 'close');
        send(request, response, result);
      })
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  };
}
