import { App, Duration, Size } from 'cdk8s';
import type { ApiObject, Chart } from 'cdk8s';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { Certificate } from '../../../components/certificate';
import { externalObjects } from '../../../components/external';
import { LateTokens } from '../../../components/late';
import { IngressBackend } from '../../../components/ingress-backend';
import { Hsts, LossPolicy, RateLimit, SecurityHeaders } from '../../../components/ingress-options';
import type { TlsIngressProps } from '../../../components/tls-ingress';
import { TlsIngress } from '../../../components/tls-ingress';
import { IMAGE, all, find, freshChart, problemsOf } from '../../support/service-props';

const INGRESS = 'networking.k8s.io/v1/Ingress';
const POLICY = 'networking.k8s.io/v1/NetworkPolicy';
const NGINX = 'nginx.ingress.kubernetes.io';
const certificate = Certificate.issuedBy('letsencrypt-prod');
const service = (chart: Chart, id = 'api', longest = 30): AutoscaledService =>
  new AutoscaledService(chart, id, {
    image: IMAGE,
    lifecycle: { longestRequest: Duration.seconds(longest) },
  });
const backend = (name: string, path = '/') => ({
  path,
  pathType: 'Prefix',
  backend: { service: { name, port: { number: 80 } } },
});
const late = { apply: (transform: (value: string) => unknown): unknown => transform('noodle.example.com') };

describe('with a certificate and a route', () => {
  const chart = freshChart();
  const api = service(chart);
  const ingress = new TlsIngress(chart, 'public', { certificate, routes: [{ host: 'api.example.com', to: api }] });

  test('every host has TLS, and HTTP is redirected', () => {
    const { metadata, spec } = find(chart, INGRESS, 'public');
    expect(spec).toEqual({
      ingressClassName: 'nginx',
      tls: [{ hosts: ['api.example.com'], secretName: 'public-tls' }],
      rules: [{ host: 'api.example.com', http: { paths: [backend('api-service')] } }],
    });
    expect(metadata.annotations).toEqual({
      [`${NGINX}/ssl-redirect`]: 'true',
      [`${NGINX}/force-ssl-redirect`]: 'true',
      [`${NGINX}/proxy-read-timeout`]: '60',
      [`${NGINX}/proxy-send-timeout`]: '60',
      [`${NGINX}/proxy-body-size`]: '1m',
    });
  });

  test('its certificate names the host, and gets a new key each time', () => {
    expect(find(chart, 'cert-manager.io/v1/Certificate', 'public').spec).toEqual({
      secretName: 'public-tls',
      dnsNames: ['api.example.com'],
      issuerRef: { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'letsencrypt-prod' },
      privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
      renewBefore: '2592000s',
    });
  });

  test('the controller alone may reach the service, and the solver of a challenge', () => {
    const controller = {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } },
      podSelector: {
        matchLabels: { 'app.kubernetes.io/name': 'ingress-nginx', 'app.kubernetes.io/component': 'controller' },
      },
    };
    expect(find(chart, POLICY, 'api').spec.ingress).toEqual([
      { from: [controller], ports: [{ protocol: 'TCP', port: 8080 }] },
    ]);
    expect(find(chart, POLICY, 'public-acme').spec).toEqual({
      podSelector: { matchExpressions: [{ key: 'acme.cert-manager.io/http01-solver', operator: 'Exists' }] },
      policyTypes: ['Ingress'],
      ingress: [{ from: [controller], ports: [{ protocol: 'TCP', port: 8089 }] }],
    });
  });

  test('it comes after the service', () => {
    expect(ingress.node.dependencies.map(({ node }) => node.path)).toEqual([api.node.path]);
  });
});

