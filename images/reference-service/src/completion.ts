import { z } from 'zod';
import type { CompletionHop, ServiceConfig } from './config';
import { HttpError } from './errors';
import { readJson } from './http';
import type { Call } from './http';

/** llama.cpp's own names, so that the request means the same at every hop. */
const requestSchema = z.strictObject({
  prompt: z.string().min(1).max(8000),
  n_predict: z.number().int().min(1).max(512).default(64),
  temperature: z.number().min(0).max(2).optional(),
  seed: z.number().int().min(0).optional(),
});
const ALLOWED =
  'expected {"prompt": "1 to 8000 characters", "n_predict": 1 to 512, "temperature": 0 to 2, "seed": 0 or more}';

/** What is read of a hop's answer; a llama.cpp server sends much more. */
const answerSchema = z.object({
  content: z.string(),
  tokens_predicted: z.number().int().min(0),
  model: z.string().optional(),
  via: z.array(z.string()).max(16).default([]),
});
export type Completion = z.infer<typeof answerSchema>;

/** Answers of the next hop that mean the same to the caller. */
const PASSED_ON: ReadonlySet<number> = new Set([400, 401, 413, 429, 501, 503, 504]);

/**
 * Hands a completion on to the next hop, and adds this service to the path that the answer came.
 * It is given up when the caller goes away.
 * @throws HttpError 400 for a wrong request, 501 without a next hop, 502 and 504 where the next hop fails or takes too long
 */
export async function complete(config: ServiceConfig, call: Call): Promise<Completion> {
  const parsed = requestSchema.safeParse(await readJson(call.request));
  if (!parsed.success) throw new HttpError(400, ALLOWED);
  const { completion: hop } = config;
  if (hop === undefined) throw new HttpError(501, 'no service for completions is configured');
  const gone = new AbortController();
  const { socket } = call.request;
  const leave = (): void => gone.abort();
  socket.once('close', leave);
  try {
    const answer = await ask(hop, parsed.data, call, config, gone.signal);
    return { ...answer, via: [config.serviceName, ...(hop.kind === 'llama.cpp' ? ['llama.cpp'] : answer.via)] };
  } finally {
    socket.removeListener('close', leave);
  }
}

async function ask(
  hop: CompletionHop,
  body: z.infer<typeof requestSchema>,
  call: Call,
  config: ServiceConfig,
  gone: AbortSignal,
): Promise<Completion> {
  const timeout = AbortSignal.timeout(config.completionTimeoutSeconds * 1000);
  const stop = new AbortController();
  const span = call.span.client();
  const end = (error?: string, status?: number): void =>
    span.end(
      'POST',
      {
        'http.request.method': 'POST',
        'server.address': new URL(hop.url).hostname,
        'http.response.status_code': status,
      },
      error,
    );
  for (const signal of [gone, timeout]) signal.addEventListener('abort', () => stop.abort(), { once: true });
  try {
    const response = await fetch(`${hop.url}${hop.kind === 'service' ? '/api/completion' : '/completion'}`, {
      method: 'POST',
      headers: { ...headers(hop, call), ...span.headers },
      body: JSON.stringify(body),
      // A redirect would carry the token to wherever it leads.
      redirect: 'error',
      signal: stop.signal,
    });
    const answer = await read(response, call);
    end(undefined, response.status);
    return answer;
  } catch (error) {
    end(error instanceof Error ? error.message : 'failed');
    if (error instanceof HttpError) throw error;
    if (timeout.aborted) throw new HttpError(504, `no completion within ${config.completionTimeoutSeconds} s`);
    call.log.warn({ err: (error as Error).cause ?? error, hop: hop.kind }, 'the next service for completions is away');
    throw new HttpError(502, 'the next service for completions is away');
  }
}

function headers(hop: CompletionHop, { request, requestId }: Call): Record<string, string> {
  const token = hop.kind === 'service' ? request.headers.authorization : hop.apiKey && `Bearer ${hop.apiKey}`;
  return {
    'content-type': 'application/json',
    'x-request-id': requestId,
    ...(token === undefined ? {} : { authorization: token }),
  };
}

async function read(response: Response, { log }: Call): Promise<Completion> {
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) {
    log.warn({ status: response.status }, 'the next service refused the completion');
    const { error } = (body ?? {}) as { error?: unknown };
    const message = typeof error === 'string' ? error : 'the next service cannot complete this';
    throw new HttpError(PASSED_ON.has(response.status) ? response.status : 502, message);
  }
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) throw new HttpError(502, 'the next service answered something else than a completion');
  return parsed.data;
}
