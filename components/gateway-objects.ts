import type { ApiObject } from 'cdk8s';
import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { ValidationError } from './errors';
import type { IHttpService } from './http-workload';
import type { GatewayOptions, SharedGatewayOptions } from './ingress-backend';
import { isShared } from './ingress-backend';
import type { IngressIntent, KnownRoute } from './ingress-intent';
import { NO_ROUTE } from './ingress-nginx';
import type { Kinds } from './kube';
import { kubeObject } from './kube';
import { LateTokens } from './late';

const GROUP = 'gateway.networking.k8s.io';
/** Most hosts of one ingress, and most paths of one host: what a HTTPRoute holds. */
export const MOST_IN_ROUTE = 16;
// Names of listeners on a Gateway of our own.
const HTTP = 'http';
const HTTPS = 'https';

type GatewaySpec = Kinds['gateway.networking.k8s.io/v1/Gateway']['spec'];
type RouteSpec = Kinds['gateway.networking.k8s.io/v1/HTTPRoute']['spec'];
type Rule = NonNullable<RouteSpec['rules']>[number];
type Filter = NonNullable<Rule['filters']>[number];
type ParentReference = NonNullable<RouteSpec['parentRefs']>[number];

/** A Secret of type `kubernetes.io/tls`. */
export interface SecretReference {
  readonly name: string;
  /** @default - the namespace of what refers to it */
  readonly namespace?: string;
}

/** The objects of the Gateway API behind one ingress: a Gateway unless somebody else owns it, a HTTPRoute a host, one for the redirect. */
export class GatewayObjects {
  /** Each host with its part of the objects' names. */
  private readonly slugs = new Map<string, string>();
  private readonly granted = new Set<IHttpService>();

  public constructor(
    private readonly scope: Construct,
    private readonly intent: IngressIntent,
    private readonly options: GatewayOptions | SharedGatewayOptions,
    certificate: SecretReference | undefined,
  ) {
    if (!isShared(options) && certificate !== undefined) this.addGateway(options, certificate);
    if (intent.redirectHttp) this.addRedirect();
  }

  /** Adds what a route needs beside the others of its host. */
  public addRoute({ host, to }: KnownRoute): void {
    this.grant(to);
    if (this.slugs.has(host)) return;
    const lates = [...this.slugs.keys()].filter((one) => LateTokens.isToken(one)).length;
    const slug = LateTokens.isToken(host) ? `late-${lates + 1}` : host.replace('*', 'wildcard');
    this.slugs.set(host, slug);
    const { name, labels, redirectHttp } = this.intent;
    const parents = [this.parent(this.httpsListener(slug)), ...(redirectHttp ? [] : [this.parent(this.httpListener)])];
    this.httpRoute(`Route-${slug}`, { name: `${name}-${slug}`, labels }, () => ({
      parentRefs: parents,
      hostnames: [host],
      rules: this.intent.routes().flatMap((route) => (route.host === host ? [this.rule(route)] : [])),
    }));
  }

  private httpRoute(id: string, metadata: Parameters<typeof kubeObject>[3], spec: () => RouteSpec): ApiObject {
    return kubeObject(this.scope, id, 'gateway.networking.k8s.io/v1/HTTPRoute', metadata, () => ({ spec: spec() }));
  }

  private get httpListener(): string {
    return isShared(this.options) ? (this.options.httpListener ?? HTTP) : HTTP;
  }

  private httpsListener(slug: string): string {
    return isShared(this.options) ? (this.options.httpsListener ?? HTTPS) : `${HTTPS}-${slug}`;
  }

  private parent(sectionName: string): ParentReference {
    if (!isShared(this.options)) return { name: this.intent.name, sectionName };
    const { gatewayName, gatewayNamespace } = this.options;
    return {
      name: gatewayName,
      sectionName,
      ...(gatewayNamespace === undefined ? {} : { namespace: gatewayNamespace }),
    };
  }

