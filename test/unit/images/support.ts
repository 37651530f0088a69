import { createHmac } from 'node:crypto';
import { loadConfig } from '../../../images/reference-service/src/config';
import type { Route } from '../../../images/reference-service/src/http';
import { createLogger } from '../../../images/reference-service/src/log';
import { startService } from '../../../images/reference-service/src/service';
import type { RunningService } from '../../../images/reference-service/src/service';

export const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token as a client would bring it. */
export function sign(secret: string, claims: object, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

export interface TestService extends RunningService {
  readonly base: string;
  /** What was logged so far, one parsed object a line. */
  readonly lines: Record<string, unknown>[];
}

/** The real service on a free port; its log is kept. */
export async function start(
  environment: Record<string, string> = {},
  extra: readonly Route[] = [],
): Promise<TestService> {
  const config = loadConfig({ PORT: '0', SHUTDOWN_DELAY_SECONDS: '0', SHUTDOWN_GRACE_SECONDS: '5', ...environment });
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const service = await startService(config, createLogger(config, { write }), extra);
  return { ...service, base: `http://127.0.0.1:${service.port}`, lines };
}
