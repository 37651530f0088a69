import { Duration, Size } from 'cdk8s';
import type { Chart } from 'cdk8s';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { Certificate } from '../../../components/certificate';
import { IngressBackend } from '../../../components/ingress-backend';
import type { GatewayOptions } from '../../../components/ingress-backend';
import { Hsts, IngressFeature, LossPolicy, RateLimit, SecurityHeaders } from '../../../components/ingress-options';
import type { TlsIngressProps } from '../../../components/tls-ingress';
import { TlsIngress } from '../../../components/tls-ingress';
import { IMAGE, find, freshChart, problemsOf } from '../../support/service-props';

const ROUTE = 'gateway.networking.k8s.io/v1/HTTPRoute';
const certificate = Certificate.issuedBy('letsencrypt');
const options: GatewayOptions = { gatewayClass: 'envoy', controller: { namespace: 'envoy-gateway-system' } };
const backend = IngressBackend.gateway(options);
const service = (chart: Chart): AutoscaledService => new AutoscaledService(chart, 'api', { image: IMAGE });

describe('what a back end cannot do', () => {
  const asked: Partial<TlsIngressProps> = {
    hsts: Hsts.of({ maxAge: Duration.days(1), includeSubdomains: false }),
    securityHeaders: SecurityHeaders.recommended(),
    gzip: true,
    rateLimit: RateLimit.perClient({ requestsPerSecond: 5 }),
    maxBodySize: Size.mebibytes(8),
  };
  const lost = (props: Partial<TlsIngressProps>): readonly string[] => {
    const chart = freshChart();
    const routes = [{ host: 'a.example.com', to: service(chart) }];
    const { losses } = new TlsIngress(chart, 'edge', { certificate, routes, losses: LossPolicy.LIST, ...props });
    return losses.map(({ backend: where, feature }) => `${where} ${feature}`);
  };

  test('is refused, each by itself, with what would help', () => {
    expect(problemsOf(() => new TlsIngress(freshChart(), 'edge', { certificate, ...asked }))).toEqual([
      expect.stringMatching(/^hsts: not on nginx: .*sends 'max-age=31536000; includeSubDomains'; say in backend\.hsts/),
      expect.stringMatching(
        /^securityHeaders: not on nginx: .*Referrer-Policy, X-Content-Type-Options, X-Frame-Options;/,
      ),
      expect.stringMatching(/^gzip: not on nginx: .*backend\.gzip that it is on; or set losses to LossPolicy\.LIST$/),
    ]);
    expect(problemsOf(() => new TlsIngress(freshChart(), 'edge', { certificate, backend, ...asked }))).toEqual([
      expect.stringMatching(/^gzip: not on gateway: the Gateway API has no field/),
      expect.stringMatching(/^rateLimit: not on gateway: /),
      expect.stringMatching(/^maxBodySize: not on gateway: .*backend\.extensions/),
    ]);
  });

  test('is listed where the props say so', () => {
    const nginx = ['nginx hsts', 'nginx securityHeaders', 'nginx gzip'];
    const gateway = ['gateway gzip', 'gateway rateLimit', 'gateway maxBodySize'];
    expect(lost(asked)).toEqual(nginx);
    expect(lost({ ...asked, backend })).toEqual(gateway);
    expect(lost({ ...asked, backend: IngressBackend.both(options) })).toEqual([...nginx, ...gateway]);
    expect(lost({})).toEqual([]);
  });

  test('is no loss where the ConfigMap of ingress-nginx does it', () => {
    const headers = ['Strict-Transport-Security', 'X-Content-Type-Options', 'X-Frame-Options', 'Referrer-Policy'];
    const nginx = { gzip: true, allowedResponseHeaders: headers, hsts: Hsts.off() };
    expect(lost({ ...asked, backend: IngressBackend.nginx(nginx) })).toEqual([]);
    // It compares the names exactly.
    const lowerCase = { ...nginx, allowedResponseHeaders: headers.map((name) => name.toLowerCase()) };
    expect(lost({ ...asked, backend: IngressBackend.nginx(lowerCase) })).not.toEqual([]);
    expect(lost({ ...asked, hsts: Hsts.off(), backend: IngressBackend.nginx(nginx) })).toEqual([]);
    // Where the controller sends one of its own, a second header would contradict it.
    expect(lost({ ...asked, backend: IngressBackend.nginx({ ...nginx, hsts: Hsts.standard() }) })).toEqual([
      'nginx hsts',
    ]);
  });

  test("is no loss where the Gateway's vendor has a filter, which is on every route", () => {
    const covers = [IngressFeature.GZIP, IngressFeature.RATE_LIMIT, IngressFeature.BODY_SIZE];
    const extension = { covers, group: 'traefik.io', kind: 'Middleware', name: 'edge' };
    const chart = freshChart();
    new TlsIngress(chart, 'edge', {
      ...{ certificate, ...asked },
      backend: IngressBackend.gateway({ ...options, extensions: [extension] }),
      routes: [{ host: 'a.example.com', to: service(chart) }],
    });
    expect(find(chart, ROUTE, 'edge-a.example.com').spec.rules?.[0]?.filters?.[1]).toEqual({
      type: 'ExtensionRef',
      extensionRef: { group: 'traefik.io', kind: 'Middleware', name: 'edge' },
    });
  });
});

