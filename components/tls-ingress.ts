import type { Duration } from 'cdk8s';
import { Chart, Lazy, Size } from 'cdk8s';
import { Construct } from 'constructs';
import type { Certificate } from './certificate';
import type { IClient } from './connections';
import { ValidationError } from './errors';
import { scoreIgnored } from './http-objects';
import type { IHttpService } from './http-workload';
import type { Kinds, Labels, NetworkPolicyPeer } from './kube';
import { kubeObject } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import { wholeSeconds } from './lifecycle';
import { sizeBytes } from './units';
import { Problems } from './validation';

/** One path of one host, and the service that answers there. */
export interface IngressRoute {
  /** Lower-case host name; a leading `*.` is allowed. */
  readonly host: Late;
  /** Prefix of whole path elements: `/api` takes `/api/x` but not `/apix`. @default "/" */
  readonly path?: string;
  /** Must be in the ingress's namespace. */
  readonly to: IHttpService;
}

/** Where the pods of the ingress controller are; they alone may reach the services behind an ingress. */
export interface IngressController {
  readonly namespace: string;
  /** @default - every pod of that namespace */
  readonly podLabels?: Labels;
}

/** Public HTTPS addresses of services. */
export interface TlsIngressProps {
  /** One for every host of the routes. */
  readonly certificate: Certificate;
  /** @default - the construct's id */
  readonly name?: string;
  /** The annotations are those of ingress-nginx, which other controllers of this class read too. @default "nginx" */
  readonly className?: string;
  /** At least one must be there by synth. @default - none; see addRoute */
  readonly routes?: readonly IngressRoute[];
  /** Whether plain HTTP is answered with a redirect to HTTPS. @default true */
  readonly redirectHttp?: boolean;
  /** Secret of a certificate that is issued or brought along. @default - `<name>-tls` */
  readonly secretName?: string;
  /** @default - the pods of ingress-nginx's own chart, in namespace `ingress-nginx` */
  readonly controller?: IngressController;
  /** Largest body of a request; a larger one is answered with 413. @default Size.mebibytes(1), as NGINX has it */
  readonly maxBodySize?: Size;
  /** How long the controller waits for an answer. @default - the longest request of all services behind it, at least 60 s as NGINX has it */
  readonly readTimeout?: Duration;
  /** Put on every object. @default - none */
  readonly labels?: Labels;
}

const NGINX = 'nginx.ingress.kubernetes.io';
const DEFAULT_CONTROLLER: IngressController = {
  namespace: 'ingress-nginx',
  podLabels: { 'app.kubernetes.io/name': 'ingress-nginx', 'app.kubernetes.io/component': 'controller' },
};
// Where cert-manager's pod for an HTTP-01 challenge listens, and the label that only it has.
const SOLVER_PORT = 8089;
const SOLVER_LABEL = 'acme.cert-manager.io/http01-solver';

const ACME_SUFFIX = '-acme';
const NO_ROUTE = 'an ingress needs at least one route; give routes, or call addRoute';
// NGINX's own defaults: an ingress that says nothing should not be stricter than one without the library.
const DEFAULT_TIMEOUT_SECONDS = 60;
const DEFAULT_BODY = Size.mebibytes(1);

interface Route {
  readonly host: string;
  readonly path: string;
  readonly to: IHttpService;
}
type IngressPath = NonNullable<
  NonNullable<Kinds['networking.k8s.io/v1/Ingress']['spec']['rules']>[number]['http']
>['paths'][number];

/**
 * HTTPS in front of services: one Ingress with TLS for every host, HTTP redirected, timeouts that follow from the services behind,
 * and their NetworkPolicies opened for the ingress controller alone.
 * HSTS has no annotation; ingress-nginx sends it by default on every host with TLS.
 */
