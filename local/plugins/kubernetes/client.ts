import * as http from 'node:http';
import * as https from 'node:https';

import { Credentials } from './credentials';
import { ApiError, CanceledError, UnreachableError } from './errors';
import type { Status } from './errors';
import type { Connection } from './kubeconfig';
import type { KubeObject } from './objects';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';
  /** Path and query, from the server's root. */
  readonly path: string;
  readonly body?: unknown;
  /** @default 'application/json' */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** Seconds to go on trying while the server is away. @default - {@link PATIENCE_S}, less while it never answered */
  readonly patience?: number;
}

export interface Answer {
  readonly text: string;
  /** What the server warns of: deprecated versions, unknown fields, Pod Security. */
  readonly warnings: readonly string[];
}

/** An API server that restarts is back within half a minute; three times that is patience enough. */
export const PATIENCE_S = 90;
/** A server that never answered this process is more likely a wrong address than one that restarts. */
const FIRST_CONTACT_S = 15;
const MAX_PAUSE_MS = 5_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** After an outage RBAC may not have its rules loaded yet: a refusal in this time is asked again. */
const RECOVERY_MS = 10_000;

/** Codes of errors that no repetition mends. */
const HOPELESS = /CERT|ERR_TLS|SELF_SIGNED|UNABLE_TO_|EPROTO|ERR_INVALID|HPE_/;

interface Raw extends Answer {
  readonly code: number;
  readonly retryAfter: number;
}

/** Resolves after the time, or throws as soon as the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    if (signal?.aborted) return reject(new CanceledError());
    const aborted = (): void => {
      clearTimeout(timer);
      reject(new CanceledError());
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    }, ms);
    signal?.addEventListener('abort', aborted, { once: true });
  });
}

const parseStatus = (body: string): Status => {
  try {
    const status = JSON.parse(body) as Status & { readonly kind?: string };
    return status.kind === 'Status' ? status : { message: body.slice(0, 300) };
  } catch {
    return { message: body.trim().slice(0, 300) };
  }
};

const parseWarnings = (header: string | string[] | undefined): string[] =>
  [header ?? []]
    .flat()
    .flatMap((line) =>
      [...line.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replace(/\\(.)/g, '$1')),
    );

/** Talks HTTP to one API server, over kept connections, and repeats what a restart or overload made fail. */
export class Client {
  private readonly agent: http.Agent | https.Agent;
  private readonly credentials: Credentials;
  private answered = false;
  private downAt = 0;
  private outage: string | undefined;

  public constructor(public readonly connection: Connection) {
    this.credentials = new Credentials(connection);
    const options = { keepAlive: true, maxSockets: 32, scheduling: 'lifo' as const };
    this.agent = connection.server.startsWith('https:') ? new https.Agent(options) : new http.Agent(options);
  }

  /** The reason that the server was given up for, until it answers again. */
  public get unreachable(): string | undefined {
    return this.outage ?? this.connection.missing;
  }

  public async json<T = KubeObject>(call: Call): Promise<T> {
    return JSON.parse((await this.send(call)).text) as T;
  }

  /**
   * @throws ApiError for an answer of 400 and more, UnreachableError once patience ends, CanceledError when aborted.
   */
  public async send(call: Call): Promise<Answer> {
    const { missing } = this.connection;
    if (missing !== undefined) throw new UnreachableError('', 0, missing);
    const began = Date.now();
    const patience = this.patience(call);
    for (let attempt = 0; ; attempt++) {
      const elapsed = (Date.now() - began) / 1000;
      const outcome = await this.attempt(call);
      if (!('error' in outcome)) {
        if (outcome.code < 400) return outcome;
        const refused = new ApiError(outcome.code, parseStatus(outcome.text));
        if (!this.worthRepeating(refused, attempt) || elapsed > patience) throw refused;
        const wait = outcome.retryAfter > 0 ? Math.min(outcome.retryAfter * 1000, 30_000) : this.backoff(attempt);
        await pause(wait, call.signal);
        continue;
      }
      this.downAt = Date.now();
      if (elapsed >= patience || HOPELESS.test(outcome.error)) {
        this.outage = outcome.error;
        throw new UnreachableError(this.connection.server, elapsed, outcome.error);
      }
      await pause(Math.min(this.backoff(attempt), Math.max(50, (patience - elapsed) * 1000)), call.signal);
    }
  }

  /** Once given up, a server that is still away must not cost every resource its patience again. */
  private patience(call: Call): number {
    if (this.outage !== undefined) return call.patience === undefined ? 2 : Math.min(call.patience, 0.3);
    return call.patience ?? (this.answered ? PATIENCE_S : FIRST_CONTACT_S);
  }

  private backoff(attempt: number): number {
    return Math.min(200 * 2 ** attempt, MAX_PAUSE_MS) * (0.75 + Math.random() / 2);
  }

  private worthRepeating(error: ApiError, attempt: number): boolean {
    if (error.code === 401) {
      this.credentials.refresh();
      return attempt === 0 || Date.now() - this.downAt < RECOVERY_MS;
    }
    if (error.code === 403 && Date.now() - this.downAt < RECOVERY_MS) return true;
    if ([429, 502, 503, 504].includes(error.code)) return true;
    // Other 500s are verdicts: server-side apply answers a field that is not in the schema with one.
    return error.code === 500 && /etcdserver|leader changed|timeout|connection refused/i.test(error.message);
  }

  private async attempt(call: Call): Promise<Raw | { readonly error: string }> {
    const identity = await this.credentials.get();
    if (call.signal?.aborted) throw new CanceledError();
    try {
      const raw = await this.exchange(call, identity);
      this.answered = true;
      this.outage = undefined;
      return raw;
    } catch (error) {
      if (call.signal?.aborted) throw new CanceledError();
      const { code, message } = error as NodeJS.ErrnoException;
      const inner = (error as { errors?: NodeJS.ErrnoException[] }).errors?.[0];
      return { error: [inner?.code ?? code, message || inner?.message].filter(Boolean).join(': ') };
    }
  }

  private exchange(call: Call, identity: Awaited<ReturnType<Credentials['get']>>): Promise<Raw> {
    const url = new URL(this.connection.server + call.path);
    const payload = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const { ca, insecure, serverName } = this.connection;
    const options: https.RequestOptions = {
      method: call.method,
      agent: this.agent,
      timeout: REQUEST_TIMEOUT_MS,
      ...(call.signal === undefined ? {} : { signal: call.signal }),
      ...(ca === undefined ? {} : { ca }),
      ...(identity.cert === undefined ? {} : { cert: identity.cert }),
      ...(identity.key === undefined ? {} : { key: identity.key }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      rejectUnauthorized: !insecure,
      headers: {
        accept: 'application/json',
        'user-agent': 'trellis-kubernetes-plugin',
        ...(identity.authorization === undefined ? {} : { authorization: identity.authorization }),
        ...(payload === undefined
          ? {}
          : { 'content-type': call.contentType ?? 'application/json', 'content-length': payload.length }),
      },
    };
    return new Promise((resolve, reject) => {
      const request = (url.protocol === 'https:' ? https : http).request(url, options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            code: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString('utf8'),
            warnings: parseWarnings(response.headers.warning),
            retryAfter: Number(response.headers['retry-after'] ?? 0),
          }),
        );
      });
      request.on('timeout', () => request.destroy(new Error(`no answer within ${REQUEST_TIMEOUT_MS / 1000} s`)));
      request.on('error', reject);
      request.end(payload);
    });
  }
}
