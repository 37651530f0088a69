import { Size } from 'cdk8s';
import type { RenderedObject } from '../../../bridge/render';
import { ValidationError } from '../../../components/errors';
import { IngressFeature } from '../../../components/ingress-options';
import { readSettings } from '../../../stacks/render';
import type { Settings } from '../../../stacks/schema';
import { deploymentOf, environmentOf, first, IMAGES, pick, renderSettings } from './platform';

/** The last one has no public address in dev. */
const SYSTEMS = ['noodle-core', 'noa-server', 'observability'] as const;
const NGINX = 'nginx.ingress.kubernetes.io';

type Cluster = Settings['cluster']['ingress'];
type Own = Settings['noaServer']['ingress'];

/** All of prod, with what the cluster has and what they ask for changed. */
async function prodWith(cluster: Partial<Cluster>, own: Partial<Own> = {}): Promise<readonly RenderedObject[]> {
  const settings = await readSettings('prod');
  const { noodleCore, noaServer, observability } = settings;
  return renderSettings({
    ...settings,
    cluster: { ...settings.cluster, ingress: { ...settings.cluster.ingress, ...cluster } },
    noodleCore: { ...noodleCore, ingress: { ...noodleCore.ingress, ...own } },
    noaServer: { ...noaServer, ingress: { ...noaServer.ingress, ...own } },
    observability: { ...observability, ingress: { ...observability.ingress, ...own } },
  });
}
const of = (objects: readonly RenderedObject[], system: string): readonly RenderedObject[] =>
  objects.filter(({ path }) => path.startsWith(`${system}/ingress/`));
const annotationsOf = (objects: readonly RenderedObject[]) =>
  pick(objects, 'networking.k8s.io/v1/Ingress', 'ingress').metadata.annotations ?? {};
const refusal = (objects: Promise<unknown>): Promise<unknown> => objects.catch((error: unknown) => error);

describe.each(SYSTEMS.slice(0, 2))('the public addresses of %s', (system) => {
  it('ask nothing in dev that its controller ignores', async () => {
    const objects = of(renderSettings(await readSettings('dev')), system);
    expect(objects.filter(({ kind }) => kind === 'ConfigMap')).toEqual([]);
    expect(annotationsOf(objects)).not.toHaveProperty([`${NGINX}/custom-headers`]);
  });
});

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

describe('a second version', () => {
  const withCanary = async (environment: string, weight: number, poolers = 2): Promise<readonly RenderedObject[]> => {
    const settings = await readSettings(environment);
    const { noodleCore, noaServer } = settings;
    const canaryOf = <T extends { readonly canary: object }>(service: T): T => ({
      ...service,
      canary: { ...service.canary, weight },
    });
    return renderSettings({
      ...settings,
      noodleCore: {
        ...noodleCore,
        runtime: canaryOf(noodleCore.runtime),
        postgres: { ...noodleCore.postgres, pooler: { ...noodleCore.postgres.pooler, replicas: poolers } },
      },
      noaServer: { ...noaServer, ui: canaryOf(noaServer.ui) },
    });
  };
  const canaries = (objects: readonly RenderedObject[]) => objects.filter(({ name }) => name.includes('canary'));

  it.each(['dev', 'staging', 'prod'])('is nowhere with weight 0: %s', async (environment) => {
    expect(canaries(renderSettings(await readSettings(environment)))).toEqual([]);
  });

  it.each([
    ['noodle-core', 'noodle-runtime', 'runtimeCanary'],
    ['noa-server', 'ui', 'uiCanary'],
  ] as const)('of %s’s %s runs its own image and gets its share at the ingress', async (system, name, image) => {
    const objects = canaries(await withCanary('prod', 20)).filter(({ path }) => path.startsWith(`${system}/`));
    const images: Readonly<Record<string, string>> = system === 'noa-server' ? IMAGES.noaServer : IMAGES.noodleCore;
    expect(first(deploymentOf(objects, `${name}-canary`)).image).toBe(images[image]);
    const { metadata, spec } = pick(objects, 'networking.k8s.io/v1/Ingress', `ingress-${name}-canary-service`);
    expect(metadata.annotations).toMatchObject({ [`${NGINX}/canary`]: 'true', [`${NGINX}/canary-weight`]: '20' });
    expect(spec.rules?.[0]?.http?.paths[0]?.backend.service?.name).toBe(`${name}-canary-service`);
  });

  it('of the runtime leaves the database room: its pods are counted', async () => {
    const pool = (objects: readonly RenderedObject[]) =>
      Number(environmentOf(first(deploymentOf(objects, 'noodle-runtime'))).DATABASE_POOL_MAX);
    expect(pool(await withCanary('prod', 50, 0))).toBeLessThan(pool(await withCanary('prod', 0, 0)));
  });

  it('of the runtime is refused behind Nginx, which would pass nothing to it', async () => {
    const error = await refusal(withCanary('staging', 20));
    expect(error).toBeInstanceOf(ValidationError);
    expect(String(error)).toMatch(/noodle-core\/noodle-runtime: canary: .*nginx.replicas must be 0, got 2/);
  });
});
