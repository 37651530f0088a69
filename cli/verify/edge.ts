import * as fs from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { TLSSocket } from 'node:tls';
import { CliError } from '../exit';
import type { Front } from './fronts';
import type { Finding } from './result';

/** How public addresses are reached from here. */
export interface Edge {
  readonly httpsPort: number;
  readonly httpPort: number;
  /** Every name leads to this address. @default - as the resolver says */
  readonly address?: string;
  /** The authority that certificates must come from. @default - those that the system trusts */
  readonly caFile?: string;
  /** @default Date.now */
  readonly now?: () => number;
}

const TIMEOUT_MS = 10_000;
/** cert-manager renews a month before the end; with less than this left something is wrong. */
const LEAST_DAYS = 3;
const DAY_MS = 86_400_000;

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
  /** End of the certificate's validity; nothing without TLS. */
  readonly until: number | undefined;
}

/** One request as a browser would send it: the certificate is verified for the host's name. */
function ask(url: URL, { address, caFile }: Edge): Promise<Answer> {
  const secure = url.protocol === 'https:';
  const settings: https.RequestOptions = {
    agent: false,
    timeout: TIMEOUT_MS,
    ...(address === undefined
      ? {}
      : {
          lookup: (_name, asked, done) =>
            asked.all === true ? done(null, [{ address, family: 4 }]) : done(null, address, 4),
        }),
    ...(secure && caFile !== undefined ? { ca: fs.readFileSync(caFile) } : {}),
  };
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).get(url, settings, (response) => {
      const chunks: Buffer[] = [];
      const until = secure ? Date.parse((response.socket as TLSSocket).getPeerCertificate().valid_to) : undefined;
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, location: response.headers.location, body, until });
      });
    });
    request.on('timeout', () => request.destroy(new CliError(`no answer within ${TIMEOUT_MS / 1000} s`)));
    request.on('error', reject);
  });
}

const said = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined || message.includes(code) ? message : `${code}: ${message}`;
};

const address = (scheme: 'http' | 'https', port: number, { host, path }: Front): URL =>
  new URL(path, `${scheme}://${host}:${port}`);

/** What a service says of its own back ends, one line each; nothing where its answer is no such report. */
export function backEnds(host: string, body: string): readonly Finding[] {
  let report: unknown;
  try {
    report = JSON.parse(body);
  } catch {
    return [];
  }
  const { checks } = (report ?? {}) as { checks?: unknown };
  if (typeof checks !== 'object' || checks === null) return [];
  return Object.entries(checks as Record<string, { status?: unknown; reason?: unknown } | null>).map(
    ([name, check]) => {
      const status = typeof check?.status === 'string' ? check.status : 'unknown';
      const reason = typeof check?.reason === 'string' ? `: ${check.reason}` : '';
      return { title: `${name}, asked by ${host}`, ok: status === 'up', detail: `${status}${reason}` };
    },
  );
}

async function overHttps(front: Front, edge: Edge): Promise<readonly Finding[]> {
  const url = address('https', edge.httpsPort, front);
  const title = url.href;
  try {
    const { status, body, until = NaN } = await ask(url, edge);
    const good = front.readiness ? status === 200 : status > 0 && status < 500;
    const days = Math.floor((until - (edge.now ?? Date.now)()) / DAY_MS);
    const lasts = days >= LEAST_DAYS;
    const certificate = `certificate of ${front.host} for ${days} more days`;
    const finding = { title, ok: good && lasts, detail: `${status}, ${certificate}${lasts ? '' : ': too few'}` };
    return [finding, ...(front.readiness ? backEnds(front.host, body) : [])];
  } catch (error) {
    return [{ title, ok: false, detail: said(error) }];
  }
}

async function overHttp(front: Front, edge: Edge): Promise<Finding> {
  const url = address('http', edge.httpPort, front);
  const title = url.href;
  try {
    const { status, location = '' } = await ask(url, edge);
    const there = URL.canParse(location, url.href) ? new URL(location, url.href) : undefined;
    const leads = status >= 301 && status <= 308 && there?.protocol === 'https:' && there.hostname === front.host;
    return { title, ok: leads, detail: leads ? `${status} to ${location}` : `${status}, and does not lead to HTTPS` };
  } catch (error) {
    return { title, ok: false, detail: said(error) };
  }
}

/** Asks every public address, encrypted and, where that should lead to HTTPS, not. */
export async function edgeFindings(fronts: readonly Front[], edge: Edge): Promise<readonly Finding[]> {
  const all = fronts.map(async (front) => [
    ...(await overHttps(front, edge)),
    ...(front.redirects ? [await overHttp(front, edge)] : []),
  ]);
  return (await Promise.all(all)).flat();
}
