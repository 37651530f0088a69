import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BackendCheck } from './backend';
import type { Backend } from './backend';
import type { ServiceConfig } from './config';
import { createListener } from './http';
import type { Route } from './http';
import type { Logger } from './log';
import { createMetrics } from './metrics';
import { PostgresBackend } from './postgres';
import { RedisBackend } from './redis';
import { createRoutes } from './routes';
import { Tracer } from './tracing';

export interface RunningService {
  /** The port it listens on, also when the configured one was 0. */
  readonly port: number;
  /**
   * Fails readiness at once, serves on for the delay, then finishes what is running and closes everything.
   * @returns false if requests had to be cut when the grace was over
   */
  drain(): Promise<boolean>;
}

function configureTimeouts(server: Server): void {
  server.headersTimeout = 15_000;
  server.requestTimeout = 30_000;
  // Longer than the proxy in front keeps its side (60 s), so that the proxy is the one to close.
  server.keepAliveTimeout = 65_000;
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
}

/** Ends the server by the deadline (epoch milliseconds); true if nothing had to be cut. */
async function closeServer(server: Server, deadline: number): Promise<boolean> {
  let cut = false;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(
    () => {
      cut = true;
      server.closeAllConnections();
    },
    Math.max(0, deadline - Date.now()),
  );
  // A connection becomes idle when its last answer is out; Node 18 does not close it by itself.
  const sweep = setInterval(() => server.closeIdleConnections(), 100);
  await closed;
  clearTimeout(timer);
  clearInterval(sweep);
  return !cut;
}

/**
 * Starts the service. Back ends may be away: it serves, readiness says so, and it reconnects by itself.
 * @param extra routes besides the service's own, for tests
 */
export async function startService(
  config: ServiceConfig,
  log: Logger,
  extra: readonly Route[] = [],
): Promise<RunningService> {
  const postgres = config.databaseUrl === undefined ? undefined : new PostgresBackend(config, config.databaseUrl, log);
  const redis = config.redisUrl === undefined ? undefined : new RedisBackend(config, config.redisUrl, log);
  const backends: Backend[] = [postgres, redis].filter((one) => one !== undefined);
  const checks = backends.map((one) => new BackendCheck(one, config.checkTimeoutMs, log));
  const tracer = new Tracer(config, log);
  const metrics = createMetrics(config, checks, postgres);
  let isDraining = false;
  const draining = () => isDraining;
  const routes = [...createRoutes({ config, checks, postgres, redis, metrics, draining }), ...extra];
  const server = createServer(createListener(routes, { log, metrics, tracer, draining }));
  configureTimeouts(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  if (config.secretKey === undefined) log.warn('SECRET_KEY is not set: /api asks for no token');
  log.info({ port, backends: backends.map(({ name }) => name) }, 'reference service is listening');

  const drain = async (): Promise<boolean> => {
    const deadline = Date.now() + config.shutdownGraceSeconds * 1000;
    isDraining = true;
    log.info({ delaySeconds: config.shutdownDelaySeconds }, 'draining: readiness fails from now on');
    await new Promise((resolve) => setTimeout(resolve, config.shutdownDelaySeconds * 1000));
    // Half a second is left for the pools.
    const clean = await closeServer(server, deadline - 500);
    const closing = Promise.allSettled([...backends, tracer].map((one) => one.close()));
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, 400).unref())]);
    log[clean ? 'info' : 'warn']({ clean }, clean ? 'drained' : 'grace is over: requests were cut');
    return clean;
  };
  let drained: Promise<boolean> | undefined;
  return { port, drain: () => (drained ??= drain()) };
}
