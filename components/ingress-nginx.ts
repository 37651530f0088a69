import { Chart, Lazy, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { ValidationError } from './errors';
import type { NginxOptions } from './ingress-backend';
import type { IngressIntent, KnownRoute } from './ingress-intent';
import { nginxHeaders } from './ingress-intent';
import type { Kinds, Labels } from './kube';
import { kubeObject } from './kube';
import { sizeBytes } from './units';

const NGINX = 'nginx.ingress.kubernetes.io';
// NGINX's own default: an ingress that says nothing should not be stricter than one without the library.
const DEFAULT_BODY = Size.mebibytes(1);
export const NO_ROUTE = 'an ingress needs at least one route; give routes, or call addRoute';

type IngressSpec = Kinds['networking.k8s.io/v1/Ingress']['spec'];
type IngressPath = NonNullable<NonNullable<IngressSpec['rules']>[number]['http']>['paths'][number];

/** What only an Ingress has. */
export interface NginxTarget {
  readonly className: string;
  /** Nothing where the controller serves its own certificate. */
  readonly secretName: string | undefined;
  readonly options: NginxOptions;
}

/** Adds the Ingress, and the ConfigMap of its headers where it sets any. */
export function addNginxIngress(scope: Construct, intent: IngressIntent, target: NginxTarget): void {
  const { name, labels } = intent;
  const headers = nginxHeaders(intent, target.options);
  const headersName = `${name}-headers`;
  if (headers.length > 0)
    kubeObject(scope, 'Headers', 'v1/ConfigMap', { name: headersName, labels }, { data: Object.fromEntries(headers) });
  const annotations = {
    ...edgeAnnotations(intent),
    ...(headers.length === 0
      ? {}
      : { [`${NGINX}/custom-headers`]: `${Chart.of(scope).namespace ?? 'default'}/${headersName}` }),
  };
  kubeObject(scope, 'Ingress', 'networking.k8s.io/v1/Ingress', { name, labels, annotations }, () => {
    if (intent.routes().length === 0) throw new ValidationError(scope, [NO_ROUTE]);
    const { className, secretName } = target;
    return {
      spec: {
        ingressClassName: className,
        // Without a Secret the controller serves its own certificate, and TLS is on for the hosts all the same.
        tls: [{ hosts: intent.hosts(), ...(secretName === undefined ? {} : { secretName }) }],
        rules: rules(intent.routes(), ({ to }) => to.serviceName),
      },
    };
  });
}

/**
 * Adds the Ingress that gives a share of the requests of one service to its canary: the controller merges it into the other one by host and
 * path, so it holds all routes to that service and needs no TLS of its own.
 */
export function addNginxCanary(
  scope: Construct,
  { name, labels, routes }: IngressIntent,
  className: string,
  route: KnownRoute & {
    readonly to: { readonly canary?: { readonly serviceName: string; readonly weight: number } | undefined };
  },
): void {
  const { canary, serviceName } = route.to;
  if (canary === undefined || scope.node.tryFindChild(`Canary-${serviceName}`) !== undefined) return;
  const annotations = { [`${NGINX}/canary`]: 'true', [`${NGINX}/canary-weight`]: String(canary.weight) };
  const metadata = { name: `${name}-${canary.serviceName}`, labels, annotations };
  kubeObject(scope, `Canary-${serviceName}`, 'networking.k8s.io/v1/Ingress', metadata, () => ({
    spec: {
      ingressClassName: className,
      rules: rules(
        routes().filter(({ to }) => to === route.to),
        () => canary.serviceName,
      ),
    },
  }));
}

/** One rule a host, in the order in which the hosts came. */
const rules = (
  routes: readonly KnownRoute[],
  service: (route: KnownRoute) => string,
): NonNullable<IngressSpec['rules']> =>
  [...new Set(routes.map(({ host }) => host))].map((host) => ({
    host,
    http: {
      paths: routes
        .filter((route) => route.host === host)
        .map((route): IngressPath => {
          const backend = { service: { name: service(route), port: { number: route.to.port } } };
          return { path: route.path, pathType: 'Prefix', backend };
        }),
    },
  }));

function edgeAnnotations(intent: IngressIntent): Labels {
  const { rateLimit } = intent;
  const redirect = String(intent.redirectHttp);
  // Known once every route is.
  const timeout = Lazy.any({ produce: () => String(intent.timeoutSeconds()) }) as string;
  const annotations: Record<string, string | undefined> = {
    'ssl-redirect': redirect,
    // The first one alone does nothing where TLS ends in front of the controller.
    'force-ssl-redirect': redirect,
    'proxy-read-timeout': timeout,
    'proxy-send-timeout': timeout,
    'proxy-body-size': nginxSize(intent.maxBodySize ?? DEFAULT_BODY),
    // Each part of an answer goes on as it comes, and the service sees a request while it is being sent.
    ...(intent.streaming ? { 'proxy-buffering': 'off', 'proxy-request-buffering': 'off' } : {}),
    ...(rateLimit === undefined
      ? {}
      : {
          'limit-rps': String(rateLimit.requestsPerSecond),
          'limit-burst-multiplier': String(rateLimit.burstMultiplier),
          ...(rateLimit.connections === undefined ? {} : { 'limit-connections': String(rateLimit.connections) }),
        }),
  };
  return Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${NGINX}/${key}`, value])) as Labels;
}

/** NGINX knows `k` and `m`, both binary. */
const nginxSize = (size: Size): string => {
  const kibibytes = Math.ceil(sizeBytes(size) / 1024);
  return kibibytes % 1024 === 0 ? `${kibibytes / 1024}m` : `${kibibytes}k`;
};
