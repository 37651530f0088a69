import { Duration } from 'cdk8s';
import type { EnvValue } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { AutoscaledService } from '../../components/autoscaled-service';
import type { Canary } from '../../components/canary';
import { secretKey } from '../../components/connections';
import { ValidationError } from '../../components/errors';
import { ServiceType } from '../../components/http-props';
import type { Late } from '../../components/late';
import { ScalingSignal } from '../../components/scaling-signal';
import { ServiceMetrics } from '../../components/service-metrics';
import { sizeBytes } from '../../components/units';
import { canaryOf } from '../edge';
import type { ServiceValues } from '../values';
import type { LogLevel, NoodleCoreValues } from './values';

const PORT = 8080;
const DATA_DIRECTORY = '/app/data';
const CONFIG_DIRECTORY = '/app/config';
/** Name of the Secret, and of its key. */
export const SECRET = 'noodle-runtime-secret';
export const SECRET_KEY = 'SECRET_KEY';
/** User that the image of Nginx runs as. */
const NGINX_USER = 10_072;

interface ProgramOptions extends ServiceValues {
  readonly canary?: Canary;
  readonly image: Late;
  readonly environment: NoodleCoreValues['environment'];
  readonly logLevel: LogLevel;
  readonly serviceType: ServiceType;
  readonly env: Readonly<Record<string, Late | EnvValue>>;
}

/** One of NoodleCore's own programs, which share port, probes, folders and the names of their variables. */
function program(scope: Construct, name: string, options: ProgramOptions): AutoscaledService {
  const { image, environment, logLevel, minReplicas, maxReplicas, resources, cpuTarget, serviceType, env, canary } =
    options;
  const settings = `${JSON.stringify({ environment, logging: { format: 'json' } }, null, 2)}\n`;
  return new AutoscaledService(scope, name, {
    ...{ image, minReplicas, maxReplicas, resources, serviceType },
    ...(canary === undefined ? {} : { canary }),
    port: PORT,
    servicePort: 80,
    scaleOn: [ScalingSignal.cpu(cpuTarget)],
    // The description's 30 s before the first liveness question are the least that a start may take here.
    startupDeadline: Duration.seconds(60),
    probes: { liveness: '/health', readiness: '/ready', startup: '/health/startup' },
    scratch: [DATA_DIRECTORY],
    configFiles: { directory: CONFIG_DIRECTORY, files: { [`${name.replace(/^noodle-/, '')}.json`]: settings } },
    env: {
      SERVICE_NAME: name,
      NOODLE_ENV: environment,
      NOODLE_LOG_LEVEL: logLevel,
      NOODLE_PORT: String(PORT),
      NOODLE_DATA_DIR: DATA_DIRECTORY,
      NOODLE_CONFIG_DIR: CONFIG_DIRECTORY,
      [SECRET_KEY]: secretKey(SECRET, SECRET_KEY),
      ...env,
    },
  });
}

/** The runtime, which serves users and keeps their data. */
export const addRuntime = (scope: Construct, values: NoodleCoreValues): AutoscaledService =>
  program(scope, 'noodle-runtime', {
    ...values.runtime,
    ...canaryOf(values.runtime, values.images.runtimeCanary),
    image: values.images.runtime,
    environment: values.environment,
    env: {},
  });

/** The development interface. It keeps nothing: what it shows and changes is the runtime's. */
export const addIde = (scope: Construct, values: NoodleCoreValues): AutoscaledService =>
  program(scope, 'noodle-ide', {
    ...values.ide,
    image: values.images.ide,
    environment: values.environment,
    serviceType: ServiceType.CLUSTER_IP,
    env: {},
  });

/**
 * Nginx as reverse proxy and load balancer in front of the runtime; none where it has no replicas.
 * Its TLS settings, security headers and compression are in its image; TLS ends at the ingress before it.
 */
export function addNginx(
  scope: Construct,
  values: NoodleCoreValues,
  runtime: AutoscaledService,
): AutoscaledService | undefined {
  const { replicas, resources, balance, maxBodySize, timeout } = values.nginx;
  if (replicas === 0) return undefined;
  if (values.runtime.canaryWeight > 0)
    throw new ValidationError(runtime, [
      `canary: its share comes from the ingress, which leads to Nginx here; nginx.replicas must be 0, got ${replicas}`,
    ]);
  const proxy = new AutoscaledService(scope, 'nginx', {
    ...{ image: values.images.nginx, resources },
    minReplicas: replicas,
    maxReplicas: replicas,
    port: PORT,
    user: NGINX_USER,
    probes: { liveness: '/.nginx/live', readiness: '/.nginx/ready' },
    // Debian's Nginx counts connections only; the runtime behind it tells of every request.
    metrics: ServiceMetrics.none(),
    lifecycle: { longestRequest: timeout },
    env: {
      NGINX_UPSTREAM: `${runtime.host}:${runtime.port}`,
      NGINX_BALANCE: balance,
      NGINX_SERVER_NAME: values.host,
      NGINX_MAX_BODY_SIZE: `${Math.ceil(sizeBytes(maxBodySize) / 1024)}k`,
      NGINX_PROXY_TIMEOUT: `${Math.ceil(timeout.toSeconds())}s`,
    },
  });
  return proxy.connects(runtime);
}
