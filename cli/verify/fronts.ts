import type { V1Ingress, V1Pod, V1Service } from '@kubernetes/client-node';
import type { ClusterAccess } from '../../local/index';

const NGINX = 'nginx.ingress.kubernetes.io';

/** A public address, and what should be behind it. */
export interface Front {
  readonly host: string;
  /** What is asked for: the readiness path of the service where the route leads to all of it, else the route's own. */
  readonly path: string;
  /** Whether `path` is what the pods are asked for too, so that only 200 will do. */
  readonly readiness: boolean;
  /** Whether plain HTTP has to lead to HTTPS. */
  readonly redirects: boolean;
}

interface HttpRoute {
  readonly spec?: {
    readonly hostnames?: readonly string[];
    readonly rules?: readonly {
      readonly matches?: readonly { readonly path?: { readonly value?: string } }[];
      readonly filters?: readonly { readonly type: string }[];
      readonly backendRefs?: readonly { readonly name: string }[];
    }[];
  };
}

/** A host and path of a route, and the Service that it leads to. */
interface Route {
  readonly host: string;
  readonly path: string;
  readonly service: string;
  readonly redirects: boolean;
}

/** Routes of Ingresses; one that gives a share to a canary adds no address. */
export const ingressRoutes = (ingresses: readonly V1Ingress[]): readonly Route[] =>
  ingresses.flatMap(({ metadata, spec }) => {
    const annotations = metadata?.annotations ?? {};
    if (annotations[`${NGINX}/canary`] === 'true') return [];
    const redirects = annotations[`${NGINX}/force-ssl-redirect`] !== 'false';
    return (spec?.rules ?? []).flatMap(({ host, http }) =>
      (http?.paths ?? []).map(({ path = '/', backend }) => ({
        ...{ host: host ?? '', path, redirects },
        service: backend.service?.name ?? '',
      })),
    );
  });

/** Routes of the Gateway API: those that only redirect say that plain HTTP does. */
export function gatewayRoutes(routes: readonly HttpRoute[]): readonly Route[] {
  const rules = routes.flatMap(({ spec }) =>
    (spec?.hostnames ?? []).flatMap((host) => (spec?.rules ?? []).map((rule) => ({ host, rule }))),
  );
  const leading = new Set(
    rules.filter(({ rule }) => rule.filters?.some(({ type }) => type === 'RequestRedirect')).map(({ host }) => host),
  );
  return rules.flatMap(({ host, rule }) => {
    const [backend] = rule.backendRefs ?? [];
    if (backend === undefined) return [];
    const paths = (rule.matches ?? [{}]).map(({ path }) => path?.value ?? '/');
    return paths.map((path) => ({ host, path, service: backend.name, redirects: leading.has(host) }));
  });
}

/** The path that the kubelet asks the pods of a Service for; undefined where it asks otherwise, or where there is none. */
export function readinessPath(service: V1Service | undefined, pods: readonly V1Pod[]): string | undefined {
  const selector = Object.entries(service?.spec?.selector ?? {});
  const own = pods.find(({ metadata }) => selector.every(([key, value]) => metadata?.labels?.[key] === value));
  if (selector.length === 0) return undefined;
  const probes = (own?.spec?.containers ?? []).map(({ readinessProbe }) => readinessProbe?.httpGet?.path);
  return probes.find((path) => path !== undefined);
}

/** The public addresses in a namespace, each once. */
export async function frontsOf(access: ClusterAccess, namespace: string): Promise<readonly Front[]> {
  const core = `/api/v1/namespaces/${namespace}`;
  const [ingresses, routes, services, pods] = await Promise.all([
    access.list<V1Ingress>(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`),
    access.list<HttpRoute>(`/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/httproutes`),
    access.list<V1Service>(`${core}/services`),
    access.list<V1Pod>(`${core}/pods`),
  ]);
  const fronts = new Map<string, Front>();
  for (const { host, path, service, redirects } of [...ingressRoutes(ingresses), ...gatewayRoutes(routes)]) {
    const probe = readinessPath(
      services.find(({ metadata }) => metadata?.name === service),
      pods,
    );
    const readiness = path === '/' && probe !== undefined;
    const key = `${host}${path}`;
    fronts.set(key, {
      ...{ host, readiness, path: readiness ? probe : path },
      redirects: redirects || (fronts.get(key)?.redirects ?? false),
    });
  }
  return [...fronts.values()].filter(({ host }) => host !== '' && !host.startsWith('*'));
}
