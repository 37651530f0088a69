import type { ContainerResources } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { MONITORING_ROLE } from './database-access';
import type { Volume, VolumeMount } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import { Duration } from 'cdk8s';
import type { ContainerSpec } from './pod';
import { compute, startupProbe } from './pod';

/** Metrics of a database, from an exporter beside each server. */
export interface DatabaseMetrics {
  /** Image that follows the contract of `images/postgres-exporter`. */
  readonly image: Late;
  /**
   * Numeric user and group of the exporter; not the server's, whose files it need not read.
   * @default 10074
   */
  readonly user?: number;
  /** @default - cpu 10m/200m, memory 32Mi/96Mi */
  readonly resources?: ContainerResources;
}

/** Port of the exporter, which Prometheus' list of ports has for it. */
export const METRICS_PORT = 9187;
export const METRICS_PORT_NAME = 'metrics';

const DIRECTORY = '/run/secrets/monitoring';
const VOLUME = 'monitoring';
const SCRATCH = 'exporter-tmp';

// Follows from the password, so that nobody has to make, keep and rotate another one, and gives nothing of it away.
const DERIVE = `
umask 337
printf 'monitoring:%s' "$(cat "$POSTGRES_PASSWORD_FILE")" | sha256sum | cut -c1-64 > ${DIRECTORY}/.password
mv -f ${DIRECTORY}/.password ${DIRECTORY}/password
`.trim();

// With nothing to follow from: the server, which is the only one, gives the role this password when it starts.
const MAKE = `
umask 337
od -An -N 32 -tx1 /dev/urandom | tr -d ' \\n' > ${DIRECTORY}/.password
mv -f ${DIRECTORY}/.password ${DIRECTORY}/password
`.trim();

/** What the exporter adds to the pod of a server. */
export interface MetricsParts {
  readonly initContainer: ContainerSpec;
  readonly sidecar: ContainerSpec;
  readonly volumes: readonly Volume[];
  /** How the server, which makes the role, finds its password. */
  readonly env: Readonly<Record<string, string>>;
  readonly mount: VolumeMount;
}

/** Where the exporter finds its server, and whose password its own follows from. */
export interface MetricsTarget {
  readonly port: number;
  readonly databaseName: string;
  /** The server's image. */
  readonly image: string;
  /** Nothing where the server is the only one, and its own rotates. */
  readonly base: { readonly file: string; readonly mount: VolumeMount } | undefined;
}

/** An exporter that asks the server over the pod's loopback. */
export function metricsParts(scope: Construct, metrics: DatabaseMetrics, target: MetricsTarget): MetricsParts {
  const { port, databaseName, image, base } = target;
  const mount = { name: VOLUME, mountPath: DIRECTORY };
  const env = {
    DATA_SOURCE_PASS_FILE: `${DIRECTORY}/password`,
    // The pod's own loopback: nobody else can listen there.
    DATA_SOURCE_URI: `127.0.0.1:${port}/${databaseName}?sslmode=disable`,
    DATA_SOURCE_USER: MONITORING_ROLE,
  };
  const alive = { httpGet: { path: '/', port: METRICS_PORT_NAME } };
  return {
    initContainer: {
      name: 'derive-password',
      image,
      args: ['/bin/sh', '-euc', base === undefined ? MAKE : DERIVE],
      ...(base === undefined ? {} : { env: [{ name: 'POSTGRES_PASSWORD_FILE', value: base.file }] }),
      resources: compute([10, 100], [16, 64]),
      mounts: [...(base === undefined ? [] : [base.mount]), mount],
    },
    sidecar: {
      name: 'exporter',
      image: LateTokens.of(scope).asString(scope, metrics.image),
      ports: [{ name: METRICS_PORT_NAME, port: METRICS_PORT }],
      env: Object.entries(env).map(([name, value]) => ({ name, value })),
      resources: metrics.resources ?? compute([10, 200], [32, 96]),
      user: metrics.user ?? 10074,
      // The server's scratch holds the superuser's socket.
      scratch: SCRATCH,
      mounts: [{ ...mount, readOnly: true }],
      // Of the exporter alone: a server that is busy is no reason to restart what reports it.
      probes: {
        startup: startupProbe(alive, Duration.minutes(1)),
        liveness: { ...alive, periodSeconds: 30, timeoutSeconds: 5, failureThreshold: 3 },
        // The port alone: one that is slow to report must not take the server out of its Service.
        readiness: {
          tcpSocket: { port: METRICS_PORT_NAME },
          periodSeconds: 30,
          timeoutSeconds: 5,
          failureThreshold: 3,
        },
      },
    },
    volumes: [
      { name: VOLUME, emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      { name: SCRATCH, emptyDir: { sizeLimit: '16Mi' } },
    ],
    env: { POSTGRES_MONITORING_PASSWORD_FILE: `${DIRECTORY}/password` },
    mount: { ...mount, readOnly: true },
  };
}
