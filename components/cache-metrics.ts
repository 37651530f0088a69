import type { ContainerResources } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { Probe, Volume } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import type { ContainerSpec } from './pod';
import { compute } from './pod';

/** Metrics of a cache, from an exporter beside each server. */
export interface CacheMetrics {
  /**
   * Image that follows the contract of `images/redis-exporter`: address and user in `REDIS_ADDR` and `REDIS_USER`, password in the file
   * that `REDIS_PASSWORD_FILE` names, metrics on port 9121.
   */
  readonly image: Late;
  /**
   * Numeric user and group of the exporter.
   * @default 10075
   */
  readonly user?: number;
  /**
   * Requests and limits of each exporter; memory has to be limited.
   * @default - cpu 10m/200m, memory 16Mi/64Mi
   */
  readonly resources?: ContainerResources;
}

export const METRICS_PORT = 9121;
export const METRICS_PORT_NAME = 'metrics';

/** Where server and exporter share a password that nobody else knows: the server makes it, and it never leaves the pod. */
export const EXPORTER_DIR = '/run/exporter';

/** What an exporter adds to the pod. */
export interface ExporterParts {
  readonly container: ContainerSpec;
  readonly volumes: readonly Volume[];
}

/** The exporter of one server. Its user sees no key and no setting. */
export function exporterParts(scope: Construct, metrics: CacheMetrics, port: number): ExporterParts {
  const health: Probe = { httpGet: { path: '/health', port: METRICS_PORT_NAME } };
  return {
    container: {
      name: 'exporter',
      image: LateTokens.of(scope).asString(scope, metrics.image),
      ports: [{ name: METRICS_PORT_NAME, port: METRICS_PORT }],
      env: [
        { name: 'REDIS_ADDR', value: `redis://127.0.0.1:${port}` },
        { name: 'REDIS_PASSWORD_FILE', value: `${EXPORTER_DIR}/password` },
        { name: 'REDIS_USER', value: 'exporter' },
      ],
      resources: metrics.resources ?? compute([10, 200], [16, 64]),
      user: metrics.user ?? 10075,
      scratch: 'exporter-tmp',
      mounts: [{ name: 'exporter', mountPath: EXPORTER_DIR, readOnly: true }],
      // It waits for the password, which the server beside it makes at its start. Whether the server answers is a metric, not its health.
      probes: {
        startup: { ...health, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 90 },
        liveness: { ...health, periodSeconds: 20, timeoutSeconds: 5, failureThreshold: 3 },
        // The port alone: one that is slow to report must not take the server out of its Service.
        readiness: {
          tcpSocket: { port: METRICS_PORT_NAME },
          periodSeconds: 10,
          timeoutSeconds: 3,
          failureThreshold: 3,
        },
      },
    },
    volumes: [
      { name: 'exporter', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      { name: 'exporter-tmp', emptyDir: { sizeLimit: '16Mi' } },
    ],
  };
}