describe('refused', () => {
  const problems = (props: Partial<TlsIngressProps>): readonly string[] =>
    problemsOf(() => new TlsIngress(freshChart(), 'edge', { certificate, ...props }));
  const gateway = (more: object): Partial<TlsIngressProps> => ({
    backend: IngressBackend.gateway({ ...options, ...more }),
  });
  const headers = (values: Record<string, string>): Partial<TlsIngressProps> => ({
    securityHeaders: SecurityHeaders.of(values),
    losses: LossPolicy.LIST,
  });
  const limit = (more: object): Partial<TlsIngressProps> => ({
    rateLimit: RateLimit.perClient({ requestsPerSecond: 1, ...more }),
  });
  const route = (host: string, path = '/') => ({ host, path, to: service(freshChart()) });
  const many = Array.from({ length: 17 }, (_, index) => index);

  test.each<readonly [string, Partial<TlsIngressProps>, string]>([
    ['a bad class', gateway({ gatewayClass: 'Envoy' }), 'backend.gatewayClass must be'],
    ['a bad controller', gateway({ controller: { namespace: 'A' } }), 'backend.controller.namespace must be'],
    ['a bad label', gateway({ controller: { namespace: 'a', podLabels: { a: 'x y' } } }), "podLabels['a'] must be"],
    ['no port', gateway({ httpPort: 0 }), 'backend.httpPort must be a whole number from 1'],
    ['one port for both', gateway({ httpPort: 443 }), 'backend.httpPort and httpsPort must differ, both are 443'],
    [
      'an extension for nothing',
      gateway({ extensions: [{ covers: [], group: 'a.b', kind: 'K', name: 'n' }] }),
      'K n must cover something',
    ],
    [
      'an extension of a bad kind',
      gateway({ extensions: [{ covers: [IngressFeature.GZIP], group: 'a.b', kind: 'k-', name: 'n' }] }),
      "'k-' is not a kind",
    ],
    [
      'a bad Gateway',
      {
        certificate: Certificate.ofController(),
        backend: IngressBackend.sharedGateway({ gatewayName: 'A', controller: options.controller }),
      },
      'backend.gatewayName must be',
    ],
    [
      'a Gateway without a Secret',
      { certificate: Certificate.ofController(), backend },
      'certificate: a Gateway must name its Secret',
    ],
    ['a header that is none', headers({ 'a b': 'c' }), "securityHeaders: 'a b' is not the name of a header"],
    ['a header of two lines', headers({ a: 'b\nc' }), 'securityHeaders: a must be one line of ASCII'],
    ['a header twice', headers({ a: 'b', A: 'c' }), 'securityHeaders: a header is there twice'],
    ['HSTS as a header', headers({ 'strict-transport-security': 'max-age=1' }), 'is the prop hsts'],
    [
      'an allowed header that is none',
      { backend: IngressBackend.nginx({ allowedResponseHeaders: ['a:'] }) },
      "backend.allowedResponseHeaders: 'a:' is not",
    ],
    ['a limit of nothing', limit({ requestsPerSecond: 0 }), 'rateLimit.requestsPerSecond must be'],
    ['half a burst', limit({ burstMultiplier: 0.5 }), 'rateLimit.burstMultiplier must be'],
    ['no connection', limit({ connections: 0 }), 'rateLimit.connections must be'],
    [
      'preload for a day',
      { hsts: Hsts.of({ maxAge: Duration.days(1), preload: true }), losses: LossPolicy.LIST },
      'hsts.preload needs includeSubdomains',
    ],
    [
      'a renewal at the last minute',
      { certificate: Certificate.issuedBy('a', { renewBefore: Duration.minutes(4) }) },
      'renewBefore in seconds must be a whole number from 300',
    ],
    ['a wildcard to be issued', { routes: [route('*.example.com')] }, 'no certificate is issued for a wildcard'],
    [
      'more paths than a route holds',
      { backend: IngressBackend.gateway(options), routes: many.map((index) => route('a.example.com', `/${index}`)) },
      'route a.example.com/16: a HTTPRoute holds 16 hosts and 16 paths at most',
    ],
    [
      'more hosts than a route holds',
      { backend: IngressBackend.gateway(options), routes: many.map((index) => route(`h${index}.example.com`)) },
      'route h16.example.com/: a HTTPRoute holds 16 hosts',
    ],
  ])('%s', (_, props, expected) => {
    expect(problems(props)).toEqual([expect.stringContaining(expected)]);
  });

  test('a Gateway without routes, at synth', () => {
    const chart = freshChart();
    new TlsIngress(chart, 'edge', { certificate: Certificate.localCa(), backend });
    expect(() => chart.toJson() as unknown).toThrow(/an ingress needs at least one route/);
  });
});
