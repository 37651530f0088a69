import { App, Duration, Size } from 'cdk8s';
import { render } from '../../../bridge/render';
import type { AutoscaledServiceProps } from '../../../components/autoscaled-service';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { Canary } from '../../../components/canary';
import { RemovalPolicy } from '../../../components/release-options';
import type { ServiceVolumeOptions } from '../../../components/service-volume';
import { ServiceVolume } from '../../../components/service-volume';
import { IMAGE, all, find, freshChart, onlyContainer, podOf, problemsOf } from '../../support/service-props';
import { releaseOptions } from '../../support/synth';

const options: ServiceVolumeOptions = { directory: '/app/data', size: Size.gibibytes(5) };

function serviceWith(volume: ServiceVolume, props: Partial<AutoscaledServiceProps> = {}) {
  const chart = freshChart();
  return { chart, service: new AutoscaledService(chart, 'mcp', { image: IMAGE, volume, ...props }) };
}

const claims = (chart: ReturnType<typeof freshChart>): unknown =>
  all(chart, 'v1/PersistentVolumeClaim').map(({ metadata, spec }) => [
    metadata.name,
    spec.accessModes,
    spec.storageClassName,
    spec.resources?.requests?.['storage'],
  ]);

describe('a shared volume', () => {
  const volume = ServiceVolume.shared({ ...options, storageClass: 'nfs' });
  const { chart } = serviceWith(volume, { canary: Canary.ofImage(IMAGE, { weight: 10 }) });

  test('is one claim that several nodes may write to, mounted by both versions', () => {
    expect(claims(chart)).toEqual([['mcp-data', ['ReadWriteMany'], 'nfs', '5Gi']]);
    for (const name of ['mcp', 'mcp-canary']) {
      expect(podOf(chart, name).volumes).toContainEqual({
        name: 'data',
        persistentVolumeClaim: { claimName: 'mcp-data' },
      });
      expect(onlyContainer(chart, name).volumeMounts).toContainEqual({ name: 'data', mountPath: '/app/data' });
    }
  });

  test('changes nothing in how the pods are replaced and placed', () => {
    const { strategy } = find(chart, 'apps/v1/Deployment', 'mcp').spec;
    expect(strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    expect(podOf(chart, 'mcp').affinity).not.toHaveProperty('podAffinity');
  });

  test('is there before the pods and stays when they go', () => {
    const deployment = render(App.of(chart)).find(({ path }) => path === 'chart-shop/mcp/Deployment');
    expect(deployment?.dependsOn).toContain('chart-shop/mcp/Data');
    expect(releaseOptions(chart, 'PersistentVolumeClaim', 'mcp-data').removalPolicy).toBe(RemovalPolicy.RETAIN);
  });
});

test('an exclusive volume: the old pod ends before the new one starts, and the wait for it knows', () => {
  const { chart, service } = serviceWith(ServiceVolume.exclusive(options), { minReplicas: 1, maxReplicas: 1 });
  const { metadata, spec } = find(chart, 'apps/v1/Deployment');
  expect(claims(chart)).toEqual([['mcp-data', ['ReadWriteOnce'], undefined, '5Gi']]);
  expect(spec.strategy).toEqual({ type: 'Recreate' });
  expect(metadata.annotations?.['kube-score/ignore']).toBe('deployment-replicas,deployment-strategy');
  expect(service.mostPods).toBe(1);
});

describe('a volume on one node', () => {
  test('brings every pod to that node, those of a canary too', () => {
    const { chart } = serviceWith(ServiceVolume.oneNode(options), { canary: Canary.ofImage(IMAGE, { weight: 50 }) });
    for (const name of ['mcp', 'mcp-canary']) {
      expect(podOf(chart, name).affinity?.podAffinity).toEqual({
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: {
              matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'In', values: ['mcp', 'mcp-canary'] }],
            },
          },
        ],
      });
    }
  });

  test('may go with the service', () => {
    const { chart } = serviceWith(ServiceVolume.oneNode({ ...options, removalPolicy: RemovalPolicy.DESTROY }));
    expect(releaseOptions(chart, 'PersistentVolumeClaim', 'mcp-data').removalPolicy).toBe(RemovalPolicy.DESTROY);
    expect(
      podOf(chart).affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.[0]?.labelSelector,
    ).toEqual({ matchLabels: { 'app.kubernetes.io/name': 'mcp' } });
  });
});