describe('with every prop', () => {
  const chart = freshChart();
  const api = service(chart);
  const props: Required<TlsIngressProps> = {
    certificate: Certificate.fromPem({
      cert: '-----BEGIN CERTIFICATE-----\nMIIB',
      key: '-----BEGIN EC PRIVATE KEY-----\nMHcC',
    }),
    name: 'edge',
    backend: IngressBackend.nginx({ gzip: true, allowedResponseHeaders: ['X-Frame-Options'], hsts: Hsts.off() }),
    className: 'traefik',
    routes: [
      { host: 'b.example.com', path: '/v1', to: api },
      { host: late, to: api },
      { host: '*.example.com', to: api },
      { host: 'b.example.com', path: '/v2/x.y', to: api },
    ],
    redirectHttp: false,
    hsts: Hsts.off(),
    securityHeaders: SecurityHeaders.of({ 'X-Frame-Options': 'DENY' }),
    gzip: true,
    rateLimit: RateLimit.perClient({ requestsPerSecond: 20, burstMultiplier: 3, connections: 10 }),
    streaming: true,
    losses: LossPolicy.REFUSE,
    secretName: 'edge-certificate',
    controller: { namespace: 'traefik' },
    maxBodySize: Size.kibibytes(1536),
    readTimeout: Duration.minutes(10),
    labels: { team: 'edge' },
  };
  const ingress = new TlsIngress(chart, 'public', props);

  test('routes are grouped by host, late hosts included', () => {
    const token = LateTokens.of(chart).asString(chart, late);
    const { metadata, spec } = find(chart, INGRESS, 'edge');
    expect(metadata.labels).toEqual({ team: 'edge' });
    expect(spec.ingressClassName).toBe('traefik');
    expect(spec.tls).toEqual([{ hosts: ['b.example.com', token, '*.example.com'], secretName: 'edge-certificate' }]);
    expect(spec.rules).toEqual([
      { host: 'b.example.com', http: { paths: [backend('api-service', '/v1'), backend('api-service', '/v2/x.y')] } },
      { host: token, http: { paths: [backend('api-service')] } },
      { host: '*.example.com', http: { paths: [backend('api-service')] } },
    ]);
    expect(ingress.hosts).toEqual(['b.example.com', token, '*.example.com']);
  });

  test('the annotations follow the props', () => {
    expect(find(chart, INGRESS).metadata.annotations).toEqual({
      [`${NGINX}/ssl-redirect`]: 'false',
      [`${NGINX}/force-ssl-redirect`]: 'false',
      [`${NGINX}/proxy-read-timeout`]: '600',
      [`${NGINX}/proxy-send-timeout`]: '600',
      [`${NGINX}/proxy-body-size`]: '1536k',
      [`${NGINX}/proxy-buffering`]: 'off',
      [`${NGINX}/proxy-request-buffering`]: 'off',
      [`${NGINX}/limit-rps`]: '20',
      [`${NGINX}/limit-burst-multiplier`]: '3',
      [`${NGINX}/limit-connections`]: '10',
      [`${NGINX}/custom-headers`]: 'shop/edge-headers',
    });
    expect(find(chart, 'v1/ConfigMap', 'edge-headers').data).toEqual({ 'X-Frame-Options': 'DENY' });
    expect(ingress.losses).toEqual([]);
  });

  test('the key is in the Secret, and only as a secret token', () => {
    const { stringData, type } = find(chart, 'v1/Secret', 'edge-certificate');
    expect(type).toBe('kubernetes.io/tls');
    expect(stringData['tls.crt']).toBe('-----BEGIN CERTIFICATE-----\nMIIB');
    const key = LateTokens.of(chart).lookup(stringData['tls.key'] ?? '');
    expect(key).toMatchObject({ secret: true, value: '-----BEGIN EC PRIVATE KEY-----\nMHcC' });
    expect(JSON.stringify(chart.toJson())).not.toContain('MHcC');
  });

  test('every pod of the controller’s namespace may come in, once', () => {
    expect(find(chart, POLICY).spec.ingress).toEqual([
      {
        from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'traefik' } } }],
        ports: [{ protocol: 'TCP', port: 8080 }],
      },
    ]);
  });
});

describe('certificates', () => {
  const synth = (of: Certificate): Chart => {
    const chart = freshChart();
    new TlsIngress(chart, 'public', { certificate: of, routes: [{ host: 'a.example.com', to: service(chart) }] });
    return chart;
  };

  test('of the controller has TLS without a Secret', () => {
    const chart = synth(Certificate.ofController());
    expect(find(chart, INGRESS).spec.tls).toEqual([{ hosts: ['a.example.com'] }]);
    expect(all(chart, POLICY)).toHaveLength(1);
  });

  test('from a Secret refers to it', () => {
    const chart = synth(Certificate.fromSecret('wildcard'));
    expect(find(chart, INGRESS).spec.tls).toEqual([{ hosts: ['a.example.com'], secretName: 'wildcard' }]);
    expect(all(chart, 'v1/Secret')).toEqual([]);
    expect(externalObjects(chart)).toEqual([{ kind: 'Secret', name: 'wildcard' }]);
  });
});

