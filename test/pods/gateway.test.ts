import { App, Chart, Duration } from 'cdk8s';
import type { V1Pod } from '@kubernetes/client-node';

import { render } from '../../bridge/render';
import { AutoscaledService } from '../../components/autoscaled-service';
import { Canary } from '../../components/canary';
import { Certificate } from '../../components/certificate';
import { IngressBackend } from '../../components/ingress-backend';
import { Hsts, SecurityHeaders } from '../../components/ingress-options';
import { NamespaceBaseline } from '../../components/namespace-baseline';
import { compute } from '../../components/pod';
import { TlsIngress } from '../../components/tls-ingress';
import { Cluster, info, isReady, request, until } from '../support/cluster';
import { imageOf } from '../cluster/support/images';
import type { Answer } from '../support/cluster';

jest.setTimeout(240_000);

const SPACE = 'trellis-test-gateway';
const HOSTS = { nginx: 'nginx-test.trellis.localhost', gateway: 'gateway-test.trellis.localhost' } as const;
const CANARY = 'canary-test.trellis.localhost';
const PLURALS: Readonly<Record<string, string>> = { NetworkPolicy: 'networkpolicies', Ingress: 'ingresses' };

/** One service behind both back ends, and one with a canary behind the Gateway. */
function definition(image: string): App {
  const app = new App();
  const chart = new Chart(app, 'edge', { namespace: SPACE });
  new NamespaceBaseline(chart, 'baseline');
  const controller = { namespace: 'ingress' };
  const one = { image, minReplicas: 1, maxReplicas: 1, resources: compute([20, 500], [96, 192]) };
  const lifecycle = { loadBalancerPropagation: Duration.seconds(0) };
  const service = (id: string, canary?: Canary): AutoscaledService =>
    new AutoscaledService(chart, id, {
      ...{ ...one, lifecycle, env: { SERVICE_NAME: id } },
      ...(canary === undefined ? {} : { canary }),
    });
  const web = service('web');
  const certificate = Certificate.localCa();
  new TlsIngress(chart, 'nginx', { certificate, controller, routes: [{ host: HOSTS.nginx, to: web }] });
  const canary = Canary.ofImage(image, { weight: 25, minReplicas: 1, maxReplicas: 1, env: { SERVICE_NAME: 'canary' } });
  new TlsIngress(chart, 'gateway', {
    certificate,
    backend: IngressBackend.gateway({ gatewayClass: 'traefik', controller }),
    hsts: Hsts.of({ maxAge: Duration.hours(1), includeSubdomains: false }),
    securityHeaders: SecurityHeaders.recommended(),
    routes: [
      { host: HOSTS.gateway, to: web },
      { host: CANARY, to: service('stable', canary) },
    ],
  });
  return app;
}

describe('a service behind both back ends', () => {
  let cluster: Cluster;
  let paths: readonly string[] = [];
  const https = (host: string): Promise<Answer> => request(`https://${host}:${info().httpsPort}/`);
  const serviceOf = ({ body }: Answer): string => (JSON.parse(body) as { readonly service: string }).service;

  const apply = async (app: App): Promise<readonly string[]> => {
    const made: string[] = [];
    for (const { apiVersion, kind, name, namespace, manifest } of render(app)) {
      const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
      const scope = kind === 'Namespace' ? '' : `/namespaces/${namespace ?? ''}`;
      const path = `${group}${scope}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}/${name}`;
      const query = '?fieldManager=test&force=true&fieldValidation=Strict';
      await cluster.send({
        ...{ method: 'PATCH', path: path + query, body: manifest, contentType: 'application/apply-patch+yaml' },
      });
      made.push(path);
    }
    return made;
  };

  beforeAll(async () => {
    cluster = new Cluster();
    paths = await apply(definition(await imageOf(cluster, 'apps/v1/deployments/noodle-ide')));
    await until('every pod Ready', async () => {
      const pods = await cluster.list<V1Pod>(`/api/v1/namespaces/${SPACE}/pods`);
      return pods.length === 3 && pods.every(isReady);
    });
    for (const host of Object.values(HOSTS))
      await until(`https://${host}`, async () => (await https(host)).status === 200, 60);
  });
  afterAll(async () => {
    // What lies in another namespace does not go with ours.
    for (const path of paths.filter((one) => !one.includes(`/${SPACE}`))) await cluster.remove(path);
    await cluster.remove(`/api/v1/namespaces/${SPACE}`);
  });

  test.each(Object.values(HOSTS))(
    'answers over HTTPS at %s, with the certificate of the local authority',
    async (host) => {
      // `request` trusts that authority alone, and verifies the name.
      expect(serviceOf(await https(host))).toBe('web');
    },
  );

  test.each(Object.values(HOSTS))('is not served over plain HTTP at %s', async (host) => {
    const { status, headers } = await request(`http://${host}:${info().httpPort}/path`);
    expect([301, 308]).toContain(status);
    expect(headers.location).toMatch(new RegExp(`^https://${host}(:[0-9]+)?/path$`));
  });

  test('has HSTS and security headers from its HTTPRoute, whatever the service says', async () => {
    const { headers } = await https(HOSTS.gateway);
    expect(headers).toMatchObject({
      'strict-transport-security': 'max-age=3600',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'strict-origin-when-cross-origin',
    });
  });

  test('is accepted by the Gateway, whose listeners are all programmed', async () => {
    interface Gateway {
      readonly status: {
        readonly listeners: readonly { readonly name: string; readonly conditions: readonly object[] }[];
      };
    }
    const path = `/apis/gateway.networking.k8s.io/v1/namespaces/${SPACE}/gateways/gateway`;
    const { listeners } = (await cluster.get<Gateway>(path)).status;
    expect(listeners.map(({ name }) => name)).toEqual(['http', `https-${HOSTS.gateway}`, `https-${CANARY}`]);
    for (const { conditions } of listeners) {
      expect(conditions).toContainEqual(expect.objectContaining({ type: 'Programmed', status: 'True' }));
    }
  });

  test('gives its canary the weight of the route: a quarter', async () => {
    // A Service's pods come to Traefik one Service after the other: until both have some, a share of the requests is refused.
    const first = async (): Promise<boolean> => {
      const answers: Answer[] = [];
      for (let request = 0; request < 8; request += 1) answers.push(await https(CANARY));
      return answers.every(({ status }) => status === 200);
    };
    await until('an answer to each of eight requests', first, 60);
    const names: string[] = [];
    for (let request = 0; request < 80; request += 1) names.push(serviceOf(await https(CANARY)));
    expect(new Set(names)).toEqual(new Set(['stable', 'canary']));
    // Weighted round robin keeps to the share closely; a random choice would be within these with all but certainty too.
    const share = names.filter((name) => name === 'canary').length;
    expect(share).toBeGreaterThanOrEqual(8);
    expect(share).toBeLessThanOrEqual(32);
  });
});
