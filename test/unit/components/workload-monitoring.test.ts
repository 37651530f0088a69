import type { Chart } from 'cdk8s';
import { Duration, Size } from 'cdk8s';
import { Construct } from 'constructs';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { Canary } from '../../../components/canary';
import type { IClient } from '../../../components/connections';
import type { GpuInferenceDeploymentProps } from '../../../components/gpu-inference-deployment';
import { GpuInferenceDeployment } from '../../../components/gpu-inference-deployment';
import { GpuRequest } from '../../../components/gpu-request';
import { InferenceServer } from '../../../components/inference-server';
import { LateTokens } from '../../../components/late';
import { ModelSource } from '../../../components/model-source';
import { DashboardTopic } from '../../../components/monitoring';
import { NO_MONITORING } from '../../../components/monitoring-parts';
import { collectMonitoring, prometheusRules } from '../../../components/monitoring-rules';
import { podsPeer } from '../../../components/network';
import type { ServiceMetricsOptions } from '../../../components/service-metrics';
import { ServiceMetrics } from '../../../components/service-metrics';
import { allMetricsOptions, IMAGE } from '../../support/service-props';
import { find, newChart, problemsOf } from '../../support/synth';

class Client extends Construct implements IClient {
  public readonly peer = podsPeer(this, { 'app.kubernetes.io/name': this.node.id });
}

const ports = (chart: Chart, name: string) =>
  (find(chart, 'networking.k8s.io/v1/NetworkPolicy', name).spec.ingress ?? []).map((rule) => rule.ports?.[0]?.port);

describe('a service', () => {
  const service = (chart: Chart, props: Partial<ConstructorParameters<typeof AutoscaledService>[2]> = {}) =>
    new AutoscaledService(chart, 'api', { image: IMAGE, ...props });

  test('is scraped at its own port by default', () => {
    const chart = newChart();
    const one = service(chart, { port: 9000 });
    one.allowScraping(new Client(chart, 'prometheus'));
    expect(one.monitoring().targets).toEqual([
      {
        ...{ job: 'api', port: 9000, path: '/metrics', exporter: 'reference-service' },
        labels: { 'app.kubernetes.io/name': 'api' },
      },
    ]);
    expect(ports(chart, 'api')).toEqual([9000]);
    expect(one.monitoring().objectives.map(({ name, objective }) => [name, objective])).toEqual([
      ['api-availability', 0.999],
      ['api-promptness', 0.99],
    ]);
  });

  test('without metrics tells nothing and lets nobody in', () => {
    const chart = newChart();
    const one = service(chart, { metrics: ServiceMetrics.none() });
    one.allowScraping(new Client(chart, 'prometheus'));
    expect(one.monitoring()).toEqual(NO_MONITORING);
    expect(ports(chart, 'api')).toEqual([]);
  });

  test('every option reaches the expressions', () => {
    const { targets, objectives } = service(newChart(), {
      metrics: ServiceMetrics.prometheus(allMetricsOptions),
    }).monitoring();
    expect(targets[0]).toMatchObject({ path: '/internal/figures' });
    const [availability, promptness] = objectives;
    expect(availability).toMatchObject({
      objective: 0.995,
      total: expect.stringContaining('rate(request_seconds_count{'),
    });
    expect(promptness).toMatchObject({ objective: 0.95, bad: expect.stringContaining('request_seconds_bucket{') });
    expect(promptness?.bad).toContain('le="0.25"');
    expect(promptness?.total).toContain('/api/report\\\\.pdf');
    expect(availability?.total).not.toContain('report');
  });

  test('what probes are told is no answer to users', () => {
    const probes = { liveness: '/live', readiness: '/ready/now', startup: '/live' };
    const [availability] = service(newChart(), { probes }).monitoring().objectives;
    for (const rate of [availability?.bad, availability?.total])
      expect(rate).toContain('route!~"/live|/metrics|/ready/now"');
  });

  test('a bound of whole seconds is found however it is written', () => {
    const [, promptness] = service(newChart()).monitoring().objectives;
    expect(promptness?.bad).toContain('le=~"1(\\\\.0)?"');
  });

  test('a canary is watched by itself, as the same kind of service', () => {
    const { targets, objectives, alerts } = service(newChart(), {
      canary: Canary.ofImage(IMAGE, { weight: 5 }),
    }).monitoring();
    expect(targets.map(({ job }) => job)).toEqual(['api', 'api-canary']);
    expect(targets[1]?.labels).toEqual({ 'app.kubernetes.io/name': 'api-canary' });
    expect(objectives.map(({ name }) => name)).toContain('api-canary-availability');
    expect(alerts.map(({ alert }) => alert)).toEqual(expect.arrayContaining(['ApiDown', 'ApiCanaryDown']));
  });

  test.each<[string, ServiceMetricsOptions, RegExp]>([
    ['path', { path: 'metrics' }, /^metrics\.path must be a path that starts with '\/', got 'metrics'/],
    ['path with a query', { path: '/metrics?all' }, /^metrics\.path must/],
    [
      'histogram',
      { histogram: 'http-seconds' },
      /^metrics\.histogram must be the name of a metric, got 'http-seconds'/,
    ],
    ['availability', { availability: 1 }, /^metrics\.availability must be from 0\.95 to below 1, got 1/],
    ['promptness', { promptness: 0.9 }, /^metrics\.promptness must be from 0\.95 to below 1, got 0\.9/],
    ['promptness that is no number', { promptness: Number.NaN }, /^metrics\.promptness must .* got NaN/],
    ['latency', { latency: Duration.millis(0) }, /^metrics\.latency must be whole milliseconds, at least 1, got 0/],
    ['route', { slowRoutes: ['report'] }, /^metrics\.slowRoutes: 'report' must be a path/],
    ['route with a quote', { slowRoutes: ['/a"b'] }, /^metrics\.slowRoutes: '\/a"b' must be a path/],
  ])('is refused for its %s', (_, options, problem) => {
    expect(problemsOf(() => service(newChart(), { metrics: ServiceMetrics.prometheus(options) }))).toEqual([
      expect.stringMatching(problem),
    ]);
  });

  test('is refused with all problems at once, before any object', () => {
    const chart = newChart();
    const options = { path: 'x', histogram: '-', availability: 2, promptness: 2, latency: Duration.millis(0) };
    expect(problemsOf(() => service(chart, { metrics: ServiceMetrics.prometheus(options) }))).toHaveLength(5);
  });
});