  private addGateway(options: GatewayOptions, certificate: SecretReference): void {
    const { name, labels, hosts } = this.intent;
    const allowedRoutes = { namespaces: { from: 'Same' as const } };
    kubeObject(this.scope, 'Gateway', 'gateway.networking.k8s.io/v1/Gateway', { name, labels }, () => {
      if (hosts().length === 0) throw new ValidationError(this.scope, [NO_ROUTE]);
      const spec: GatewaySpec = {
        gatewayClassName: options.gatewayClass,
        listeners: [
          { name: HTTP, port: options.httpPort ?? 80, protocol: 'HTTP', allowedRoutes },
          ...hosts().map((hostname) => ({
            name: this.httpsListener(this.slugs.get(hostname) ?? ''),
            hostname,
            port: options.httpsPort ?? 443,
            protocol: 'HTTPS',
            tls: { mode: 'Terminate' as const, certificateRefs: [{ ...certificate }] },
            allowedRoutes,
          })),
        ],
      };
      return { spec };
    });
    const { namespace } = certificate;
    if (namespace === undefined || namespace === this.namespace) return;
    this.addGrant('CertificateGrant', namespace, 'Gateway', { group: '', kind: 'Secret', name: certificate.name });
  }

  /** On the listener for plain HTTP alone: on both it would redirect for ever. */
  private addRedirect(): void {
    const { name, labels, hosts } = this.intent;
    this.httpRoute('Redirect', { name: `${name}-redirect`, labels }, () => ({
      parentRefs: [this.parent(this.httpListener)],
      hostnames: hosts(),
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          filters: [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https', statusCode: 301 } }],
        },
      ],
    }));
  }

  private rule({ path, to }: KnownRoute): Rule {
    const filters = this.filters();
    const namespace = Chart.of(to).namespace;
    const backend = (name: string, weight: number) => ({
      name,
      port: to.port,
      weight,
      ...(namespace === undefined || namespace === this.namespace ? {} : { namespace }),
    });
    const { canary } = to;
    return {
      matches: [{ path: { type: 'PathPrefix', value: path } }],
      ...(filters.length === 0 ? {} : { filters }),
      // The whole answer, a stream too, comes within the longest request.
      timeouts: { request: `${this.intent.timeoutSeconds()}s` },
      backendRefs:
        canary === undefined
          ? [backend(to.serviceName, 1)]
          : [backend(to.serviceName, 100 - canary.weight), backend(canary.serviceName, canary.weight)],
    };
  }

  private filters(): readonly Filter[] {
    const { hsts, securityHeaders } = this.intent;
    const set = [
      ...(hsts.header === undefined ? [] : [{ name: 'Strict-Transport-Security', value: hsts.header }]),
      ...(securityHeaders?.headers ?? []).map(([name, value]) => ({ name, value })),
    ];
    return [
      ...(set.length === 0 ? [] : [{ type: 'ResponseHeaderModifier' as const, responseHeaderModifier: { set } }]),
      ...(this.options.extensions ?? []).map(({ group, kind, name }) => ({
        type: 'ExtensionRef' as const,
        extensionRef: { group, kind, name },
      })),
    ];
  }

  /** A service of another namespace is reached where that namespace says so. */
  private grant(to: IHttpService): void {
    const { namespace } = Chart.of(to);
    if (namespace === undefined || namespace === this.namespace || this.granted.has(to)) return;
    this.granted.add(to);
    const names = [to.serviceName, ...(to.canary === undefined ? [] : [to.canary.serviceName])];
    names.forEach((name) =>
      this.addGrant(`Grant-${namespace}-${name}`, namespace, 'HTTPRoute', { group: '', kind: 'Service', name }),
    );
  }

  private addGrant(
    id: string,
    namespace: string,
    kind: string,
    to: { readonly group: string; readonly kind: string; readonly name: string },
  ): void {
    const own = this.namespace ?? 'default';
    // Its name holds whose it is: other ingresses grant themselves the same thing.
    const name = [own, this.intent.name, to.kind.toLowerCase(), to.name].join('-');
    const spec = { from: [{ group: GROUP, kind, namespace: own }], to: [to] };
    const metadata = { name, namespace, labels: this.intent.labels };
    kubeObject(this.scope, id, 'gateway.networking.k8s.io/v1beta1/ReferenceGrant', metadata, { spec });
  }

  private get namespace(): string | undefined {
    return Chart.of(this.scope).namespace;
  }
}
