import { App, Duration } from 'cdk8s';
import type { Chart } from 'cdk8s';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { Canary } from '../../../components/canary';
import { Certificate, IssuerKind } from '../../../components/certificate';
import { IngressBackend } from '../../../components/ingress-backend';
import type { GatewayOptions } from '../../../components/ingress-backend';
import { Hsts, SecurityHeaders } from '../../../components/ingress-options';
import { LateTokens } from '../../../components/late';
import { TlsIngress } from '../../../components/tls-ingress';
import { IMAGE, all, find, freshChart, problemsOf } from '../../support/service-props';
import { inventory } from '../../support/synth';

const GATEWAY = 'gateway.networking.k8s.io/v1/Gateway';
const ROUTE = 'gateway.networking.k8s.io/v1/HTTPRoute';
const GRANT = 'gateway.networking.k8s.io/v1beta1/ReferenceGrant';
const POLICY = 'networking.k8s.io/v1/NetworkPolicy';
const certificate = Certificate.issuedBy('letsencrypt');
const options: GatewayOptions = { gatewayClass: 'envoy', controller: { namespace: 'envoy-gateway-system' } };
const backend = IngressBackend.gateway(options);
const service = (chart: Chart, id = 'api', canary?: Canary): AutoscaledService =>
  new AutoscaledService(chart, id, { image: IMAGE, ...(canary === undefined ? {} : { canary }) });
const controller = (namespace: string) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
});
const late = { apply: (transform: (value: string) => unknown): unknown => transform('noodle.example.com') };

describe('a Gateway of its own', () => {
  const chart = freshChart();
  const api = service(chart);
  const ingress = new TlsIngress(chart, 'edge', {
    certificate,
    backend,
    securityHeaders: SecurityHeaders.of({ 'X-Frame-Options': 'DENY' }),
    routes: [
      { host: 'a.example.com', path: '/v1', to: api },
      { host: late, to: api },
      { host: 'a.example.com', to: api },
    ],
  });
  const token = LateTokens.of(chart).asString(chart, late);

  test('has one listener for HTTP and one for each host, with the certificate', () => {
    const allowedRoutes = { namespaces: { from: 'Same' } };
    const https = {
      ...{ port: 443, protocol: 'HTTPS', allowedRoutes },
      tls: { mode: 'Terminate', certificateRefs: [{ name: 'edge-tls' }] },
    };
    expect(find(chart, GATEWAY, 'edge').spec).toEqual({
      gatewayClassName: 'envoy',
      listeners: [
        { name: 'http', port: 80, protocol: 'HTTP', allowedRoutes },
        { name: 'https-a.example.com', hostname: 'a.example.com', ...https },
        { name: 'https-late-1', hostname: token, ...https },
      ],
    });
    expect(find(chart, 'cert-manager.io/v1/Certificate', 'edge').spec.dnsNames).toEqual(['a.example.com', token]);
  });

  test('has a route for each host, on its listener alone, with headers, time and every path', () => {
    const set = [
      { name: 'Strict-Transport-Security', value: 'max-age=31536000; includeSubDomains' },
      { name: 'X-Frame-Options', value: 'DENY' },
    ];
    const rule = (value: string) => ({
      matches: [{ path: { type: 'PathPrefix', value } }],
      filters: [{ type: 'ResponseHeaderModifier', responseHeaderModifier: { set } }],
      timeouts: { request: '60s' },
      backendRefs: [{ name: 'api-service', port: 80, weight: 1 }],
    });
    expect(find(chart, ROUTE, 'edge-a.example.com').spec).toEqual({
      parentRefs: [{ name: 'edge', sectionName: 'https-a.example.com' }],
      hostnames: ['a.example.com'],
      rules: [rule('/v1'), rule('/')],
    });
    expect(find(chart, ROUTE, 'edge-late-1').spec).toEqual({
      parentRefs: [{ name: 'edge', sectionName: 'https-late-1' }],
      hostnames: [token],
      rules: [rule('/')],
    });
  });

  test('redirects on the HTTP listener alone', () => {
    expect(find(chart, ROUTE, 'edge-redirect').spec).toEqual({
      parentRefs: [{ name: 'edge', sectionName: 'http' }],
      hostnames: ['a.example.com', token],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          filters: [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https', statusCode: 301 } }],
        },
      ],
    });
  });

  test('is all there is, and its proxies alone may come in', () => {
    expect(inventory(chart).filter((name) => /Ingress|Gateway|Route|Grant/.test(name))).toEqual([
      'Gateway/edge',
      'HTTPRoute/edge-a.example.com',
      'HTTPRoute/edge-late-1',
      'HTTPRoute/edge-redirect',
    ]);
    const from = [controller('envoy-gateway-system')];
    expect(find(chart, POLICY, 'api').spec.ingress).toEqual([{ from, ports: [{ protocol: 'TCP', port: 8080 }] }]);
    expect(find(chart, POLICY, 'edge-acme').spec.ingress).toEqual([{ from, ports: [{ protocol: 'TCP', port: 8089 }] }]);
    expect(ingress.peer).toEqual(controller('envoy-gateway-system'));
  });

  test('serves plain HTTP too where nothing is redirected, on the ports that are asked for', () => {
    const other = freshChart();
    new TlsIngress(other, 'edge', {
      ...{ certificate, redirectHttp: false, hsts: Hsts.off() },
      backend: IngressBackend.gateway({ ...options, httpPort: 8000, httpsPort: 8443 }),
      routes: [{ host: 'b.example.com', to: service(other) }],
    });
    const { parentRefs, rules } = find(other, ROUTE).spec;
    expect(parentRefs).toEqual([
      { name: 'edge', sectionName: 'https-b.example.com' },
      { name: 'edge', sectionName: 'http' },
    ]);
    expect(rules?.[0]).not.toHaveProperty('filters');
    expect(find(other, GATEWAY).spec.listeners.map(({ port }) => port)).toEqual([8000, 8443]);
  });
});

