import { ApiObject, App, Chart, Duration, Size } from 'cdk8s';
import * as fc from 'fast-check';

import { AutoscaledService } from '../../components/autoscaled-service';
import { Canary } from '../../components/canary';
import { Certificate, IssuerKind } from '../../components/certificate';
import { IngressBackend } from '../../components/ingress-backend';
import { Hsts, IngressFeature, LossPolicy, RateLimit, SecurityHeaders } from '../../components/ingress-options';
import type { TlsIngressProps } from '../../components/tls-ingress';
import { TlsIngress } from '../../components/tls-ingress';
import { Admission, ADMISSION_NAMESPACE } from '../support/admission';
import { IMAGE } from '../support/service-props';

jest.setTimeout(300_000);

const controller = { namespace: 'ingress', podLabels: { app: 'proxy' } };
const port = fc.integer({ min: 1, max: 65_534 });
const nginx = fc.record({
  gzip: fc.boolean(),
  hsts: fc.constantFrom(Hsts.standard(), Hsts.off()),
  allowedResponseHeaders: fc.constantFrom([], ['X-Frame-Options', 'Strict-Transport-Security']),
});
const extension = { covers: [IngressFeature.GZIP], group: 'traefik.io', kind: 'Middleware', name: 'edge' };
const gateway = fc.record(
  {
    gatewayClass: fc.constant('traefik'),
    controller: fc.constant(controller),
    httpPort: port,
    httpsPort: fc.constant(65_535),
    extensions: fc.constantFrom([], [extension]),
  },
  { requiredKeys: ['gatewayClass', 'controller'] },
);
const backend = fc.oneof(
  nginx.map((options) => IngressBackend.nginx(options)),
  gateway.map((options) => IngressBackend.gateway(options)),
  fc.tuple(gateway, nginx).map(([one, other]) => IngressBackend.both(one, other)),
);
const certificate = fc.oneof(
  fc
    .record({ issuerKind: fc.constantFrom(...Object.values(IssuerKind)), days: fc.integer({ min: 1, max: 90 }) })
    .map(({ issuerKind, days }) => Certificate.issuedBy('issuer', { issuerKind, renewBefore: Duration.days(days) })),
  fc.constant(Certificate.fromSecret('given')),
  // Another namespace that every API server has: the grant goes there.
  fc.constant(Certificate.ofController({ name: 'default-certificate', namespace: 'default' })),
);
const label = fc.stringMatching(/^[a-z]([-a-z0-9]{0,20}[a-z0-9])?$/);
const hosts = fc.uniqueArray(
  fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.')),
  { minLength: 1, maxLength: 16 },
);
const paths = fc.uniqueArray(fc.stringMatching(/^(\/[\w.-]{0,11}[\w-]){1,3}$/), { minLength: 1, maxLength: 16 });
const hsts = fc.oneof(
  fc.constant(Hsts.off()),
  fc
    .record({ days: fc.integer({ min: 0, max: 730 }), includeSubdomains: fc.boolean() })
    .map(({ days, includeSubdomains }) => Hsts.of({ maxAge: Duration.days(days), includeSubdomains })),
);
const headers = fc
  .dictionary(fc.stringMatching(/^X-[A-Za-z0-9-]{1,30}$/), fc.stringMatching(/^[\x21-\x7e][\x20-\x7e]{0,60}$/), {
    maxKeys: 7,
  })
  .filter(
    (values) => new Set(Object.keys(values).map((name) => name.toLowerCase())).size === Object.keys(values).length,
  )
  .map((values) => SecurityHeaders.of({ ...values, 'X-Frame-Options': 'DENY' }));
const rateLimit = fc
  .record({ requestsPerSecond: fc.integer({ min: 1, max: 100_000 }), connections: fc.integer({ min: 1, max: 1000 }) })
  .map((options) => RateLimit.perClient(options));

/** Everything that the rules let through. */
const props: fc.Arbitrary<Omit<TlsIngressProps, 'certificate'>> = fc.record(
  {
    name: fc.stringMatching(/^[a-z]([-a-z0-9]{0,56}[a-z0-9])?$/),
    backend,
    className: label,
    redirectHttp: fc.boolean(),
    hsts,
    securityHeaders: headers,
    gzip: fc.boolean(),
    rateLimit,
    streaming: fc.boolean(),
    controller: fc.constant(controller),
    maxBodySize: fc.integer({ min: 1, max: 1 << 20 }).map((amount) => Size.kibibytes(amount)),
    readTimeout: fc.integer({ min: 1, max: 86_400 }).map((amount) => Duration.seconds(amount)),
    labels: fc.constant({ 'example.com/team': 'edge' }),
  },
  { requiredKeys: [] },
);

describe('whatever the rules of TlsIngress let through,', () => {
  let admission: Admission;
  beforeAll(async () => {
    admission = await Admission.start();
  });
  afterAll(() => admission.destroy());
  const freshChart = (): Chart => new Chart(new App(), 'chart', { namespace: ADMISSION_NAMESPACE });

  test('a real API server admits on both back ends, strictly', async () => {
    const weight = fc.integer({ min: 0, max: 100 });
    const run = async (
      given: Omit<TlsIngressProps, 'certificate'>,
      of: Certificate,
      ...rest: [string[], string[], number]
    ) => {
      const [names, prefixes, share] = rest;
      const chart = freshChart();
      const one = { image: IMAGE, minReplicas: 2, maxReplicas: 4 };
      const to = new AutoscaledService(chart, 'web', { ...one, canary: Canary.ofImage(IMAGE, { weight: share }) });
      const routes = names.flatMap((host, index) =>
        (index === 0 ? prefixes : ['/']).map((path) => ({ host, path, to })),
      );
      new TlsIngress(chart, 'edge', { ...given, certificate: of, losses: LossPolicy.LIST, routes });
      expect(await admission.problems(chart)).toEqual([]);
    };
    await fc.assert(fc.asyncProperty(props, certificate, hosts, paths, weight, run), { numRuns: 30 });
  });

  test('and a route that is none is refused, so that the check above can fail', async () => {
    const chart = freshChart();
    const rule = { matches: [{ path: { type: 'PathPrefix', value: 'no-slash' } }] };
    new ApiObject(chart, 'route', {
      ...{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: { name: 'route' } },
      spec: { rules: [rule] },
    });
    expect(await admission.problems(chart)).toContainEqual(
      expect.stringMatching(/^HTTPRoute route: .*must be an absolute path/),
    );
  });
});
