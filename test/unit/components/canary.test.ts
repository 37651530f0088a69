import fc from 'fast-check';
import type { AutoscaledServiceProps } from '../../../components/autoscaled-service';
import { AutoscaledService } from '../../../components/autoscaled-service';
import type { CanaryOptions } from '../../../components/canary';
import { Canary } from '../../../components/canary';
import { releaseOptionsOf } from '../../../components/release-options';
import { ScalingSignal } from '../../../components/scaling';
import { render } from '../../../bridge/render';
import { App } from 'cdk8s';
import { IMAGE, all, find, freshChart, onlyContainer, podOf, problemsOf } from '../../support/service-props';
import { inventory } from '../../support/synth';

const NEXT = IMAGE.replace('0123', 'fedc');

function serviceWith(options: CanaryOptions, props: Partial<AutoscaledServiceProps> = {}) {
  const chart = freshChart();
  const canary = Canary.ofImage(NEXT, options);
  return { chart, service: new AutoscaledService(chart, 'api', { image: IMAGE, ...props, canary }) };
}

const pods = (chart: ReturnType<typeof freshChart>): unknown =>
  all(chart, 'autoscaling/v2/HorizontalPodAutoscaler').map(({ metadata, spec }) => [
    metadata.name,
    spec.minReplicas,
    spec.maxReplicas,
  ]);

describe('a canary of 10 percent', () => {
  const { chart, service } = serviceWith({ weight: 10 }, { serviceName: 'shop', labels: { team: 'blue' } });

  test('has objects of its own, and shares account, policy and configuration', () => {
    expect(inventory(chart)).toEqual([
      'Deployment/api',
      'Deployment/api-canary',
      'HorizontalPodAutoscaler/api',
      'HorizontalPodAutoscaler/api-canary',
      'NetworkPolicy/api',
      'PodDisruptionBudget/api',
      'PodDisruptionBudget/api-canary',
      'Service/shop',
      'Service/shop-canary',
      'ServiceAccount/api',
    ]);
    expect(podOf(chart, 'api-canary').serviceAccountName).toBe('api');
    expect(onlyContainer(chart, 'api-canary').image).toBe(NEXT);
    expect(onlyContainer(chart, 'api').image).toBe(IMAGE);
  });

  test('is found by routes under the name of its Service, with its weight', () => {
    expect(service.canary).toEqual({ serviceName: 'shop-canary', weight: 10 });
    expect(find(chart, 'v1/Service', 'shop-canary').spec).toEqual({
      type: 'ClusterIP',
      selector: { 'app.kubernetes.io/name': 'api-canary' },
      ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
    });
  });

  test('is selected by nothing that selects the service, so that no load is counted twice', () => {
    expect(find(chart, 'apps/v1/Deployment', 'api').spec.selector.matchLabels).toEqual({
      'app.kubernetes.io/name': 'api',
    });
    const { selector, template } = find(chart, 'apps/v1/Deployment', 'api-canary').spec;
    expect(selector.matchLabels).toEqual({ 'app.kubernetes.io/name': 'api-canary' });
    expect(template.metadata.labels).toEqual({ team: 'blue', 'app.kubernetes.io/name': 'api-canary' });
    expect(releaseOptionsOf(service.node.findChild('Canary').node.findChild('Deployment')).ignoreChanges).toEqual([
      'spec.replicas',
    ]);
  });

  test('is under the same policy, and other policies name both', () => {
    const both = {
      matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'In', values: ['api', 'api-canary'] }],
    };
    expect(find(chart, 'networking.k8s.io/v1/NetworkPolicy').spec.podSelector).toEqual(both);
    expect(service.peer.podSelector).toEqual(both);
  });

  test('gets a tenth of the pods, rounded up', () => {
    expect(pods(chart)).toEqual([
      ['api', 2, 9],
      ['api-canary', 1, 1],
    ]);
    expect(find(chart, 'policy/v1/PodDisruptionBudget', 'api').spec.minAvailable).toBe(1);
    expect(find(chart, 'policy/v1/PodDisruptionBudget', 'api-canary').spec.maxUnavailable).toBe(1);
  });
});

test('the name of its Service follows the default name', () => {
  expect(serviceWith({ weight: 0 }).service.canary?.serviceName).toBe('api-canary-service');
});

test('its environment is that of the service, connections included, with its own over it', () => {
  const { chart, service } = serviceWith({ weight: 5, env: { LEVEL: 'debug' } }, { env: { LEVEL: 'info', MODE: 'a' } });
  service.connects(new AutoscaledService(chart, 'next', { image: IMAGE }));
  expect(onlyContainer(chart, 'api-canary').env).toEqual([
    { name: 'LEVEL', value: 'debug' },
    { name: 'MODE', value: 'a' },
    { name: 'NEXT_URL', value: 'http://next-service.shop.svc:80' },
  ]);
  expect(onlyContainer(chart, 'api').env?.[0]).toEqual({ name: 'LEVEL', value: 'info' });
});

