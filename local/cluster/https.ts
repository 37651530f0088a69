import * as fs from 'node:fs';
import * as https from 'node:https';
import type { Certificate } from './pki';

export interface Target {
  /** `https://host:port`. */
  readonly server: string;
  readonly caFile: string;
  readonly client?: Certificate;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly contentType?: string;
  readonly body?: string;
  /** @default 10 000 */
  readonly timeoutMs?: number;
  /** Where the server is, if not where its name leads; the certificate is checked for the name. */
  readonly address?: string;
}

class TimeoutError extends Error {
  public constructor(server: string) {
    super(`${server} does not answer`);
    this.name = 'TimeoutError';
  }
}

/** One HTTPS request that trusts the given authority alone. */
export function ask(target: Target, pathAndQuery: string, options: AskOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      new URL(pathAndQuery, target.server),
      {
        method: options.method ?? 'GET',
        ca: fs.readFileSync(target.caFile),
        ...(target.client === undefined
          ? {}
          : { cert: fs.readFileSync(target.client.certFile), key: fs.readFileSync(target.client.keyFile) }),
        timeout: options.timeoutMs ?? 10_000,
        agent: false,
        ...(options.address === undefined
          ? {}
          : { hostname: options.address, servername: new URL(target.server).hostname }),
        headers: {
          accept: 'application/json',
          ...(options.body === undefined
            ? {}
            : {
                'content-type': options.contentType ?? 'application/json',
                'content-length': Buffer.byteLength(options.body),
              }),
        },
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
      },
    );
    request.on('timeout', () => request.destroy(new TimeoutError(target.server)));
    request.on('error', reject);
    request.end(options.body);
  });
}

/** Whether a GET answers 200; no answer is no. */
export async function answersOk(target: Target, path: string): Promise<boolean> {
  try {
    return (await ask(target, path, { timeoutMs: 3_000 })).status === 200;
  } catch {
    return false;
  }
}

/** Whether a server at an address shows the certificate of its name and speaks HTTP, whatever it says. */
export async function answers(target: Target, address: string): Promise<boolean> {
  try {
    return (await ask(target, '/', { timeoutMs: 3_000, address })).status > 0;
  } catch {
    return false;
  }
}

/** Whether a GET over plain HTTP, inside the cluster's own network, is answered with success; no answer is no. */
export async function respondsOk(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => undefined);
  return answer?.ok ?? false;
}
