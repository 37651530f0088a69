import type { Duration, Size } from 'cdk8s';
import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import type { Certificate } from './certificate';
import type { IClient } from './connections';
import { GatewayObjects, MOST_IN_ROUTE } from './gateway-objects';
import { scoreIgnored } from './http-objects';
import type { IHttpService } from './http-workload';
import type { IngressController } from './ingress-backend';
import { IngressBackend, checkController, controllerPeer, isShared } from './ingress-backend';
import type { IngressIntent, KnownRoute } from './ingress-intent';
import { lossesOf } from './ingress-intent';
import { NO_ROUTE, addNginxCanary, addNginxIngress } from './ingress-nginx';
import type { IngressLoss, RateLimit, SecurityHeaders } from './ingress-options';
import { Hsts, LossPolicy } from './ingress-options';
import type { Labels, NetworkPolicyPeer } from './kube';
import { kubeObject } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import { wholeSeconds } from './lifecycle';
import { Problems } from './validation';

/** One path of one host, and the service that answers there. */
export interface IngressRoute {
  /** Lower-case host name; a leading `*.` is allowed. */
  readonly host: Late;
  /** Prefix of whole path elements: `/api` takes `/api/x` but not `/apix`. @default "/" */
  readonly path?: string;
  /** In the ingress's namespace, or with the Gateway API in any. Its canary gets its share. */
  readonly to: IHttpService;
}

/** Public HTTPS addresses of services. */
export interface TlsIngressProps {
  /** One for every host of the routes. */
  readonly certificate: Certificate;
  /** @default - the construct's id */
  readonly name?: string;
  /** What serves it. @default IngressBackend.nginx() */
  readonly backend?: IngressBackend;
  /** Of the Ingress. @default "nginx" */
  readonly className?: string;
  /** At least one must be there by synth. @default - none; see addRoute */
  readonly routes?: readonly IngressRoute[];
  /** Whether plain HTTP is answered with a redirect to HTTPS. @default true */
  readonly redirectHttp?: boolean;
  /** @default Hsts.standard() */
  readonly hsts?: Hsts;
  /** Headers that every answer gets. @default - none, as ingress-nginx allows none */
  readonly securityHeaders?: SecurityHeaders;
  /** Whether answers are compressed. @default false */
  readonly gzip?: boolean;
  /** @default - no limit */
  readonly rateLimit?: RateLimit;
  /** Whether services answer piece by piece, as language models do: nothing is held back on the way. @default false */
  readonly streaming?: boolean;
  /** Secret of a certificate that is issued or brought along. @default - `<name>-tls` */
  readonly secretName?: string;
  /** Of the Ingress; a Gateway's is in its back end. @default - the pods of ingress-nginx's own chart, in namespace `ingress-nginx` */
  readonly controller?: IngressController;
  /** Largest body of a request; a larger one is answered with 413. @default - the back end's own bound, 1 MiB on NGINX */
  readonly maxBodySize?: Size;
  /** How long the controller waits for an answer. @default - the longest request of all services behind it, at least 60 s as NGINX has it */
  readonly readTimeout?: Duration;
  /** What happens where the back end can't do one of the above. @default LossPolicy.REFUSE */
  readonly losses?: LossPolicy;
  /** Put on every object. @default - none */
  readonly labels?: Labels;
}

const DEFAULT_CONTROLLER: IngressController = {
  namespace: 'ingress-nginx',
  podLabels: { 'app.kubernetes.io/name': 'ingress-nginx', 'app.kubernetes.io/component': 'controller' },
};
// Where cert-manager's pod for an HTTP-01 challenge listens, and the label that only it has.
const SOLVER_PORT = 8089;
const SOLVER_LABEL = 'acme.cert-manager.io/http01-solver';
const ACME_SUFFIX = '-acme';
// NGINX's own default: an ingress that says nothing should not be stricter than one without the library.
const DEFAULT_TIMEOUT_SECONDS = 60;

/** A second controller in front of the same services. */
class Controller extends Construct implements IClient {
  public constructor(
    scope: Construct,
    id: string,
    public readonly peer: NetworkPolicyPeer,
  ) {
    super(scope, id);
  }
}

/**
 * HTTPS in front of services: TLS for every host, HTTP redirected, timeouts that follow from the services behind, shares for their canaries,
 * and their NetworkPolicies opened for the controller alone. The same props make an Ingress or objects of the Gateway API; what the one or
 * the other can't do is refused, or listed in `losses` where the props say so.
 */