export class TlsIngress extends Construct implements IClient {
  public readonly name: string;
  public readonly className: string;
  public readonly redirectHttp: boolean;
  /** The controller's pods, as the services behind see them. */
  public readonly peer: NetworkPolicyPeer;
  private readonly known: Route[] = [];

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
    const controller = props.controller ?? DEFAULT_CONTROLLER;
    this.peer = {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': controller.namespace } },
      ...(controller.podLabels === undefined ? {} : { podSelector: { matchLabels: controller.podLabels } }),
    };
    this.addRoutes(this.check(controller), props.routes ?? []);
    this.addObjects();
    this.node.addValidation({ validate: () => (this.known.length > 0 ? [] : [NO_ROUTE]) });
  }

  /** The hosts, each once, in the order of their routes; a late one as its token. */
  public get hosts(): readonly string[] {
    return [...new Set(this.known.map(({ host }) => host))];
  }

  /** Adds one route. @throws ValidationError where its host or path is wrong or taken. */
  public addRoute(route: IngressRoute): this {
    this.addRoutes(new Problems(this), [route]);
    return this;
  }

  private check(controller: IngressController): Problems {
    const { props } = this;
    const problems = new Problems(this)
      .dnsLabel('name', this.name, 63 - ACME_SUFFIX.length)
      .dnsSubdomain('className', this.className)
      .dnsSubdomain('secretName', props.secretName)
      .dnsLabel('controller.namespace', controller.namespace)
      .size('maxBodySize', props.maxBodySize)
      .integer('readTimeout in seconds', props.readTimeout && wholeSeconds(props.readTimeout), { min: 1, max: 86_400 });
    for (const [key, value] of [...Object.entries(props.labels ?? {}), ...Object.entries(controller.podLabels ?? {})]) {
      problems.labelValue(`labels['${key}']`, value);
    }
    props.certificate._check(problems, props.secretName);
    return problems;
  }

  private addRoutes(problems: Problems, routes: readonly IngressRoute[]): void {
    const added: Route[] = [];
    for (const route of routes) added.push(this.checkRoute(problems, route, [...this.known, ...added]));
    problems.raise();
    for (const route of added) {
      this.known.push(route);
      route.to.allowFrom(this);
      this.node.addDependency(route.to);
    }
  }

  private checkRoute(problems: Problems, route: IngressRoute, others: readonly Route[]): Route {
    const host = LateTokens.of(this).asString(this, route.host);
    const path = route.path ?? '/';
    const namespaces = [route.to, this].map((construct) => Chart.of(construct).namespace);
    problems
      .host('route host', host)
      // What ingress-nginx's strict validation of paths lets through.
      .require(
        /^\/[\w./-]*$/.test(path) && !path.includes('//'),
        `route path must start with '/' and hold letters, digits, '.', '_', '-' only, got '${path}'`,
      )
      .require(
        !others.some((other) => other.host === host && other.path === path),
        `route ${host}${path} is there twice`,
      )
      .require(
        namespaces[0] === namespaces[1],
        `route ${host}${path} leads to ${route.to.node.path} in namespace '${namespaces[0] ?? ''}'; an Ingress reaches Services of its own, '${namespaces[1] ?? ''}'`,
      );
    return { host, path, to: route.to };
  }

  private addObjects(): void {
    const { name, props } = this;
    const labels = props.labels ?? {};
    const secretName = props.certificate._secretName(props.secretName, name);
    if (secretName !== undefined) props.certificate._addSecret(this, secretName, labels);
    if (props.certificate._challenged) this.admitChallenges(labels);
    const metadata = { name, labels, annotations: this.annotations() };
    kubeObject(this, 'Ingress', 'networking.k8s.io/v1/Ingress', metadata, () => {
      if (this.known.length === 0) throw new ValidationError(this, [NO_ROUTE]);
      return {
        spec: {
          ingressClassName: this.className,
          // Without a Secret the controller serves its own certificate, and TLS is on for the hosts all the same.
          tls: [{ hosts: this.hosts, ...(secretName === undefined ? {} : { secretName }) }],
          rules: this.hosts.map((host) => ({ host, http: { paths: this.paths(host) } })),
        },
      };
    });
  }

  private paths(host: string): IngressPath[] {
    return this.known
      .filter((route) => route.host === host)
      .map(({ path, to }) => ({
        path,
        pathType: 'Prefix',
        backend: { service: { name: to.serviceName, port: { number: to.port } } },
      }));
  }

  private annotations(): Labels {
    const { certificate, maxBodySize = DEFAULT_BODY } = this.props;
    const redirect = String(this.redirectHttp);
    // Known once every route is.
    const timeout = Lazy.any({ produce: () => String(this.timeoutSeconds()) }) as string;
    return {
      ...certificate._annotations(),
      [`${NGINX}/ssl-redirect`]: redirect,
      // The first one alone does nothing where TLS ends in front of the controller.
      [`${NGINX}/force-ssl-redirect`]: redirect,
      [`${NGINX}/proxy-read-timeout`]: timeout,
      [`${NGINX}/proxy-send-timeout`]: timeout,
      [`${NGINX}/proxy-body-size`]: nginxSize(maxBodySize),
    };
  }

  private timeoutSeconds(): number {
    const { readTimeout } = this.props;
    if (readTimeout !== undefined) return wholeSeconds(readTimeout);
    return Math.max(DEFAULT_TIMEOUT_SECONDS, ...this.known.map(({ to }) => to.longestRequestSeconds));
  }

  // The pod that answers the challenge lives in this namespace, where nothing may come in by default.
  private admitChallenges(labels: Labels): void {
    const annotations = scoreIgnored({
      'networkpolicy-targets-pod': 'cert-manager makes the pod while a challenge runs',
    });
    kubeObject(
      this,
      'ChallengePolicy',
      'networking.k8s.io/v1/NetworkPolicy',
      { name: `${this.name}${ACME_SUFFIX}`, labels, annotations },
      {
        spec: {
          podSelector: { matchExpressions: [{ key: SOLVER_LABEL, operator: 'Exists' }] },
          policyTypes: ['Ingress'],
          ingress: [{ from: [this.peer], ports: [{ protocol: 'TCP', port: SOLVER_PORT }] }],
        },
      },
    );
  }
}

/** NGINX knows `k` and `m`, both binary. */
const nginxSize = (size: Size): string => {
  const kibibytes = Math.ceil(sizeBytes(size) / 1024);
  return kibibytes % 1024 === 0 ? `${kibibytes / 1024}m` : `${kibibytes}k`;
};
