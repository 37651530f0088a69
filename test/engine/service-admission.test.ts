import { App, Chart, Duration, Size } from 'cdk8s';
import * as fc from 'fast-check';

import type { AutoscaledServiceProps } from '../../components/autoscaled-service';
import { AutoscaledService } from '../../components/autoscaled-service';
import { Canary } from '../../components/canary';
import { ServiceType } from '../../components/http-props';
import { compute } from '../../components/pod';
import { ScalingSignal } from '../../components/scaling-signal';
import { AccessRule, ServiceRole, Verb } from '../../components/service-role';
import { ServiceVolume } from '../../components/service-volume';
import { Admission, ADMISSION_NAMESPACE } from '../support/admission';
import { IMAGE } from '../support/service-props';

jest.setTimeout(300_000);

const chartOf = (props: AutoscaledServiceProps): Chart => {
  const chart = new Chart(new App(), 'chart', { namespace: ADMISSION_NAMESPACE });
  new AutoscaledService(chart, 'web', props);
  return chart;
};

const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const seconds = (min: number, max: number) => fc.integer({ min, max }).map((value) => Duration.seconds(value));
const described = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'edge' };
const percent = fc.integer({ min: 1, max: 99 });
const amount = fc.integer({ min: 1, max: 1_000_000 }).map((value) => value / 1000);

const signal = fc.oneof(
  percent.map((value) => ScalingSignal.cpu(value)),
  percent.map((value) => ScalingSignal.memory(value)),
  percent.map((value) => ScalingSignal.containerCpu(value)),
  percent.map((value) => ScalingSignal.containerMemory(value)),
  amount.map((value) => ScalingSignal.pods('busy', value)),
  amount.map((value) => ScalingSignal.object('requests', described, value, { host: 'a' })),
  amount.map((value) => ScalingSignal.objectValue('latency', described, value)),
  amount.map((value) => ScalingSignal.external('queue', value, { name: 'mail' })),
  amount.map((value) => ScalingSignal.externalValue('age', value)),
);

const role = ServiceRole.of([
  AccessRule.read({ resources: ['configmaps'] }),
  AccessRule.allow([Verb.GET, Verb.PATCH], { group: 'apps', resources: ['deployments/scale'], names: ['web'] }),
]);

const volumeOptions = { directory: '/app/store', size: Size.mebibytes(100) };
const volumes = [
  ServiceVolume.oneNode(volumeOptions),
  ServiceVolume.shared({ ...volumeOptions, storageClass: 'nfs' }),
  ServiceVolume.perReplica(volumeOptions),
] as const;

const lifecycle = fc.record({
  longestRequest: seconds(1, 600),
  loadBalancerPropagation: seconds(0, 60),
  loadTime: seconds(0, 3000),
  minReady: seconds(0, 60),
});

/** Props that the rules accept, of every kind. */
const props: fc.Arbitrary<AutoscaledServiceProps> = fc
  .record({
    zones: fc.integer({ min: 1, max: 3 }),
    moreAtRest: fc.nat(4),
    moreAtPeak: fc.nat(20),
    signals: fc.uniqueArray(signal, { minLength: 1, maxLength: 4, selector: ({ key }) => key }),
    scaleUpWindow: seconds(0, 3600),
    startupDeadline: seconds(1, 3600),
    lifecycle,
    serviceType: fc.constantFrom(ServiceType.CLUSTER_IP, ServiceType.LOAD_BALANCER),
    volume: some(fc.integer({ min: 0, max: volumes.length - 1 })),
    role: some(fc.constant(role)),
    weight: some(fc.integer({ min: 0, max: 100 })),
  })
  .map(({ moreAtRest, moreAtPeak, signals, volume: at, role: given, weight, ...rest }) => {
    const minReplicas = rest.zones + moreAtRest;
    const chosen = at === undefined ? undefined : volumes[at];
    const volume = rest.zones > 1 && chosen === volumes[0] ? undefined : chosen;
    const canary = weight === undefined || volume === volumes[2] ? undefined : Canary.ofImage(IMAGE, { weight });
    return {
      ...rest,
      image: IMAGE,
      resources: compute([100, 1000], [128, 1024]),
      minReplicas,
      maxReplicas: minReplicas + moreAtPeak,
      scaleOn: signals,
      ...(volume === undefined ? {} : { volume }),
      ...(given === undefined ? {} : { role: given }),
      ...(canary === undefined ? {} : { canary }),
    };
  });

describe('an API server under Pod Security restricted', () => {
  let admission: Admission;
  beforeAll(async () => {
    admission = await Admission.start();
  });
  afterAll(async () => {
    await admission.destroy();
  });

  test('admits a service of whatever props, with its pods and without a warning', async () => {
    await fc.assert(
      fc.asyncProperty(props, async (given) => expect(await admission.problems(chartOf(given))).toEqual([])),
      { numRuns: 30 },
    );
  });

  test('admits a service with an exclusive volume', async () => {
    const volume = ServiceVolume.exclusive(volumeOptions);
    const chart = chartOf({ image: IMAGE, minReplicas: 1, maxReplicas: 1, volume });
    expect(await admission.problems(chart)).toEqual([]);
  });
});