export class TlsIngress extends Construct implements IClient {
  public readonly name: string;
  public readonly className: string;
  public readonly redirectHttp: boolean;
  public readonly hsts: Hsts;
  /** The controller's pods, as the services behind see them; the Ingress's where there are two. */
  public readonly peer: NetworkPolicyPeer;
  /** What was asked and the back end doesn't do; empty unless the props allow it. */
  public readonly losses: readonly IngressLoss[];
  private readonly backend: IngressBackend;
  private readonly controllers: readonly IClient[];
  private readonly known: KnownRoute[] = [];
  private readonly intent: IngressIntent;
  private gateway: GatewayObjects | undefined;

  /** @throws ValidationError with every problem of the props and of their routes. */
  public constructor(
    scope: Construct,
    id: string,
    private readonly props: TlsIngressProps,
  ) {
    super(scope, id);
    this.name = props.name ?? id;
    this.className = props.className ?? 'nginx';
    this.redirectHttp = props.redirectHttp ?? true;
    this.hsts = props.hsts ?? Hsts.standard();
    this.backend = props.backend ?? IngressBackend.nginx();
    this.intent = this.intended();
    this.losses = lossesOf(this.intent, this.backend);
    const problems = this.check();
    const routes = this.checkRoutes(problems, props.routes ?? []);

    const peers = this.peers();
    this.peer = peers[0] as NetworkPolicyPeer;
    this.controllers = [this, ...peers.slice(1).map((peer) => new Controller(this, 'gateway-controller', peer))];
    this.addObjects();
    this.addRoutes(routes);
    this.node.addValidation({ validate: () => (this.known.length > 0 ? [] : [NO_ROUTE]) });
  }

  /** The hosts, each once, in the order of their routes; a late one as its token. */
  public get hosts(): readonly string[] {
    return [...new Set(this.known.map(({ host }) => host))];
  }

  /** Adds one route. @throws ValidationError where its host or path is wrong or taken. */
  public addRoute(route: IngressRoute): this {
    this.addRoutes(this.checkRoutes(new Problems(this), [route]));
    return this;
  }

  private intended(): IngressIntent {
    const { name, redirectHttp, hsts, props } = this;
    return {
      ...{ name, redirectHttp, hsts, labels: props.labels ?? {}, maxBodySize: props.maxBodySize },
      ...{ securityHeaders: props.securityHeaders, rateLimit: props.rateLimit },
      ...{ gzip: props.gzip ?? false, streaming: props.streaming ?? false },
      routes: () => this.known,
      hosts: () => this.hosts,
      timeoutSeconds: () => this.timeoutSeconds(),
    };
  }

  private peers(): readonly NetworkPolicyPeer[] {
    const { _nginx: nginx, _gateway: gateway } = this.backend;
    return [
      ...(nginx === undefined ? [] : [controllerPeer(this.props.controller ?? DEFAULT_CONTROLLER)]),
      ...(gateway === undefined ? [] : [controllerPeer(gateway.controller)]),
    ];
  }

  private check(): Problems {
    const { props, backend } = this;
    const problems = new Problems(this)
      .dnsLabel('name', this.name, 63 - ACME_SUFFIX.length)
      .dnsSubdomain('className', this.className)
      .dnsSubdomain('secretName', props.secretName)
      .size('maxBodySize', props.maxBodySize)
      .integer('readTimeout in seconds', props.readTimeout && wholeSeconds(props.readTimeout), { min: 1, max: 86_400 });
    for (const [key, value] of Object.entries(props.labels ?? {})) problems.labelValue(`labels['${key}']`, value);
    checkController(problems, 'controller', props.controller ?? DEFAULT_CONTROLLER);
    for (const part of [this.hsts, props.securityHeaders, props.rateLimit, backend]) part?._check(problems);
    props.certificate._check(problems, props.secretName);
    this.checkCertificate(problems);
    if (props.losses === LossPolicy.LIST) return problems;
    for (const { feature, backend: where, reason } of this.losses)
      problems.require(false, `${feature}: not on ${where}: ${reason}; or set losses to LossPolicy.LIST`);
    return problems;
  }

