import { z } from 'zod';
import type { BackendCheck, CheckResult } from './backend';
import { complete } from './completion';
import type { ServiceConfig } from './config';
import { HttpError } from './errors';
import { readJson } from './http';
import type { Answer, Call, Route } from './http';
import { verifyToken } from './jwt';
import type { Metrics } from './metrics';
import type { PostgresBackend } from './postgres';
import type { RedisBackend } from './redis';
import { version } from './version';

export interface RouteContext {
  readonly config: ServiceConfig;
  readonly checks: readonly BackendCheck[];
  readonly postgres: PostgresBackend | undefined;
  readonly redis: RedisBackend | undefined;
  readonly metrics: Metrics;
  readonly draining: () => boolean;
}

const started = new Date().toISOString();
const noteSchema = z.strictObject({ body: z.string().min(1).max(4000) });

/** 200 only if every configured back end answers now; while draining 503 without asking them. */
async function readiness({ checks, draining }: RouteContext): Promise<Answer> {
  if (draining()) return { status: 503, body: { status: 'draining', checks: {} } };
  const results = await Promise.all(checks.map((one) => one.check()));
  const byName: Record<string, CheckResult> = {};
  results.forEach((result, i) => (byName[checks[i]?.backend.name ?? ''] = result));
  const ready = results.every(({ status }) => status === 'up');
  return { status: ready ? 200 : 503, body: { status: ready ? 'ready' : 'degraded', checks: byName } };
}

/** @throws HttpError 401 unless the request bears a valid token; with no SECRET_KEY there is nothing to check against */
function authorise({ config }: RouteContext, { request, log }: Call): void {
  if (config.secretKey === undefined) return;
  const challenge = (detail: string) => ({ 'www-authenticate': `Bearer realm="${config.serviceName}"${detail}` });
  const [, token] = /^Bearer ([\w.-]+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (token === undefined) throw new HttpError(401, 'a bearer token is required', challenge(''));
  const verdict = verifyToken(token, config.secretKey, config.serviceName);
  if ('claims' in verdict) return;
  log.info({ reason: verdict.reason }, 'token refused');
  throw new HttpError(401, 'the token is not valid', challenge(', error="invalid_token"'));
}

function database({ postgres }: RouteContext): PostgresBackend {
  if (postgres === undefined) throw new HttpError(501, 'no database is configured');
  return postgres;
}

async function writeNote(context: RouteContext, call: Call): Promise<Answer> {
  const parsed = noteSchema.safeParse(await readJson(call.request));
  if (!parsed.success) throw new HttpError(400, 'expected {"body": "1 to 4000 characters"}');
  const note = await database(context).addNote(parsed.data.body);
  context.metrics.notes.inc();
  let cached = false;
  try {
    await context.redis?.put(`note:${note.id}`, JSON.stringify(note));
    cached = context.redis !== undefined;
  } catch (err) {
    // The row is written; a cache that is away costs speed, not data.
    call.log.warn({ err }, 'note not cached');
  }
  return { status: 201, body: { note, cached }, headers: { location: `/api/notes/${note.id}` } };
}

async function readNote(context: RouteContext, { params, log }: Call): Promise<Answer> {
  const id = params['id'] ?? '';
  if (!/^\d{1,18}$/.test(id)) throw new HttpError(404, 'not found');
  try {
    const cached = await context.redis?.get(`note:${id}`);
    if (cached !== undefined) return { status: 200, body: { note: JSON.parse(cached) as object, source: 'redis' } };
  } catch (err) {
    log.warn({ err }, 'cache not read');
  }
  const note = await database(context).findNote(id);
  if (note === undefined) throw new HttpError(404, 'not found');
  return { status: 200, body: { note, source: 'postgres' } };
}

async function completion({ config, metrics }: RouteContext, call: Call): Promise<Answer> {
  const answer = await complete(config, call);
  metrics.tokens.inc(answer.tokens_predicted);
  return { status: 200, body: answer };
}

/** Every endpoint of the service. */
export function createRoutes(context: RouteContext): Route[] {
  const { config, metrics } = context;
  const get = (pattern: string, handle: Route['handle'], quiet = false): Route => ({
    method: 'GET',
    pattern,
    handle,
    quiet,
  });
  const guarded =
    (handle: (context: RouteContext, call: Call) => Promise<Answer>): Route['handle'] =>
    (call) => {
      authorise(context, call);
      return handle(context, call);
    };
  const about = {
    service: config.serviceName,
    kind: 'reference service',
    about: 'This is the reference service: it stands in for the real one until an image of it is configured.',
    environment: config.environment,
    version,
    started,
  };
  return [
    get('/', () => ({ status: 200, body: about })),
    get('/health', () => ({ status: 200, body: { status: 'alive' } }), true),
    get('/health/startup', () => ({ status: 200, body: { status: 'started', started } }), true),
    get('/health/ready', () => readiness(context), true),
    get('/ready', () => readiness(context), true),
    get(
      '/metrics',
      async () => ({
        status: 200,
        body: await metrics.registry.metrics(),
        headers: { 'content-type': metrics.registry.contentType },
      }),
      true,
    ),
    get(
      '/api/notes',
      guarded(async () => ({ status: 200, body: { notes: await database(context).listNotes() } })),
    ),
    get('/api/notes/:id', guarded(readNote)),
    { method: 'POST', pattern: '/api/notes', handle: guarded(writeNote) },
    { method: 'POST', pattern: '/api/completion', handle: guarded(completion) },
  ];
}