test('a figure of the whole service counts by share, one of each pod as it is', () => {
  const { chart } = serviceWith(
    { weight: 25 },
    {
      scaleOn: [
        ScalingSignal.external('queue', 30),
        ScalingSignal.externalValue('age', 5),
        ScalingSignal.pods('busy', 4),
      ],
    },
  );
  const targets = (name: string) =>
    find(chart, 'autoscaling/v2/HorizontalPodAutoscaler', name).spec.metrics?.map(
      ({ external, pods: ofPods }) => external?.target ?? ofPods?.target,
    );
  expect(targets('api-canary')).toEqual([
    { type: 'AverageValue', averageValue: '120000m' },
    { type: 'Value', value: '5000m' },
    { type: 'AverageValue', averageValue: '4000m' },
  ]);
  expect(targets('api')?.[0]).toEqual({ type: 'AverageValue', averageValue: '40000m' });
});

test('a fixed number of pods is divided too', () => {
  const { chart } = serviceWith({ weight: 50 }, { minReplicas: 5, maxReplicas: 5 });
  expect(all(chart, 'apps/v1/Deployment').map(({ spec }) => spec.replicas)).toEqual([3, 3]);
  expect(all(chart, 'autoscaling/v2/HorizontalPodAutoscaler')).toEqual([]);
});

test('whatever the weight, both versions hold the capacity of the service, and a majority is never a single pod', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 2, max: 40 }), fc.nat(60), (weight, min, more) => {
      const { chart } = serviceWith({ weight }, { minReplicas: min, maxReplicas: min + more + 1 });
      const both = all(chart, 'autoscaling/v2/HorizontalPodAutoscaler').map(({ spec }) => spec);
      const sum = (field: 'minReplicas' | 'maxReplicas') => both.reduce((all, spec) => all + (spec[field] ?? 0), 0);
      expect(both).toHaveLength(2);
      expect(sum('minReplicas')).toBeGreaterThanOrEqual(min);
      expect(sum('minReplicas')).toBeLessThanOrEqual(min + 2);
      expect(sum('maxReplicas')).toBeGreaterThanOrEqual(min + more + 1);
      expect(sum('maxReplicas')).toBeLessThanOrEqual(min + more + 3);
      const larger = both[weight >= 50 ? 1 : 0];
      expect(larger?.minReplicas).toBeGreaterThanOrEqual(2);
      // References, budgets and ports fit together as the bridge sees them.
      expect(() => render(App.of(chart))).not.toThrow();
    }),
    { numRuns: 20 },
  );
});

describe('refused is', () => {
  const problems = (options: CanaryOptions, image = NEXT, props: Partial<AutoscaledServiceProps> = {}) =>
    problemsOf(
      () =>
        new AutoscaledService(freshChart(), 'api', { image: IMAGE, ...props, canary: Canary.ofImage(image, options) }),
    );

  test.each<readonly [string, readonly string[], string]>([
    [
      'more than all requests',
      problems({ weight: 101 }),
      'canary.weight must be a whole number from 0 to 100, got 101',
    ],
    ['half a percent', problems({ weight: 0.5 }), 'canary.weight must be a whole number from 0 to 100, got 0.5'],
    ['no pod', problems({ weight: 1, minReplicas: 0 }), 'canary.minReplicas must be a whole number from 1 to 1000'],
    [
      'more pods at rest than at most',
      problems({ weight: 1, minReplicas: 3, maxReplicas: 2 }),
      'canary.minReplicas (3) must not be above canary.maxReplicas (2)',
    ],
    ['no image', problems({ weight: 1 }, ''), 'canary.image must be an image reference'],
    ['a bad variable', problems({ weight: 1, env: { 'A-B': '' } }), "canary.env: 'A-B' is not a name"],
    ['a name too long', problems({ weight: 1 }, NEXT, { name: 'a'.repeat(49) }), 'at most 48 characters'],
    [
      'a Service name too long',
      problems({ weight: 1 }, NEXT, { serviceName: 'a'.repeat(57) }),
      "serviceName must be an RFC 1123 label (a-z, 0-9, '-', at most 56 characters)",
    ],
  ])('%s', (_, found, expected) => {
    expect(found).toEqual([expect.stringContaining(expected)]);
  });

  test('names of full length are not', () => {
    expect(problems({ weight: 1 }, NEXT, { name: 'a'.repeat(48) })).toEqual([]);
    expect(problems({ weight: 1 }, NEXT, { name: 'a'.repeat(56), serviceName: 'b'.repeat(56) })).toEqual([]);
  });
});