  private checkCertificate(problems: Problems): void {
    const { certificate, secretName } = this.props;
    const { _nginx: nginx, _gateway: gateway } = this.backend;
    const secret = certificate._secret(secretName, this.name);
    const elsewhere = secret?.namespace !== undefined && secret.namespace !== Chart.of(this).namespace;
    problems.require(
      nginx === undefined || certificate._ofController || !elsewhere,
      `certificate: an Ingress takes its Secret from its own namespace, not from '${secret?.namespace ?? ''}'`,
    );
    if (gateway === undefined) return;
    problems.require(
      isShared(gateway) ? nginx !== undefined || certificate._ofController : secret !== undefined,
      isShared(gateway)
        ? 'certificate: a Gateway that somebody else owns has its own; use Certificate.ofController()'
        : 'certificate: a Gateway must name its Secret; give it to Certificate.ofController, or use another one',
    );
  }

  private checkRoutes(problems: Problems, routes: readonly IngressRoute[]): readonly KnownRoute[] {
    const added: KnownRoute[] = [];
    for (const route of routes) added.push(this.checkRoute(problems, route, [...this.known, ...added]));
    problems.raise();
    return added;
  }

  private checkRoute(problems: Problems, route: IngressRoute, others: readonly KnownRoute[]): KnownRoute {
    const host = LateTokens.of(this).asString(this, route.host);
    const path = route.path ?? '/';
    const [there = '', here = ''] = [route.to, this].map((construct) => Chart.of(construct).namespace);
    const ofHost = others.filter((other) => other.host === host);
    const hosts = new Set([...others.map((other) => other.host), host]);
    problems
      .host('route host', host)
      // What ingress-nginx's strict validation of paths and the API server let through.
      .require(
        /^\/[\w./-]*$/.test(path) && !/\/(\/|\.{1,2}(\/|$))/.test(path),
        `route path must start with '/', hold letters, digits, '.', '_', '-' only and no empty or dotted element, got '${path}'`,
      )
      .require(!ofHost.some((other) => other.path === path), `route ${host}${path} is there twice`)
      .require(
        this.backend._nginx === undefined || there === here,
        `route ${host}${path} leads to ${route.to.node.path} in namespace '${there}'; an Ingress reaches Services of its own, '${here}'`,
      )
      .require(
        !(this.props.certificate._challenged && host.startsWith('*.')),
        `route host ${host}: no certificate is issued for a wildcard; bring one along, or name the hosts`,
      )
      .require(
        this.backend._gateway === undefined || Math.max(ofHost.length + 1, hosts.size) <= MOST_IN_ROUTE,
        `route ${host}${path}: a HTTPRoute holds ${MOST_IN_ROUTE} hosts and ${MOST_IN_ROUTE} paths at most`,
      );
    return { host, path, to: route.to };
  }

  private addRoutes(routes: readonly KnownRoute[]): void {
    for (const route of routes) {
      this.known.push(route);
      route.to.allowFrom(...this.controllers);
      this.node.addDependency(route.to);
      if (this.backend._nginx !== undefined) addNginxCanary(this, this.intent, this.className, route);
      this.gateway?.addRoute(route);
    }
  }

  private addObjects(): void {
    const { name, props, intent, className } = this;
    const { certificate } = props;
    const { _nginx: nginx, _gateway: gateway } = this.backend;
    const secretName = certificate._secretName(props.secretName, name);
    if (secretName !== undefined) certificate._addObjects(this, name, secretName, intent.hosts, intent.labels);
    if (certificate._challenged) this.admitChallenges();
    if (nginx !== undefined) addNginxIngress(this, intent, { className, secretName, options: nginx });
    if (gateway === undefined) return;
    this.gateway = new GatewayObjects(this, intent, gateway, certificate._secret(props.secretName, name));
  }

  private timeoutSeconds(): number {
    const { readTimeout } = this.props;
    if (readTimeout !== undefined) return wholeSeconds(readTimeout);
    return Math.max(DEFAULT_TIMEOUT_SECONDS, ...this.known.map(({ to }) => to.longestRequestSeconds));
  }

  // The pod that answers the challenge lives in this namespace, where nothing may come in by default.
  private admitChallenges(): void {
    const annotations = scoreIgnored({
      'networkpolicy-targets-pod': 'cert-manager makes the pod while a challenge runs',
    });
    const metadata = { name: `${this.name}${ACME_SUFFIX}`, labels: this.intent.labels, annotations };
    kubeObject(this, 'ChallengePolicy', 'networking.k8s.io/v1/NetworkPolicy', metadata, {
      spec: {
        podSelector: { matchExpressions: [{ key: SOLVER_LABEL, operator: 'Exists' }] },
        policyTypes: ['Ingress'],
        ingress: [{ from: this.peers(), ports: [{ protocol: 'TCP', port: SOLVER_PORT }] }],
      },
    });
  }
}