describe('a Gateway that somebody else owns', () => {
  const chart = freshChart();
  const shared = { gatewayName: 'public', controller: { namespace: 'gw', podLabels: { app: 'proxy' } } };
  new TlsIngress(chart, 'edge', {
    certificate: Certificate.ofController(),
    backend: IngressBackend.sharedGateway({ ...shared, gatewayNamespace: 'infra', httpsListener: 'tls' }),
    routes: [{ host: 'a.example.com', to: service(chart) }],
  });

  test('gets routes and nothing else', () => {
    const parent = (sectionName: string) => [{ name: 'public', namespace: 'infra', sectionName }];
    expect(find(chart, ROUTE, 'edge-a.example.com').spec.parentRefs).toEqual(parent('tls'));
    expect(find(chart, ROUTE, 'edge-redirect').spec.parentRefs).toEqual(parent('http'));
    expect(all(chart, GATEWAY)).toEqual([]);
  });

  test('keeps its certificates', () => {
    const other = freshChart();
    const props = { certificate, backend: IngressBackend.sharedGateway(shared) };
    expect(problemsOf(() => new TlsIngress(other, 'edge', props))).toEqual([
      'certificate: a Gateway that somebody else owns has its own; use Certificate.ofController()',
    ]);
  });
});

describe('both at once', () => {
  const chart = freshChart();
  new TlsIngress(chart, 'edge', {
    certificate: Certificate.issuedBy('own', { issuerKind: IssuerKind.ISSUER, renewBefore: Duration.days(10) }),
    backend: IngressBackend.both(options),
    routes: [{ host: 'a.example.com', to: service(chart) }],
  });

  test('share one certificate', () => {
    expect(inventory(chart).filter((name) => /^(Ingress|Gateway|HTTPRoute|Certificate)/.test(name))).toEqual([
      'Certificate/edge',
      'Gateway/edge',
      'HTTPRoute/edge-a.example.com',
      'HTTPRoute/edge-redirect',
      'Ingress/edge',
    ]);
    const { issuerRef, renewBefore } = find(chart, 'cert-manager.io/v1/Certificate').spec;
    expect([issuerRef.kind, renewBefore]).toEqual(['Issuer', '864000s']);
    expect(find(chart, 'networking.k8s.io/v1/Ingress').spec.tls?.[0]?.secretName).toBe('edge-tls');
    expect(find(chart, GATEWAY).spec.listeners[1]?.tls?.certificateRefs).toEqual([{ name: 'edge-tls' }]);
  });

  test('may both come in', () => {
    const from = find(chart, POLICY, 'api').spec.ingress?.flatMap((rule) => rule.from ?? []);
    expect(from?.map((peer) => peer.namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name'])).toEqual([
      'ingress-nginx',
      'envoy-gateway-system',
    ]);
  });
});

