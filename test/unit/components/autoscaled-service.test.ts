import { Duration } from 'cdk8s';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { releaseOptionsOf } from '../../../components/release-options';
import { ScalingSignal } from '../../../components/scaling';
import { IMAGE, all, allServiceProps, find, freshChart, onlyContainer, podOf } from '../../support/service-props';

describe('with an image and nothing else', () => {
  const chart = freshChart();
  const service = new AutoscaledService(chart, 'api', { image: IMAGE });

  test('the autoscaler alone owns the count of pods', () => {
    expect(find(chart, 'apps/v1/Deployment').spec).not.toHaveProperty('replicas');
    expect(releaseOptionsOf(service.node.findChild('Deployment')).ignoreChanges).toEqual(['spec.replicas']);
    expect(find(chart, 'autoscaling/v2/HorizontalPodAutoscaler').spec).toEqual({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' },
      minReplicas: 2,
      maxReplicas: 10,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
      ],
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 0,
          selectPolicy: 'Max',
          policies: [
            { type: 'Percent', value: 100, periodSeconds: 60 },
            { type: 'Pods', value: 4, periodSeconds: 60 },
          ],
        },
        scaleDown: {
          stabilizationWindowSeconds: 300,
          selectPolicy: 'Max',
          policies: [
            { type: 'Percent', value: 25, periodSeconds: 60 },
            { type: 'Pods', value: 1, periodSeconds: 60 },
          ],
        },
      },
    });
  });

  test('a rollout takes no pod away before the next is ready, and its waits fit together', () => {
    const { metadata, spec } = find(chart, 'apps/v1/Deployment');
    expect(spec.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    expect(spec.revisionHistoryLimit).toBe(5);
    expect([spec.minReadySeconds, spec.progressDeadlineSeconds]).toEqual([5, 295]);
    expect(metadata.annotations).toEqual({ 'pulumi.com/timeoutSeconds': '420' });
    expect(podOf(chart).terminationGracePeriodSeconds).toBe(50);
    expect(onlyContainer(chart).lifecycle).toEqual({ preStop: { sleep: { seconds: 15 } } });
  });

  test('probes differ, and the start-up probe stands in for an initial delay', () => {
    const { startupProbe, livenessProbe, readinessProbe } = onlyContainer(chart);
    expect(startupProbe).toEqual({
      httpGet: { path: '/health', port: 'http' },
      periodSeconds: 5,
      timeoutSeconds: 5,
      failureThreshold: 24,
    });
    expect(livenessProbe).toEqual({
      httpGet: { path: '/health', port: 'http' },
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 3,
    });
    expect(readinessProbe).toEqual({
      httpGet: { path: '/ready', port: 'http' },
      periodSeconds: 5,
      timeoutSeconds: 5,
      failureThreshold: 2,
    });
  });

  test('budget, Service, account and policy belong to the same pods', () => {
    const selector = { 'app.kubernetes.io/name': 'api' };
    expect(find(chart, 'apps/v1/Deployment').spec.selector).toEqual({ matchLabels: selector });
    expect(find(chart, 'apps/v1/Deployment').spec.template.metadata.labels).toEqual(selector);
    expect(find(chart, 'policy/v1/PodDisruptionBudget').spec).toEqual({
      minAvailable: 1,
      selector: { matchLabels: selector },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
    expect(find(chart, 'v1/Service', 'api-service').spec).toEqual({
      type: 'ClusterIP',
      selector,
      ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
    });
    expect(find(chart, 'v1/ServiceAccount').automountServiceAccountToken).toBe(false);
    expect(podOf(chart).serviceAccountName).toBe('api');
    expect(find(chart, 'networking.k8s.io/v1/NetworkPolicy').spec.podSelector).toEqual({ matchLabels: selector });
    expect(find(chart, 'networking.k8s.io/v1/NetworkPolicy').spec.ingress).toBeUndefined();
    expect(all(chart, 'v1/ConfigMap')).toEqual([]);
  });

  test('two synths are equal', () => {
    expect(JSON.stringify(chart.toJson())).toBe(JSON.stringify(chart.toJson()));
  });
});

describe('with every prop', () => {
  const chart = freshChart();
  const service = new AutoscaledService(chart, 'other-id', allServiceProps);

  test('each prop is where it belongs', () => {
    const { metadata, spec } = find(chart, 'apps/v1/Deployment', 'api');
    expect(metadata.labels).toEqual({ 'app.kubernetes.io/name': 'api', team: 'blue' });
    expect(metadata.annotations?.['pulumi.com/timeoutSeconds']).toBe('1000');
    expect([spec.minReadySeconds, spec.progressDeadlineSeconds]).toEqual([7, 400]);
    expect(spec.selector.matchLabels).toEqual({ 'app.kubernetes.io/name': 'api' });
    expect(spec.template.metadata.labels['team']).toBe('blue');
    const pod = podOf(chart, 'api');
    expect(pod.terminationGracePeriodSeconds).toBe(90);
    expect(pod.securityContext).toMatchObject({ runAsUser: 12345, runAsGroup: 12345, fsGroup: 12345 });
    expect(pod.volumes).toEqual([
      { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
      { name: 'scratch-0', emptyDir: { sizeLimit: '256Mi' } },
      { name: 'config', configMap: { name: 'api-config' } },
      { name: 'data', persistentVolumeClaim: { claimName: 'api-data' } },
    ]);
    expect(pod.containers[0]).toMatchObject({
      image: IMAGE,
      ports: [{ name: 'http', containerPort: 9000, protocol: 'TCP' }],
      env: [{ name: 'LOG_LEVEL', value: 'debug' }],
      resources: {
        requests: { cpu: '100m', memory: '128Mi', 'ephemeral-storage': '100Mi' },
        limits: { cpu: '1000m', memory: '1Gi', 'ephemeral-storage': '1Gi' },
      },
      volumeMounts: [
        { name: 'tmp', mountPath: '/tmp' },
        { name: 'scratch-0', mountPath: '/app/data' },
        { name: 'config', mountPath: '/app/config', readOnly: true },
        { name: 'data', mountPath: '/app/store' },
      ],
      startupProbe: { httpGet: { path: '/started' }, failureThreshold: 14 },
      livenessProbe: { httpGet: { path: '/live' }, periodSeconds: 20 },
      readinessProbe: { httpGet: { path: '/ready/now' }, periodSeconds: 3, timeoutSeconds: 3 },
      lifecycle: { preStop: { sleep: { seconds: 10 } } },
    });
    expect(find(chart, 'v1/ConfigMap', 'api-config').data).toEqual({ 'app.json': '{}' });
    expect(find(chart, 'policy/v1/PodDisruptionBudget', 'api').spec.minAvailable).toBe(1);
  });

  test('the load balancer lets in the given addresses, and so does the policy', () => {
    expect(find(chart, 'v1/Service', 'api-public').spec).toMatchObject({
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      loadBalancerSourceRanges: ['203.0.113.0/24'],
      ports: [{ port: 8081 }],
    });
    expect(find(chart, 'networking.k8s.io/v1/NetworkPolicy').spec.ingress).toEqual([
      { from: [{ ipBlock: { cidr: '203.0.113.0/24' } }], ports: [{ protocol: 'TCP', port: 9000 }] },
    ]);
  });

  test('the autoscaler follows every signal', () => {
    const { spec } = find(chart, 'autoscaling/v2/HorizontalPodAutoscaler', 'api');
    expect([spec.minReplicas, spec.maxReplicas]).toEqual([3, 9]);
    expect(spec.behavior?.scaleUp?.stabilizationWindowSeconds).toBe(15);
    expect(spec.behavior?.scaleDown?.stabilizationWindowSeconds).toBe(120);
    expect(spec.metrics?.[1]?.resource).toEqual({
      name: 'memory',
      target: { type: 'Utilization', averageUtilization: 80 },
    });
    expect(spec.metrics?.[2]).toEqual({
      type: 'Pods',
      pods: { metric: { name: 'http_requests' }, target: { type: 'AverageValue', averageValue: '2500m' } },
    });
  });

  test('resolved values are readable', () => {
    expect(service).toMatchObject({
      name: 'api',
      serviceName: 'api-public',
      host: 'api-public.shop.svc',
      port: 8081,
      targetPort: 9000,
      minReplicas: 3,
      maxReplicas: 9,
      minAvailable: 1,
      zones: 3,
      mostPods: 15,
      longestRequestSeconds: 40,
      proxyTimeoutSeconds: 45,
    });
  });
});

describe('counts of pods', () => {
  test('a fixed number has no autoscaler and no count to ignore', () => {
    const chart = freshChart();
    const service = new AutoscaledService(chart, 'api', { image: IMAGE, minReplicas: 3, maxReplicas: 3, scaleOn: [] });
    expect(find(chart, 'apps/v1/Deployment').spec.replicas).toBe(3);
    expect(all(chart, 'autoscaling/v2/HorizontalPodAutoscaler')).toEqual([]);
    expect(releaseOptionsOf(service.node.findChild('Deployment')).ignoreChanges).toBeUndefined();
    expect(find(chart, 'policy/v1/PodDisruptionBudget').spec.minAvailable).toBe(2);
  });

  test('a single pod may go, and says why it is single', () => {
    const chart = freshChart();
    new AutoscaledService(chart, 'api', { image: IMAGE, minReplicas: 1, maxReplicas: 1 });
    const { spec } = find(chart, 'policy/v1/PodDisruptionBudget');
    expect(spec.maxUnavailable).toBe(1);
    expect(spec).not.toHaveProperty('minAvailable');
    expect(find(chart, 'apps/v1/Deployment').metadata.annotations).toMatchObject({
      'kube-score/ignore': 'deployment-replicas',
      'trellis.dev/kube-score-reason': expect.stringContaining('deployment-replicas: one pod was asked for') as string,
    });
  });

  test('a single pod at rest that scales says so at the autoscaler', () => {
    const chart = freshChart();
    new AutoscaledService(chart, 'api', { image: IMAGE, minReplicas: 1 });
    expect(find(chart, 'autoscaling/v2/HorizontalPodAutoscaler').metadata.annotations).toMatchObject({
      'kube-score/ignore': 'horizontalpodautoscaler-replicas',
    });
    expect(find(chart, 'autoscaling/v2/HorizontalPodAutoscaler').spec).toMatchObject({
      minReplicas: 1,
      maxReplicas: 5,
    });
  });

  test('an external signal carries its labels', () => {
    const chart = freshChart();
    const scaleOn = [ScalingSignal.external('queue_length', 30, { queue: 'mail' }), ScalingSignal.external('lag', 1)];
    new AutoscaledService(chart, 'api', { image: IMAGE, scaleOn });
    expect(find(chart, 'autoscaling/v2/HorizontalPodAutoscaler').spec.metrics).toEqual([
      {
        type: 'External',
        external: {
          metric: { name: 'queue_length', selector: { matchLabels: { queue: 'mail' } } },
          target: { type: 'AverageValue', averageValue: '30000m' },
        },
      },
      {
        type: 'External',
        external: { metric: { name: 'lag' }, target: { type: 'AverageValue', averageValue: '1000m' } },
      },
    ]);
  });
});

test('a long start-up lengthens every wait behind it', () => {
  const chart = freshChart();
  new AutoscaledService(chart, 'api', { image: IMAGE, startupDeadline: Duration.minutes(10) });
  expect(onlyContainer(chart).startupProbe?.failureThreshold).toBe(120);
  expect(find(chart, 'apps/v1/Deployment').spec.progressDeadlineSeconds).toBe(775);
  expect(find(chart, 'apps/v1/Deployment').metadata.annotations?.['pulumi.com/timeoutSeconds']).toBe('1380');
  expect(
    find(chart, 'autoscaling/v2/HorizontalPodAutoscaler').spec.behavior?.scaleDown?.stabilizationWindowSeconds,
  ).toBe(1200);
});
