import { Size } from 'cdk8s';
import type { RenderedObject } from '../../../bridge/render';
import { ValidationError } from '../../../components/errors';
import { IngressFeature } from '../../../components/ingress-options';
import { readSettings } from '../../../stacks/render';
import type { Settings } from '../../../stacks/schema';
import { pick, renderSettings } from './platform';

const SYSTEMS = ['noodle-core', 'noa-server'] as const;
const NGINX = 'nginx.ingress.kubernetes.io';

type Cluster = Settings['cluster']['ingress'];
type Own = Settings['noaServer']['ingress'];

/** Both systems of prod, with what the cluster has and what they ask for changed. */
async function prodWith(cluster: Partial<Cluster>, own: Partial<Own> = {}): Promise<readonly RenderedObject[]> {
  const settings = await readSettings('prod');
  const { noodleCore, noaServer } = settings;
  return renderSettings({
    ...settings,
    cluster: { ...settings.cluster, ingress: { ...settings.cluster.ingress, ...cluster } },
    noodleCore: { ...noodleCore, ingress: { ...noodleCore.ingress, ...own } },
    noaServer: { ...noaServer, ingress: { ...noaServer.ingress, ...own } },
  });
}
const of = (objects: readonly RenderedObject[], system: string): readonly RenderedObject[] =>
  objects.filter(({ path }) => path.startsWith(`${system}/ingress/`));
const annotationsOf = (objects: readonly RenderedObject[]) =>
  pick(objects, 'networking.k8s.io/v1/Ingress', 'ingress').metadata.annotations ?? {};
const refusal = (objects: Promise<unknown>): Promise<unknown> => objects.catch((error: unknown) => error);

describe.each(SYSTEMS)('the public addresses of %s', (system) => {
  it.each(['staging', 'prod'])('redirect, bound bodies and get headers that %s’s controller allows', async (name) => {
    const objects = of(renderSettings(await readSettings(name)), system);
    const namespace = pick(objects, 'networking.k8s.io/v1/Ingress', 'ingress').metadata.namespace;
    expect(annotationsOf(objects)).toMatchObject({
      [`${NGINX}/force-ssl-redirect`]: 'true',
      [`${NGINX}/proxy-body-size`]: '1m',
      [`${NGINX}/custom-headers`]: `${namespace ?? ''}/ingress-headers`,
    });
    const { nginx } = (await readSettings(name)).cluster.ingress;
    expect(Object.keys(pick(objects, 'v1/ConfigMap', 'ingress-headers').data)).toEqual(nginx.allowedResponseHeaders);
  });

  it('ask nothing in dev that its controller ignores', async () => {
    const objects = of(renderSettings(await readSettings('dev')), system);
    expect(objects.filter(({ kind }) => kind === 'ConfigMap')).toEqual([]);
    expect(annotationsOf(objects)).not.toHaveProperty([`${NGINX}/custom-headers`]);
  });

  it('are a Gateway and HTTPRoutes, with the same headers, where the file says so', async () => {
    const objects = of(await prodWith({ backend: 'gateway' }, { maxBodySize: '', gzip: false }), system);
    expect(objects.filter(({ kind }) => kind === 'Ingress')).toEqual([]);
    const { gatewayClassName } = pick(objects, 'gateway.networking.k8s.io/v1/Gateway', 'ingress').spec;
    expect(gatewayClassName).toBe('traefik');
    const [{ manifest } = { manifest: {} }] = objects.filter(({ path }) => path.includes('/Route-'));
    expect(JSON.stringify(manifest)).toContain('"name":"Strict-Transport-Security","value":"max-age=31536000');
    expect(JSON.stringify(manifest)).toContain('"name":"X-Frame-Options"');
  });

  it('are both while DNS moves', async () => {
    const objects = of(await prodWith({ backend: 'both' }, { maxBodySize: '', gzip: false }), system);
    expect(objects.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['Ingress', 'Gateway', 'HTTPRoute']));
  });

  it('have a limit and a larger body where the file says so', async () => {
    const own = { maxBodySize: Size.mebibytes(8), rateLimit: { requestsPerSecond: 20, burstMultiplier: 3 } };
    expect(annotationsOf(of(await prodWith({}, own), system))).toMatchObject({
      [`${NGINX}/proxy-body-size`]: '8m',
      [`${NGINX}/limit-rps`]: '20',
      [`${NGINX}/limit-burst-multiplier`]: '3',
    });
  });
});

describe('what the back end can’t do', () => {
  const own = { gzip: true };

  it('is refused, each feature with its reason', async () => {
    const error = await refusal(prodWith({ backend: 'gateway' }, own));
    expect(error).toBeInstanceOf(ValidationError);
    expect(String(error)).toMatch(/noodle-core\/ingress: gzip: not on gateway: .*\n.*maxBodySize: not on gateway/);
  });

  it('is refused too where only something else is accepted', async () => {
    const error = await refusal(prodWith({ backend: 'gateway', accepted: [IngressFeature.GZIP] }, own));
    expect(String(error)).toMatch(/maxBodySize: not on gateway, and not accepted/);
    expect(String(error)).not.toContain('gzip: not');
  });

  it('is left out where the file accepts it', async () => {
    const accepted = [IngressFeature.GZIP, IngressFeature.BODY_SIZE];
    const objects = await prodWith({ backend: 'gateway', accepted }, own);
    expect(of(objects, 'noa-server').map(({ kind }) => kind)).toContain('Gateway');
  });

  it('is what ingress-nginx’s ConfigMap does not say', async () => {
    const { nginx } = (await readSettings('prod')).cluster.ingress;
    const error = await refusal(prodWith({ nginx: { ...nginx, allowedResponseHeaders: ['X-Frame-Options'] } }));
    expect(String(error)).toMatch(/securityHeaders: not on nginx: .*Referrer-Policy, X-Content-Type-Options/);
    const other = { maxAgeDays: 30, includeSubdomains: false, preload: false };
    expect(String(await refusal(prodWith({}, { hsts: other })))).toMatch(/hsts: not on nginx/);
  });
});