describe('other namespaces', () => {
  test('let a Gateway read a certificate, by a grant that is put there', () => {
    const chart = freshChart();
    const routes = [{ host: 'a.trellis.localhost', to: service(chart) }];
    new TlsIngress(chart, 'edge', { certificate: Certificate.localCa(), backend, routes });
    const { metadata, spec } = find(chart, GRANT);
    expect(metadata).toMatchObject({ namespace: 'ingress', name: 'shop-edge-secret-default-certificate' });
    expect(spec).toEqual({
      from: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'shop' }],
      to: [{ group: '', kind: 'Secret', name: 'default-certificate' }],
    });
    expect(find(chart, GATEWAY).spec.listeners[1]?.tls?.certificateRefs).toEqual([
      { name: 'default-certificate', namespace: 'ingress' },
    ]);
  });

  test('let routes reach a service and its canary', () => {
    const app = new App();
    const elsewhere = freshChart('elsewhere', app);
    const to = service(elsewhere, 'api', Canary.ofImage(IMAGE, { weight: 20 }));
    const chart = freshChart('shop', app);
    const routes = ['/', '/v1'].map((path) => ({ host: 'a.example.com', path, to }));
    new TlsIngress(chart, 'edge', { certificate, backend, routes });
    expect(all(chart, GRANT).map(({ metadata, spec }) => [metadata.namespace, spec.to[0]?.name])).toEqual([
      ['elsewhere', 'api-service'],
      ['elsewhere', 'api-canary-service'],
    ]);
    expect(find(chart, ROUTE, 'edge-a.example.com').spec.rules?.[0]?.backendRefs).toEqual([
      { name: 'api-service', namespace: 'elsewhere', port: 80, weight: 80 },
      { name: 'api-canary-service', namespace: 'elsewhere', port: 80, weight: 20 },
    ]);
  });

  test('are out of reach of an Ingress', () => {
    const given = Certificate.fromSecret('wildcard', { namespace: 'infra' });
    expect(problemsOf(() => new TlsIngress(freshChart(), 'edge', { certificate: given }))).toEqual([
      "certificate: an Ingress takes its Secret from its own namespace, not from 'infra'",
    ]);
  });
});

describe('a canary', () => {
  const chart = freshChart();
  const api = service(chart, 'api', Canary.ofImage(IMAGE, { weight: 25 }));
  new TlsIngress(chart, 'edge', {
    certificate,
    backend: IngressBackend.both(options),
    routes: [
      { host: 'a.example.com', path: '/v1', to: api },
      { host: 'b.example.com', to: api },
      { host: 'b.example.com', path: '/other', to: service(chart, 'other') },
    ],
  });

  test('has one Ingress beside the other, with its share of every route to the service', () => {
    const { metadata, spec } = find(chart, 'networking.k8s.io/v1/Ingress', 'edge-api-canary-service');
    expect(metadata.annotations).toEqual({
      'nginx.ingress.kubernetes.io/canary': 'true',
      'nginx.ingress.kubernetes.io/canary-weight': '25',
    });
    const http = (path: string) => ({
      paths: [{ path, pathType: 'Prefix', backend: { service: { name: 'api-canary-service', port: { number: 80 } } } }],
    });
    expect(spec).toEqual({
      ingressClassName: 'nginx',
      rules: [
        { host: 'a.example.com', http: http('/v1') },
        { host: 'b.example.com', http: http('/') },
      ],
    });
    expect(all(chart, 'networking.k8s.io/v1/Ingress')).toHaveLength(2);
  });

  test('has its weight on the route', () => {
    expect(find(chart, ROUTE, 'edge-a.example.com').spec.rules?.[0]?.backendRefs).toEqual([
      { name: 'api-service', port: 80, weight: 75 },
      { name: 'api-canary-service', port: 80, weight: 25 },
    ]);
  });
});
