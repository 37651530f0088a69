import { App, Chart, Duration, Size } from 'cdk8s';
import type { AutoscaledServiceProps } from '../../components/autoscaled-service';
import type { HttpWorkloadProps } from '../../components/http-props';
import { Canary } from '../../components/canary';
import { ServiceType } from '../../components/http-props';
import type { Container, Kinds, PodSpec } from '../../components/kube';
import { compute } from '../../components/pod';
import { ScalingSignal } from '../../components/scaling';
import type { ServiceMetricsOptions } from '../../components/service-metrics';
import { ServiceMetrics } from '../../components/service-metrics';
import { AccessRule, ServiceRole } from '../../components/service-role';
import { ServiceVolume } from '../../components/service-volume';
import type { Manifest } from './synth';
import { find as findNamed, objectsOf } from './synth';

export { problemsOf } from './synth';

/** A fresh chart in the namespace that the tests expect. */
export const freshChart = (namespace = 'shop', app = new App()): Chart =>
  new Chart(app, `chart-${namespace}`, { namespace });

/** Every object of a kind. */
export const all = <K extends keyof Kinds>(chart: Chart, kind: K): readonly Manifest<K>[] =>
  objectsOf(chart).filter((object): object is Manifest<K> => `${object.apiVersion}/${object.kind}` === kind);

/** The one object of a kind, or the one of that name. */
export function find<K extends keyof Kinds>(chart: Chart, kind: K, name?: string): Manifest<K> {
  const names = all(chart, kind).map(({ metadata }) => metadata.name);
  if (name === undefined) expect(names).toHaveLength(1);
  return findNamed(chart, kind, name ?? names[0] ?? '');
}

/** The pod of a chart's only Deployment, or of the one of that name. */
export const podOf = (chart: Chart, name?: string): PodSpec =>
  find(chart, 'apps/v1/Deployment', name).spec.template.spec;

/** The only container of that pod. */
export function onlyContainer(chart: Chart, name?: string): Container {
  const { containers } = podOf(chart, name);
  expect(containers).toHaveLength(1);
  return containers[0] as Container;
}

export const IMAGE = 'registry.test/shop/api@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';

/** Every prop that HTTP workloads share; a new one breaks compilation here until a test knows it. */
export const allHttpProps: Required<HttpWorkloadProps> = {
  image: IMAGE,
  name: 'api',
  port: 9000,
  env: { LOG_LEVEL: 'debug' },
  resources: {
    ...compute([100, 1000], [128, 1024]),
    ephemeralStorage: { request: Size.mebibytes(100), limit: Size.gibibytes(1) },
  },
  startupDeadline: Duration.seconds(61),
  probes: {
    liveness: '/live',
    readiness: '/ready/now',
    startup: '/started',
    livenessPeriod: Duration.seconds(20),
    readinessPeriod: Duration.seconds(3),
  },
  lifecycle: {
    loadTime: Duration.seconds(9),
    minReady: Duration.seconds(7),
    longestRequest: Duration.seconds(40),
    loadBalancerPropagation: Duration.seconds(10),
    grace: Duration.seconds(90),
    progressDeadline: Duration.seconds(400),
    rolloutTimeout: Duration.seconds(1000),
    scaleDownWindow: Duration.seconds(120),
  },
  serviceType: ServiceType.LOAD_BALANCER,
  servicePort: 8081,
  serviceName: 'api-public',
  sourceRanges: ['203.0.113.0/24'],
  configFiles: { directory: '/app/config', files: { 'app.json': '{}' } },
  scratch: ['/app/data'],
  labels: { team: 'blue' },
  user: 12345,
};

/** Every option of a service's metrics. */
export const allMetricsOptions: Required<ServiceMetricsOptions> = {
  path: '/internal/figures',
  histogram: 'request_seconds',
  availability: 0.995,
  promptness: 0.95,
  latency: Duration.millis(250),
  slowRoutes: ['/api/report.pdf'],
};

/** Every prop of AutoscaledService. */
export const allServiceProps: Required<AutoscaledServiceProps> = {
  ...allHttpProps,
  minReplicas: 3,
  maxReplicas: 9,
  scaleOn: [ScalingSignal.cpu(75), ScalingSignal.memory(80), ScalingSignal.pods('http_requests', 2.5)],
  scaleUpWindow: Duration.seconds(15),
  minAvailable: 1,
  zones: 3,
  volume: ServiceVolume.shared({ directory: '/app/store', size: Size.gibibytes(5), storageClass: 'nfs' }),
  role: ServiceRole.of([AccessRule.read({ resources: ['configmaps'] })], { apiServer: ['198.51.100.1/32'] }),
  canary: Canary.ofImage(IMAGE, { weight: 10, env: { LOG_LEVEL: 'trace' }, minReplicas: 2, maxReplicas: 4 }),
  metrics: ServiceMetrics.prometheus(allMetricsOptions),
};