describe('routes added later', () => {
  test('count, and lengthen the wait for an answer', () => {
    const chart = freshChart();
    const ingress = new TlsIngress(chart, 'public', { certificate });
    ingress.addRoute({ host: 'a.example.com', to: service(chart, 'slow', 300) });
    ingress.addRoute({ host: 'b.example.com', to: service(chart, 'quick') });
    expect(ingress.hosts).toEqual(['a.example.com', 'b.example.com']);
    expect(find(chart, INGRESS).metadata.annotations?.[`${NGINX}/proxy-read-timeout`]).toBe('300');
  });

  test('that are refused leave nothing behind', () => {
    const chart = freshChart();
    const api = service(chart);
    const ingress = new TlsIngress(chart, 'public', { certificate, routes: [{ host: 'a.example.com', to: api }] });
    expect(problemsOf(() => ingress.addRoute({ host: 'a.example.com', path: '/', to: api }))).toEqual([
      'route a.example.com/ is there twice',
    ]);
    expect(problemsOf(() => ingress.addRoute({ host: 'A!', to: api }))).toHaveLength(1);
    expect(ingress.hosts).toEqual(['a.example.com']);
  });

  test('are needed by synth, whichever way it is rendered', () => {
    const chart = freshChart();
    const ingress = new TlsIngress(chart, 'public', { certificate: Certificate.ofController() });
    expect(() => chart.toJson() as unknown).toThrow(/\[chart-shop\/public\] an ingress needs at least one route/);
    const object = ingress.node.findChild('Ingress') as ApiObject;
    expect(() => object.toJson() as unknown).toThrow(/ValidationError: chart-shop\/public: an ingress needs at least/);
    expect(ingress.hosts).toEqual([]);
  });
});

describe('refused', () => {
  const problems = (props: Partial<TlsIngressProps>, id = 'public'): readonly string[] => {
    const chart = freshChart();
    return problemsOf(() => new TlsIngress(chart, id, { certificate, ...props }));
  };
  const route = (extra: object): Partial<TlsIngressProps> => ({
    routes: [{ host: 'a.example.com', to: service(freshChart()), ...extra }],
  });
  const pem = { cert: '-----BEGIN CERTIFICATE-----\nx', key: '-----BEGIN PRIVATE KEY-----\ncanary' };

  test.each<readonly [string, Partial<TlsIngressProps>, string]>([
    ['a host with an underscore', route({ host: 'bad_host..com' }), 'route host must be a lower-case host name'],
    ['a path without slash', route({ path: 'foo' }), "route path must start with '/', hold letters"],
    ['a path with a query', route({ path: '/a?b' }), "got '/a?b'"],
    ['a double slash', route({ path: '/a//b' }), "got '/a//b'"],
    ['a path that leads up', route({ path: '/a/../b' }), "got '/a/../b'"],
    ['a path that leads nowhere', route({ path: '/a/.' }), "got '/a/.'"],
    ['a bad name', { name: 'a_b' }, 'name must be an RFC 1123 label'],
    ['a name too long for its policy', { name: 'a'.repeat(59) }, 'at most 58 characters'],
    ['a bad class', { className: 'Nginx' }, 'className must be an RFC 1123 subdomain'],
    ['a bad namespace', { controller: { namespace: 'Dev_Env' } }, 'controller.namespace must be an RFC 1123 label'],
    ['a bad label', { labels: { a: 'x y!' } }, "labels['a'] must be a label value"],
    ['an empty issuer', { certificate: Certificate.issuedBy('') }, 'certificate: clusterIssuer must be'],
    ['a bad Secret', { certificate: Certificate.fromSecret('a b') }, 'certificate: Secret must be'],
    ['a Secret name twice', { certificate: Certificate.fromSecret('a'), secretName: 'b' }, 'this one has its own'],
    ['a Secret name for none', { certificate: Certificate.ofController(), secretName: 'b' }, 'secretName names'],
    ['a body of no size', { maxBodySize: Size.mebibytes(Number.NaN) }, 'maxBodySize must be a size of at least 1'],
    ['no time to answer', { readTimeout: Duration.seconds(0) }, 'readTimeout in seconds must be a whole number from 1'],
    [
      'a certificate that is none',
      { certificate: Certificate.fromPem({ ...pem, cert: 'MIIB' }) },
      'certificate: cert must be PEM text',
    ],
  ])('%s', (_, props, expected) => {
    expect(problems(props)).toEqual([expect.stringContaining(expected)]);
  });

  test('a key that is none, without showing it', () => {
    const [problem] = problems({ certificate: Certificate.fromPem({ ...pem, key: 'canary' }) });
    expect(problem).toContain('certificate: key must be PEM text');
    expect(problem).not.toContain('canary');
  });

  test('a service of another namespace', () => {
    const app = new App();
    const api = service(freshChart('elsewhere', app));
    const build = (): unknown =>
      new TlsIngress(freshChart('shop', app), 'public', { certificate, routes: [{ host: 'a.b', to: api }] });
    expect(problemsOf(build)).toEqual([
      "route a.b/ leads to chart-elsewhere/api in namespace 'elsewhere'; an Ingress reaches Services of its own, 'shop'",
    ]);
  });

  test('two problems at once, and a route twice in one go', () => {
    const api = service(freshChart());
    const twice = { host: 'a.example.com', to: api };
    expect(problems({ name: 'A', routes: [twice, twice] })).toEqual([
      expect.stringContaining('name must be'),
      'route a.example.com/ is there twice',
    ]);
  });
});
