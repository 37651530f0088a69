import { Hsts } from './ingress-options';
import type { IngressFeature } from './ingress-options';
import type { Labels, NetworkPolicyPeer } from './kube';
import type { Problems } from './validation';

/** Where the pods of the ingress controller are; they alone may reach the services behind an ingress. */
export interface IngressController {
  readonly namespace: string;
  /** @default - every pod of that namespace */
  readonly podLabels?: Labels;
}

/**
 * What the ConfigMap of the controller says. It holds for every Ingress of the cluster and no Ingress can say otherwise, so it has to be
 * known here before a feature that depends on it counts as done.
 */
export interface NginxOptions {
  /** Whether it has `use-gzip: "true"`. @default false */
  readonly gzip?: boolean;
  /** Its `global-allowed-response-headers`: the only headers that an Ingress may set. @default - none, as ingress-nginx has it */
  readonly allowedResponseHeaders?: readonly string[];
  /** What it sends for HSTS. @default Hsts.standard(), as ingress-nginx has it */
  readonly hsts?: Hsts;
}

/** A filter of the Gateway's own vendor that does what HTTPRoute has no field for, put on every route. */
export interface GatewayExtension {
  /** What it does. */
  readonly covers: readonly IngressFeature[];
  /** API group of the object, such as `gateway.envoyproxy.io`. */
  readonly group: string;
  readonly kind: string;
  /** Its name; it must be in the ingress's namespace. */
  readonly name: string;
}

/** What every use of the Gateway API needs. */
export interface GatewayRouteOptions {
  /** Where the proxies of the Gateway run. */
  readonly controller: IngressController;
  /** @default - none */
  readonly extensions?: readonly GatewayExtension[];
}

/** A Gateway of the ingress's own. */
export interface GatewayOptions extends GatewayRouteOptions {
  /** The GatewayClass, which the cluster must have. */
  readonly gatewayClass: string;
  /** Port of plain HTTP. @default 80 */
  readonly httpPort?: number;
  /** @default 443 */
  readonly httpsPort?: number;
}

/** A Gateway that somebody else owns, and with it the addresses and the certificates. */
export interface SharedGatewayOptions extends GatewayRouteOptions {
  /** Its name; it must let routes of the ingress's namespace in. */
  readonly gatewayName: string;
  /** @default - the ingress's namespace */
  readonly gatewayNamespace?: string;
  /** Its listener for HTTPS, of any host. @default "https" */
  readonly httpsListener?: string;
  /** Its listener for plain HTTP. @default "http" */
  readonly httpListener?: string;
}

/** What serves an ingress. */
export class IngressBackend {
  /** An Ingress with the annotations of ingress-nginx, which other controllers of its class read too. */
  public static nginx(options: NginxOptions = {}): IngressBackend {
    return new IngressBackend(options, undefined);
  }

  /** Gateway API: a Gateway and HTTPRoutes of the ingress's own. */
  public static gateway(options: GatewayOptions): IngressBackend {
    return new IngressBackend(undefined, options);
  }

  /** Gateway API: HTTPRoutes on a Gateway that somebody else owns. */
  public static sharedGateway(options: SharedGatewayOptions): IngressBackend {
    return new IngressBackend(undefined, options);
  }

  /** Both at once, for the time in which DNS moves from one to the other. */
  public static both(gateway: GatewayOptions | SharedGatewayOptions, nginx: NginxOptions = {}): IngressBackend {
    return new IngressBackend(nginx, gateway);
  }

  private constructor(
    /** @internal */
    public readonly _nginx: NginxOptions | undefined,
    /** @internal */
    public readonly _gateway: GatewayOptions | SharedGatewayOptions | undefined,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    this._nginx?.hsts?._check(problems);
    for (const name of this._nginx?.allowedResponseHeaders ?? [])
      problems.require(
        /^[A-Za-z][A-Za-z0-9-]*$/.test(name),
        `backend.allowedResponseHeaders: '${name}' is not the name of a header`,
      );
    if (this._gateway !== undefined) checkGateway(problems, this._gateway);
  }
}

function checkGateway(problems: Problems, options: GatewayOptions | SharedGatewayOptions): void {
  checkController(problems, 'backend.controller', options.controller);
  for (const { covers, group, kind, name } of options.extensions ?? []) {
    problems
      .dnsSubdomain('backend.extensions: group', group)
      .require(/^[A-Za-z][A-Za-z0-9]{0,62}$/.test(kind), `backend.extensions: '${kind}' is not a kind`)
      .dnsSubdomain('backend.extensions: name', name)
      .require(covers.length > 0, `backend.extensions: ${kind} ${name} must cover something`);
  }
  if (isShared(options)) {
    problems
      .dnsSubdomain('backend.gatewayName', options.gatewayName)
      .dnsLabel('backend.gatewayNamespace', options.gatewayNamespace)
      .dnsSubdomain('backend.httpsListener', options.httpsListener)
      .dnsSubdomain('backend.httpListener', options.httpListener);
    return;
  }
  const { httpPort = 80, httpsPort = 443 } = options;
  problems
    .dnsSubdomain('backend.gatewayClass', options.gatewayClass)
    .port('backend.httpPort', httpPort)
    .port('backend.httpsPort', httpsPort)
    .require(httpPort !== httpsPort, `backend.httpPort and httpsPort must differ, both are ${httpPort}`);
}

/** Whether somebody else owns the Gateway. */
export const isShared = (options: GatewayOptions | SharedGatewayOptions): options is SharedGatewayOptions =>
  'gatewayName' in options;

export function checkController(
  problems: Problems,
  prop: string,
  { namespace, podLabels = {} }: IngressController,
): void {
  problems.dnsLabel(`${prop}.namespace`, namespace);
  for (const [key, value] of Object.entries(podLabels)) problems.labelValue(`${prop}.podLabels['${key}']`, value);
}

/** The controller's pods, as the services behind see them. */
export const controllerPeer = ({ namespace, podLabels }: IngressController): NetworkPolicyPeer => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  ...(podLabels === undefined ? {} : { podSelector: { matchLabels: podLabels } }),
});

/** What an ingress-nginx that was never configured sends. */
export const nginxHsts = (options: NginxOptions): Hsts => options.hsts ?? Hsts.standard();
