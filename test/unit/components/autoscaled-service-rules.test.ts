import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import type { AutoscaledServiceProps } from '../../../components/autoscaled-service';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { ValidationError } from '../../../components/errors';
import { ServiceType } from '../../../components/http-props';
import { compute } from '../../../components/pod';
import { ScalingSignal } from '../../../components/scaling';
import { IMAGE, freshChart, problemsOf } from '../../support/service-props';

const problems = (props: Partial<AutoscaledServiceProps>, id = 'api'): readonly string[] =>
  problemsOf(() => new AutoscaledService(freshChart(), id, { image: IMAGE, ...props }));

const memory = { limit: Size.mebibytes(512) };
// prettier-ignore
const cases: readonly (readonly [title: string, props: Partial<AutoscaledServiceProps>, expected: string])[] = [
  ['name with capitals', { name: 'Bad_Name!' }, 'name must be an RFC 1123 label'],
  ['name that starts with a digit', { name: '1api' }, "name must start with a letter, got '1api'"],
  ['name too long for its Service', { name: 'a'.repeat(56) }, 'at most 55 characters'],
  ['name of 64 with a Service name', { name: 'a'.repeat(64), serviceName: 'api' }, 'at most 56 characters'],
  ['serviceName that starts with a digit', { serviceName: '1-api' }, 'serviceName must start with a letter'],
  ['serviceName too long', { serviceName: 'a'.repeat(64) }, 'serviceName must be an RFC 1123 label'],
  ['empty image', { image: '' }, "image must be an image reference such as registry/name:tag or registry/name@sha256:…, got ''"],
  ['port below 1024', { port: 80 }, 'port must be a whole number from 1024 to 65535, got 80'],
  ['port above 65535', { port: 99999 }, 'port must be a whole number from 1024 to 65535, got 99999'],
  ['port that is no number', { port: Number.NaN }, 'port must be a whole number from 1024 to 65535, got NaN'],
  ['servicePort 0', { servicePort: 0 }, 'servicePort must be a whole number from 1 to 65535, got 0'],
  ['CPU limit below request', { resources: compute([500, 250], [64, 64]) }, 'resources.cpu.request (500 m) must not exceed its limit (250 m)'],
  ['memory limit below request', { resources: compute([1, 2], [64, 32]) }, 'resources.memory.request'],
  ['NaN memory', { resources: { ...compute([1, 2], [1, 1]), memory: { request: Size.mebibytes(Number.NaN), ...memory } } }, 'resources.memory.request must be above zero, got NaN bytes'],
  ['negative CPU', { resources: { cpu: { request: Cpu.millis(-5) }, memory } }, 'resources.cpu.request must be above zero, got -5 m'],
  ['no memory limit', { resources: { cpu: { request: Cpu.millis(5) } } }, 'resources.memory.limit is required'],
  ['bad variable name', { env: { 'A-B': 'x' } }, "env: 'A-B' is not a name for an environment variable"],
  ['user of the node', { user: 999 }, 'user must be a whole number from 10001'],
  ['probe path without slash', { probes: { startup: 'health' } }, "probes.startup must be a path that starts with '/', got 'health'"],
  ['identical probes', { probes: { liveness: '/ready' } }, 'probes.liveness and probes.readiness must differ'],
  ['probe period of zero', { probes: { livenessPeriod: Duration.seconds(0) } }, 'probes.livenessPeriod in seconds must be a whole number from 1 to 3600, got 0'],
  ['bad label value', { labels: { team: 'x y!' } }, "labels['team'] must be a label value"],
  ['bad label name', { labels: { 'te am': 'x' } }, "labels: the name of 'te am' must be a label value"],
  ['selecting label', { labels: { 'app.kubernetes.io/name': 'x' } }, "labels: 'app.kubernetes.io/name' selects the pods"],
  ['relative directory', { scratch: ['data'] }, "'data' is not an absolute directory"],
  ['directory with dots', { scratch: ['/app/../etc'] }, "'/app/../etc' is not an absolute directory"],
  ['/tmp as scratch', { scratch: ['/tmp'] }, "'/tmp' is writable already"],
  ['directory twice', { scratch: ['/a'], configFiles: { directory: '/a', files: { f: '' } } }, "directory '/a' is mounted twice"],
  ['no configuration file', { configFiles: { directory: '/c', files: {} } }, 'configFiles.files must name at least one file'],
  ['bad file name', { configFiles: { directory: '/c', files: { 'a/b c': '' } } }, "configFiles.files: 'a/b c' is not a file name"],
  ['1.1 MB of files', { configFiles: { directory: '/c', files: { f: 'é'.repeat(550_000) } } }, 'configFiles.files hold 1100001 bytes, a ConfigMap at most 1048576'],
  ['sourceRanges inside the cluster', { sourceRanges: ['10.0.0.0/8'] }, 'sourceRanges only has a meaning with serviceType LOAD_BALANCER'],
  ['sourceRanges that are none', { serviceType: ServiceType.LOAD_BALANCER, sourceRanges: ['10.0.0.0/33'] }, "sourceRanges: '10.0.0.0/33' is not a range"],
  ['minReplicas 0', { minReplicas: 0, maxReplicas: 1, minAvailable: 0 }, 'minReplicas must be a whole number from 1 to 1000, got 0'],
  ['half a pod', { minReplicas: 1.5, maxReplicas: 3, minAvailable: 1 }, 'minReplicas must be a whole number from 1 to 1000, got 1.5'],
  ['NaN pods', { maxReplicas: Number.NaN }, 'maxReplicas must be a whole number from 1 to 5000, got NaN'],
  ['min above max', { minReplicas: 4, maxReplicas: 3 }, 'minReplicas (4) must not be above maxReplicas (3)'],
  ['budget never met', { minReplicas: 2, minAvailable: 2 }, 'minAvailable (2) must be below minReplicas (2), or no node could ever be drained'],
  ['budget of a single pod', { minReplicas: 1, minAvailable: 1 }, 'minAvailable (1) must be below minReplicas (1)'],
  ['fewer pods than zones', { zones: 3 }, 'minReplicas (2) must be at least zones (3), or at rest a zone has no pod'],
  ['half a zone', { zones: 1.5 }, 'zones must be a whole number from 1 to 20, got 1.5'],
  ['no signal', { scaleOn: [] }, 'scaleOn needs at least one signal'],
  ['a signal twice', { scaleOn: [ScalingSignal.cpu(50), ScalingSignal.cpu(60)] }, "scaleOn has the signal 'cpu' twice"],
  ['CPU of 0 %', { scaleOn: [ScalingSignal.cpu(0)] }, 'scaleOn cpu must be a whole percentage from 1 to 1000, got 0'],
  ['CPU beyond the limit', { scaleOn: [ScalingSignal.cpu(200)] }, 'scaleOn cpu of 200 % can never be passed: the limit is 200 % of the request'],
  ['CPU without request', { resources: { memory } }, 'scaleOn cpu is a percentage of resources.cpu.request, which is missing'],
  ['metric without name', { scaleOn: [ScalingSignal.pods('', 1)] }, 'scaleOn pods: the metric needs a name'],
  ['metric of zero', { scaleOn: [ScalingSignal.external('q', 0)] }, 'scaleOn external q: the average must be at least 0.001, got 0'],
  ['container CPU beyond the limit', { scaleOn: [ScalingSignal.containerCpu(200)] }, 'scaleOn container cpu of 200 % can never be passed'],
  ['value of zero', { scaleOn: [ScalingSignal.externalValue('age', 0)] }, 'scaleOn external age: the value must be at least 0.001, got 0'],
  ['bad metric label', { scaleOn: [ScalingSignal.pods('q', 1, { a: 'x y' })] }, "scaleOn pods q {a=x y}: 'a' must be a label value"],
  ['kind in lower case', { scaleOn: [ScalingSignal.object('q', { apiVersion: 'v1', kind: 'pod', name: 'x' }, 1)] }, "scaleOn object q of pod x: 'pod' is not a kind"],
  ['version without v', { scaleOn: [ScalingSignal.object('q', { apiVersion: 'apps/1', kind: 'Pod', name: 'x' }, 1)] }, "'apps/1' is not an API version"],
  ['object without name', { scaleOn: [ScalingSignal.object('q', { apiVersion: 'v1', kind: 'Pod', name: '' }, 1)] }, 'the name of the object must be an RFC 1123 subdomain'],
  ['scaleUpWindow beyond an hour', { scaleUpWindow: Duration.hours(2) }, 'scaleUpWindow in seconds must be a whole number from 0 to 3600, got 7200'],
  ['grace shorter than the drain', { lifecycle: { grace: Duration.seconds(45) } }, 'lifecycle.grace (45 s) must be longer than'],
];

test.each(cases)('%s is refused', (_, props, expected) => {
  expect(problems(props)).toEqual([expect.stringContaining(expected)]);
});

test('a name of full length passes with its own Service name', () => {
  expect(problems({ name: 'a'.repeat(56), serviceName: 'a'.repeat(63) })).toEqual([]);
  expect(problems({}, 'a'.repeat(55))).toEqual([]);
});

test('a CPU target above 100 % passes where the limit allows it', () => {
  expect(problems({ scaleOn: [ScalingSignal.cpu(199)] })).toEqual([]);
});

test('all problems come in one error that names the construct, and no object is left behind', () => {
  const chart = freshChart();
  const build = (): unknown => new AutoscaledService(chart, 'api', { image: IMAGE, port: 1, minAvailable: 5 });
  expect(build).toThrow(
    new ValidationError('chart-shop/api', [
      'port must be a whole number from 1024 to 65535, got 1',
      'minAvailable (5) must be below minReplicas (2), or no node could ever be drained',
    ]),
  );
  expect(chart.toJson()).toEqual([]);
});
