import type { Chart } from 'cdk8s';
import { render } from '../../../bridge/render';
import { deployment, object, service } from './objects';
import { freshChart, problemsOf } from './support';

const gateway = (chart: Chart, reference: object): void =>
  void object(chart, 'g', 'gateway.networking.k8s.io/v1', 'Gateway', {
    spec: { gatewayClassName: 'x', listeners: [{ name: 'https', port: 443, tls: { certificateRefs: [reference] } }] },
  });
const route = (chart: Chart, backend: object): void =>
  void object(chart, 'r', 'gateway.networking.k8s.io/v1', 'HTTPRoute', {
    spec: { rules: [{ backendRefs: [backend] }] },
  });
const problems = (build: (chart: Chart) => unknown): readonly string[] => {
  const { app, chart } = freshChart();
  build(chart);
  return problemsOf(() => render(app));
};
const web = (chart: Chart): void => {
  deployment(chart, 'd');
  service(chart, 's', { selector: { app: 'd' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] });
};

describe('a Gateway', () => {
  test('is refused where nobody makes its Secret', () => {
    expect(problems((chart) => gateway(chart, { name: 'tls' }))).toEqual([
      "chart/g: listener 'https' names Secret 'tls', which nobody makes",
    ]);
  });

  test.each<readonly [string, string, string, object]>([
    ['a certificate', 'cert-manager.io/v1', 'Certificate', { secretName: 'tls' }],
    ['an external secret', 'external-secrets.io/v1', 'ExternalSecret', { target: { name: 'tls' } }],
    ['a sealed secret', 'bitnami.com/v1alpha1', 'SealedSecret', { template: { metadata: { name: 'tls' } } }],
  ])('may name the Secret of %s', (_, apiVersion, kind, spec) => {
    expect(
      problems((chart) => {
        object(chart, 'c', apiVersion, kind, { spec });
        gateway(chart, { name: 'tls' });
      }),
    ).toEqual([]);
  });

  test('may name one of another namespace, which is not defined here', () => {
    expect(problems((chart) => gateway(chart, { name: 'tls', namespace: 'infra' }))).toEqual([]);
  });
});

describe('a HTTPRoute', () => {
  test('leads to a Service that is there', () => {
    expect(
      problems((chart) => {
        web(chart);
        route(chart, { name: 's', port: 80 });
      }),
    ).toEqual([]);
  });

  test('is refused where its Service is not, or lacks the port', () => {
    expect(problems((chart) => route(chart, { name: 'gone', port: 80 }))).toEqual([
      "chart/r: the backend Service 'gone' is not defined in namespace 'test'",
    ]);
    expect(problems((chart) => route(chart, { name: 's', namespace: 'other', port: 80 }))).toEqual([
      "chart/r: the backend Service 's' is not defined in namespace 'other'",
    ]);
    expect(
      problems((chart) => {
        web(chart);
        route(chart, { name: 's', port: 81 });
      }),
    ).toEqual(["chart/r: the backend Service 's' has no port 81, only: http/80"]);
  });
});
