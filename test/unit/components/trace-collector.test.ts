import { AutoscaledService } from '../../../components/autoscaled-service';
import { TraceCollector } from '../../../components/trace-collector';
import type { TraceCollectorProps } from '../../../components/trace-collector';
import { find, newChart, problemsOf } from '../../support/synth';

const IMAGE = 'example.test/api:1';

function connected(props: TraceCollectorProps) {
  const chart = newChart('shop');
  const service = new AutoscaledService(chart, 'api', { image: IMAGE });
  service.connects(new TraceCollector(chart, 'traces', props));
  const container = find(chart, 'apps/v1/Deployment', 'api').spec.template.spec.containers[0];
  const policy = find(chart, 'networking.k8s.io/v1/NetworkPolicy', 'api');
  const endpoint = container?.env?.find(({ name }) => name === 'OTEL_EXPORTER_OTLP_ENDPOINT')?.value;
  return { endpoint, egress: policy.spec?.egress ?? [] };
}

test('a service is told where spans go, and may send there', () => {
  const { endpoint, egress } = connected({ host: 'collector.monitoring.svc', namespace: 'monitoring' });
  expect(endpoint).toBe('http://collector.monitoring.svc:4318');
  expect(egress).toContainEqual({
    to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
    ports: [{ port: 4318, protocol: 'TCP' }],
  });
});

test('all props: another port, outside of the cluster', () => {
  const props: Required<Omit<TraceCollectorProps, 'namespace'>> = { host: 'traces.example.com', port: 80 };
  const { endpoint, egress } = connected(props);
  expect(endpoint).toBe('http://traces.example.com:80');
  expect(egress).toContainEqual({ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }], ports: [{ port: 80, protocol: 'TCP' }] });
});

test('every wrong prop is told at once', () => {
  const problems = problemsOf(
    () => new TraceCollector(newChart('shop'), 'traces', { host: 'No Host', port: 0, namespace: 'A' }),
  );
  expect(problems.map((problem) => problem.split(' ')[0])).toEqual(['host', 'port', 'namespace']);
});
