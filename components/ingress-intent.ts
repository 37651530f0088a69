import type { Size } from 'cdk8s';
import type { IHttpService } from './http-workload';
import type { GatewayOptions, IngressBackend, NginxOptions, SharedGatewayOptions } from './ingress-backend';
import { nginxHsts } from './ingress-backend';
import type { Hsts, IngressLoss, RateLimit, SecurityHeaders } from './ingress-options';
import { IngressFeature } from './ingress-options';
import type { Labels } from './kube';

/** A route as it was checked; a late host is its token. */
export interface KnownRoute {
  readonly host: string;
  readonly path: string;
  readonly to: IHttpService;
}

/** What an ingress is to do, whichever back end does it. Routes are known at synth, so they are asked for. */
export interface IngressIntent {
  readonly name: string;
  readonly labels: Labels;
  readonly redirectHttp: boolean;
  readonly maxBodySize: Size | undefined;
  readonly hsts: Hsts;
  readonly securityHeaders: SecurityHeaders | undefined;
  readonly gzip: boolean;
  readonly rateLimit: RateLimit | undefined;
  readonly streaming: boolean;
  readonly routes: () => readonly KnownRoute[];
  readonly hosts: () => readonly string[];
  readonly timeoutSeconds: () => number;
}

/** Headers that ingress-nginx itself doesn't send. */
export function nginxHeaders(intent: IngressIntent, options: NginxOptions): readonly (readonly [string, string])[] {
  const hsts = intent.hsts.header;
  const own =
    hsts === nginxHsts(options).header || hsts === undefined ? [] : [['Strict-Transport-Security', hsts] as const];
  // The controller compares names exactly, and answers 503 for one that it does not find.
  const allowed = options.allowedResponseHeaders ?? [];
  return [...own, ...(intent.securityHeaders?.headers ?? [])].filter(([name]) => allowed.includes(name));
}

/** Everything that was asked and that a back end doesn't do, in the order of the features. */
export const lossesOf = (intent: IngressIntent, backend: IngressBackend): readonly IngressLoss[] => [
  ...(backend._nginx === undefined ? [] : nginxLosses(intent, backend._nginx)),
  ...(backend._gateway === undefined ? [] : gatewayLosses(intent, backend._gateway)),
];

function nginxLosses(intent: IngressIntent, options: NginxOptions): readonly IngressLoss[] {
  const losses: IngressLoss[] = [];
  const lose = (feature: IngressFeature, reason: string): void =>
    void losses.push({ feature, backend: 'nginx', reason });
  const [wanted, sent] = [intent.hsts.header, nginxHsts(options).header];
  const set = new Set(nginxHeaders(intent, options).map(([name]) => name));
  if (wanted !== sent && (sent !== undefined || !set.has('Strict-Transport-Security'))) {
    lose(
      IngressFeature.HSTS,
      `ingress-nginx takes it from its ConfigMap alone and sends ${sent === undefined ? 'none' : `'${sent}'`}; say in backend.hsts what that ConfigMap holds`,
    );
  }
  const refused = (intent.securityHeaders?.headers ?? []).filter(([name]) => !set.has(name)).map(([name]) => name);
  if (refused.length > 0) {
    lose(
      IngressFeature.SECURITY_HEADERS,
      `ingress-nginx sets no header that its ConfigMap doesn't allow: ${refused.join(', ')}; say in backend.allowedResponseHeaders what it does`,
    );
  }
  if (intent.gzip && options.gzip !== true) {
    lose(
      IngressFeature.GZIP,
      'ingress-nginx takes it from its ConfigMap alone (use-gzip); say in backend.gzip that it is on',
    );
  }
  return losses;
}

function gatewayLosses(intent: IngressIntent, options: GatewayOptions | SharedGatewayOptions): readonly IngressLoss[] {
  const asked: readonly (readonly [IngressFeature, boolean])[] = [
    [IngressFeature.GZIP, intent.gzip],
    [IngressFeature.RATE_LIMIT, intent.rateLimit !== undefined],
    [IngressFeature.BODY_SIZE, intent.maxBodySize !== undefined],
  ];
  const covered = new Set((options.extensions ?? []).flatMap(({ covers }) => covers));
  return asked
    .filter(([feature, wanted]) => wanted && !covered.has(feature))
    .map(([feature]) => ({
      feature,
      backend: 'gateway',
      reason: "the Gateway API has no field for it; name the vendor's own filter that does it in backend.extensions",
    }));
}
