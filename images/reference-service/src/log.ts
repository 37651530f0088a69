import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { ServiceConfig } from './config';

export type { Logger };

/** The texts that must appear in no log line: whole secrets, and the passwords inside of URLs in both spellings. */
export function secretsOf(
  config: Pick<ServiceConfig, 'databaseUrl' | 'redisUrl' | 'secretKey' | 'completion'>,
): string[] {
  const secrets = [config.secretKey, config.completion?.apiKey].filter((one) => one !== undefined);
  for (const url of [config.databaseUrl, config.redisUrl]) {
    if (url === undefined) continue;
    const { password } = new URL(url);
    secrets.push(url, password, decodeURIComponent(password));
  }
  return [...new Set(secrets)].filter((one) => one.length > 3).sort((a, b) => b.length - a.length);
}

/** JSON lines on stdout. A secret that a library put into a message is cut out of the finished line. */
export function createLogger(config: ServiceConfig, stream: DestinationStream = pino.destination(1)): Logger {
  // As it stands in JSON: quotes and backslashes escaped.
  const secrets = secretsOf(config).map((one) => JSON.stringify(one).slice(1, -1));
  const scrubbed: DestinationStream = {
    write: (line) => stream.write(secrets.reduce((text, secret) => text.split(secret).join('[redacted]'), line)),
  };
  return pino(
    {
      level: config.logLevel,
      base: { service: config.serviceName, environment: config.environment },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
      redact: { paths: ['authorization', 'cookie', 'headers', '*.authorization', '*.password'], remove: true },
      // A stack helps a developer; in production it doubles each line of an outage.
      serializers: { err: (error: unknown) => describe(error, config.logLevel === 'debug') },
    },
    scrubbed,
  );
}

function describe(error: unknown, withStack: boolean): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    // Connection errors of several addresses come as one aggregate without a message of its own.
    message: error.message || (error instanceof AggregateError ? error.errors.map(String).join('; ') : error.name),
    ...(typeof code === 'string' ? { code } : {}),
    ...(withStack ? { stack: error.stack } : {}),
  };
}
