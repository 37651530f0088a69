import * as pulumi from '@pulumi/pulumi';
import { Size } from 'cdk8s';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { Certificate } from '../../../components/certificate';
import { GpuInferenceDeployment } from '../../../components/gpu-inference-deployment';
import { GpuRequest } from '../../../components/gpu-request';
import { LateTokens } from '../../../components/late';
import { ModelSource } from '../../../components/model-source';
import { TlsIngress } from '../../../components/tls-ingress';
import { allServiceProps, find, freshChart, onlyContainer } from '../../support/service-props';

describe('an engine’s own outputs', () => {
  const image = pulumi.output('registry.test/api@sha256:0');
  const host = pulumi.output('api.example.com');
  const key = pulumi.secret('-----BEGIN PRIVATE KEY-----\nsentinel-value');
  const apiKey = pulumi.secret('sentinel-value-of-the-api-key');
  const level = pulumi.output('debug');
  const chart = freshChart();
  const tokens = LateTokens.of(chart);
  const api = new AutoscaledService(chart, 'api', {
    ...allServiceProps,
    image,
    env: { LOG_LEVEL: level },
    configFiles: { directory: '/c', files: { 'level.txt': level } },
  });
  const llama = new GpuInferenceDeployment(chart, 'llama', {
    image,
    apiKey,
    gpu: GpuRequest.none(),
    model: ModelSource.baked(),
    modelSize: Size.gibibytes(1),
  });
  const pem = { cert: pulumi.output('-----BEGIN CERTIFICATE-----\n'), key };
  const ingress = new TlsIngress(chart, 'public', {
    certificate: Certificate.fromPem(pem),
    routes: [{ host, to: api }],
  });
  ingress.addRoute({ host, path: '/llama', to: llama });
  const behind = (token: string | undefined): unknown => tokens.lookup(token ?? '')?.value;

  test('stand wherever a late value may, as one token each', () => {
    expect(behind(onlyContainer(chart, 'api').image)).toBe(image);
    expect(onlyContainer(chart, 'llama').image).toBe(onlyContainer(chart, 'api').image);
    expect(behind(onlyContainer(chart, 'api').env?.[0]?.value)).toBe(level);
    expect(behind(find(chart, 'v1/ConfigMap').data['level.txt'])).toBe(level);
    const { rules, tls } = find(chart, 'networking.k8s.io/v1/Ingress', 'public').spec;
    expect(rules).toHaveLength(1);
    expect(behind(rules?.[0]?.host)).toBe(host);
    expect(tls?.[0]?.hosts).toEqual([rules?.[0]?.host]);
    expect(ingress.hosts).toEqual([rules?.[0]?.host]);
  });

  test('stay secret where they are', () => {
    const stored = tokens.lookup(find(chart, 'v1/Secret', 'public-tls').stringData['tls.key'] ?? '');
    expect(stored).toMatchObject({ secret: true, origin: 'chart-shop/public' });
    expect(stored?.value).toBe(key);
    expect(tokens.lookup(find(chart, 'v1/Secret', 'llama-secret').stringData['API_KEY'] ?? '')?.secret).toBe(true);
  });

  test('leave no trace of having been made into text', () => {
    const text = JSON.stringify(chart.toJson());
    expect(text).not.toMatch(/Calling \[to|Output<|\[object|sentinel-value/);
  });
});