describe('a volume for each replica', () => {
  const volume = ServiceVolume.perReplica({ ...options, storageClass: 'fast' });
  const { chart, service } = serviceWith(volume, { minReplicas: 2, maxReplicas: 10, zones: 2 });
  const { metadata, spec } = find(chart, 'apps/v1/StatefulSet', 'mcp');

  test('makes the service a StatefulSet that an autoscaler owns the count of', () => {
    expect(all(chart, 'apps/v1/Deployment')).toEqual([]);
    expect(spec).not.toHaveProperty('replicas');
    expect(find(chart, 'autoscaling/v2/HorizontalPodAutoscaler').spec).toMatchObject({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'mcp' },
      minReplicas: 2,
      maxReplicas: 10,
    });
    expect(releaseOptions(chart, 'StatefulSet', 'mcp').ignoreChanges).toEqual([
      'spec.volumeClaimTemplates[0].spec',
      'spec.replicas',
    ]);
    expect(service.mostPods).toBe(10);
  });

  test('has claims of those that always run, which grow, and a template for the others', () => {
    expect(claims(chart)).toEqual([
      ['data-mcp-0', ['ReadWriteOnce'], 'fast', '5Gi'],
      ['data-mcp-1', ['ReadWriteOnce'], 'fast', '5Gi'],
    ]);
    expect(spec.volumeClaimTemplates?.[0]).toEqual({
      metadata: { name: 'data', labels: { 'app.kubernetes.io/name': 'mcp' } },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'fast',
        resources: { requests: { storage: '5Gi' } },
      },
    });
    expect(spec.template.spec.containers[0]?.volumeMounts).toContainEqual({ name: 'data', mountPath: '/app/data' });
    expect(spec.persistentVolumeClaimRetentionPolicy).toEqual({ whenDeleted: 'Retain', whenScaled: 'Retain' });
  });

  test('replaces pod by pod, none before the one before it has been ready for a while, and waits for all of that', () => {
    expect(spec).toMatchObject({ podManagementPolicy: 'Parallel', minReadySeconds: 5 });
    expect(metadata.annotations).toEqual({ 'pulumi.com/timeoutSeconds': String(295 + 120 + 5 + 50) });
    expect(spec.serviceName).toBe('mcp-headless');
    expect(find(chart, 'v1/Service', 'mcp-headless').spec).toEqual({
      type: 'ClusterIP',
      clusterIP: 'None',
      selector: { 'app.kubernetes.io/name': 'mcp' },
      ports: [{ name: 'http', port: 8080, targetPort: 'http', protocol: 'TCP' }],
    });
  });

  test('is spread over zones as a whole, since each pod comes back to its volume', () => {
    expect(spec.template.spec.topologySpreadConstraints?.[0]).toEqual({
      topologyKey: 'topology.kubernetes.io/zone',
      maxSkew: 1,
      whenUnsatisfiable: 'DoNotSchedule',
      nodeTaintsPolicy: 'Honor',
      labelSelector: { matchLabels: { 'app.kubernetes.io/name': 'mcp' } },
    });
  });

  test('with a fixed number of pods has no autoscaler', () => {
    const fixed = serviceWith(ServiceVolume.perReplica(options), { minReplicas: 3, maxReplicas: 3 }).chart;
    expect(find(fixed, 'apps/v1/StatefulSet', 'mcp').spec.replicas).toBe(3);
    expect(all(fixed, 'autoscaling/v2/HorizontalPodAutoscaler')).toEqual([]);
    expect(claims(fixed)).toHaveLength(3);
  });

  test('fits together as the bridge sees it', () => {
    expect(() => render(App.of(chart))).not.toThrow();
  });
});

describe('refused is', () => {
  const problems = (volume: ServiceVolume, props: Partial<AutoscaledServiceProps> = {}): readonly string[] =>
    problemsOf(() => serviceWith(volume, props));
  const canary = Canary.ofImage(IMAGE, { weight: 10 });
  const single = { minReplicas: 1, maxReplicas: 1 };

  test.each<readonly [string, readonly string[], string]>([
    [
      'an exclusive volume of several pods',
      problems(ServiceVolume.exclusive(options), { minReplicas: 1, maxReplicas: 2 }),
      'volume: an exclusive volume is for one pod, and maxReplicas is 2; ServiceVolume.shared with a class',
    ],
    [
      'an exclusive volume with a canary',
      problems(ServiceVolume.exclusive(options), { ...single, canary }),
      'volume: an exclusive volume is for one pod, and a canary is a second one',
    ],
    [
      'one node in three zones',
      problems(ServiceVolume.oneNode(options), { minReplicas: 3, zones: 3 }),
      'volume: pods that share a node cannot stand in 3 zones',
    ],
    [
      'a canary with volumes of its own',
      problems(ServiceVolume.perReplica(options), { canary }),
      'volume: a canary would start with empty volumes of its own',
    ],
    [
      'a name too long for a StatefulSet',
      problems(ServiceVolume.perReplica(options), { name: 'a'.repeat(53) }),
      'name with a volume for each replica must be an RFC 1123 label',
    ],
    [
      'a size of nothing',
      problems(ServiceVolume.oneNode({ ...options, size: Size.mebibytes(0) })),
      'volume.size must be a size of at least 1 bytes, got 0',
    ],
    [
      'a relative directory',
      problems(ServiceVolume.oneNode({ ...options, directory: 'data' })),
      "'data' is not an absolute directory such as /app/data",
    ],
    [
      'a directory that is scratch already',
      problems(ServiceVolume.oneNode(options), { scratch: ['/app/data'] }),
      "directory '/app/data' is mounted twice",
    ],
  ])('%s', (_, found, expected) => {
    expect(found).toEqual([expect.stringContaining(expected)]);
  });
});

describe('zones', () => {
  const chart = freshChart();
  const lifecycle = { minReady: Duration.seconds(0) };
  new AutoscaledService(chart, 'api', { image: IMAGE, minReplicas: 3, zones: 3, lifecycle });

  test('from two on hold back a pod that would make them uneven, each revision for itself', () => {
    expect(podOf(chart).topologySpreadConstraints).toEqual([
      {
        topologyKey: 'topology.kubernetes.io/zone',
        maxSkew: 1,
        whenUnsatisfiable: 'DoNotSchedule',
        nodeTaintsPolicy: 'Honor',
        matchLabelKeys: ['pod-template-hash'],
        labelSelector: { matchLabels: { 'app.kubernetes.io/name': 'api' } },
      },
      {
        topologyKey: 'kubernetes.io/hostname',
        maxSkew: 1,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: { 'app.kubernetes.io/name': 'api' } },
      },
    ]);
  });

  test('unknown are a wish', () => {
    const wish = freshChart();
    new AutoscaledService(wish, 'api', { image: IMAGE });
    expect(podOf(wish).topologySpreadConstraints?.map((one) => one.whenUnsatisfiable)).toEqual([
      'ScheduleAnyway',
      'ScheduleAnyway',
    ]);
  });
});