describe('a model server', () => {
  const inference = (chart: Chart, props: Partial<GpuInferenceDeploymentProps> = {}): GpuInferenceDeployment =>
    new GpuInferenceDeployment(chart, 'llama', {
      ...{ image: IMAGE, gpu: GpuRequest.nvidia(1), model: ModelSource.baked(), modelSize: Size.gibibytes(4) },
      ...props,
    });
  const apiKey = 'sk-canary-of-the-tests-0123456789';

  test('has the names of its program', () => {
    const llama = inference(newChart()).monitoring();
    const vllm = inference(newChart(), { server: InferenceServer.vllm() }).monitoring();
    expect([llama, vllm].map(({ targets }) => targets[0]?.exporter)).toEqual(['llama-cpp', 'vllm']);
    expect(vllm.objectives.map(({ name }) => name)).toEqual(['llama-first-token']);
    expect(llama.objectives).toEqual([]);
    for (const { panels } of [llama, vllm])
      expect(new Set(panels.map(({ dashboard }) => dashboard))).toEqual(new Set([DashboardTopic.INFERENCE]));
  });

  test('is let in to at its own port', () => {
    const chart = newChart();
    inference(chart, { port: 9000 }).allowScraping(new Client(chart, 'prometheus'));
    expect(ports(chart, 'llama')).toEqual([9000]);
  });

  test('takes no outage for one that a model needs to load', () => {
    const [down] = inference(newChart(), { startupDeadline: Duration.minutes(20) }).monitoring().alerts;
    expect(down?.for?.toSeconds()).toBeGreaterThanOrEqual(1200);
  });

  test('hands its key on where metrics are guarded by it, and nowhere else', () => {
    const chart = newChart();
    const guarded = inference(chart, { apiKey });
    expect(guarded.monitoring().targets[0]?.bearerToken).toBe(apiKey);
    const open = inference(newChart(), { apiKey, server: InferenceServer.vllm() }).monitoring();
    expect(open.targets[0]).not.toHaveProperty('bearerToken');
    expect(inference(newChart()).monitoring().targets[0]).not.toHaveProperty('bearerToken');
    const { targets: _, ...rest } = guarded.monitoring();
    expect(JSON.stringify([prometheusRules(collectMonitoring(chart)), rest])).not.toContain(apiKey);
  });

  test('hands a late key on as it is', () => {
    const late = { apply: () => late };
    const chart = newChart();
    const server = inference(chart, { apiKey: late as never });
    expect(server.monitoring().targets[0]?.bearerToken).toBe(late);
    expect(LateTokens.isToken(JSON.stringify(prometheusRules(collectMonitoring(chart))))).toBe(false);
  });
});
