import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { BackendCheck } from './backend';
import type { ServiceConfig } from './config';
import type { PostgresBackend } from './postgres';
import { version } from './version';

export interface Metrics {
  readonly registry: Registry;
  /** Seconds by method, route pattern and status; routes are patterns, so that ids make no new series. */
  readonly duration: Histogram<'method' | 'route' | 'status'>;
  readonly inFlight: Gauge;
  readonly notes: Counter;
  /** Tokens of completions that passed through, as the model server counted them. */
  readonly tokens: Counter;
}

/** All metrics of one service instance; back ends are checked when they are scraped. */
export function createMetrics(
  config: ServiceConfig,
  checks: readonly BackendCheck[],
  postgres: PostgresBackend | undefined,
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  // It wakes the process that often, in milliseconds: with prom-client's 10 an idle service takes ten times the processor time.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  new Gauge({ name: 'reference_service_info', help: 'Constant 1.', labelNames: ['service', 'version'], registers })
    .labels(config.serviceName, version)
    .set(1);
  // Before the checks below, which would be counted as requests that wait.
  if (postgres !== undefined) addPoolMetrics(postgres, config.databasePoolMax, registers);
  if (checks.length > 0) {
    new Gauge({
      name: 'backend_up',
      help: '1 while the back end answers a real query, else 0.',
      labelNames: ['backend'],
      registers,
      async collect() {
        const results = await Promise.all(checks.map((one) => one.check()));
        results.forEach(({ status }, i) =>
          this.set({ backend: checks[i]?.backend.name ?? '' }, status === 'up' ? 1 : 0),
        );
      },
    });
  }
  return {
    registry,
    duration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the request head to the end of the answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    inFlight: new Gauge({ name: 'http_requests_in_flight', help: 'Requests being answered.', registers }),
    notes: new Counter({ name: 'reference_notes_written_total', help: 'Notes written to PostgreSQL.', registers }),
    tokens: new Counter({
      name: 'reference_completion_tokens_total',
      help: 'Tokens of completions that passed through.',
      registers,
    }),
  };
}

function addPoolMetrics({ pool }: PostgresBackend, max: number, registers: Registry[]): void {
  new Gauge({ name: 'database_pool_connections_max', help: 'Connections the pool may open.', registers }).set(max);
  new Gauge({
    name: 'database_pool_connections',
    help: 'Connections open, idle among them, and requests that wait for one.',
    labelNames: ['state'],
    registers,
    collect() {
      this.set({ state: 'open' }, pool.totalCount);
      this.set({ state: 'idle' }, pool.idleCount);
      this.set({ state: 'waiting' }, pool.waitingCount);
    },
  });
}
