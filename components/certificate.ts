import type { Construct } from 'constructs';
import { declareExternal } from './external';
import type { Labels } from './kube';
import { kubeObject } from './kube';
import type { Late, LateSecret } from './late';
import { LateTokens } from './late';
import type { Problems } from './validation';

/** A certificate and its key, PEM-encoded. */
export interface PemPair {
  /** The chain, leaf first. */
  readonly cert: Late;
  readonly key: LateSecret;
}

type Source =
  | { readonly kind: 'issuer'; readonly issuer: string }
  | { readonly kind: 'secret'; readonly name: string }
  | { readonly kind: 'pem'; readonly pem: PemPair }
  | { readonly kind: 'controller' };

/** Where an ingress takes its certificate from. */
export class Certificate {
  /** Issued and renewed by cert-manager, which must be in the cluster with this ClusterIssuer. */
  public static issuedBy(clusterIssuer: string): Certificate {
    return new Certificate({ kind: 'issuer', issuer: clusterIssuer });
  }

  /** A Secret of type `kubernetes.io/tls` that exists in the ingress's namespace. */
  public static fromSecret(name: string): Certificate {
    return new Certificate({ kind: 'secret', name });
  }

  /** Brought along; whoever brings it renews it. */
  public static fromPem(pem: PemPair): Certificate {
    return new Certificate({ kind: 'pem', pem });
  }

  /** The default certificate that the ingress controller was started with: for a cluster of one's own, where one authority signs all. */
  public static ofController(): Certificate {
    return new Certificate({ kind: 'controller' });
  }

  private constructor(private readonly source: Source) {}

  /** Whether cert-manager answers its challenges in the ingress's namespace. @internal */
  public get _challenged(): boolean {
    return this.source.kind === 'issuer';
  }

  /** Name of the Secret that the ingress refers to, where it refers to one. @internal */
  public _secretName(asked: string | undefined, ingress: string): string | undefined {
    if (this.source.kind === 'controller') return undefined;
    return this.source.kind === 'secret' ? this.source.name : (asked ?? `${ingress}-tls`);
  }

  /** @internal */
  public _annotations(): Labels {
    return this.source.kind === 'issuer' ? { 'cert-manager.io/cluster-issuer': this.source.issuer } : {};
  }

  /** @internal */
  public _check(problems: Problems, secretName: string | undefined): void {
    const { source } = this;
    problems.require(
      secretName === undefined || source.kind === 'issuer' || source.kind === 'pem',
      'secretName names the Secret of a certificate that is issued or brought along; this one has its own',
    );
    if (source.kind === 'issuer') problems.dnsSubdomain('certificate: clusterIssuer', source.issuer);
    if (source.kind === 'secret') problems.dnsSubdomain('certificate: Secret', source.name);
    if (source.kind !== 'pem') return;
    const { cert, key } = source.pem;
    // A key that is wrong must not be shown, so the messages hold no value.
    problems
      .require(isPem(cert, 'CERTIFICATE'), 'certificate: cert must be PEM text that begins with BEGIN CERTIFICATE')
      .require(isPem(key, 'PRIVATE KEY'), 'certificate: key must be PEM text that begins with BEGIN … PRIVATE KEY');
  }

  /** Adds the Secret of a certificate that was brought along, or says that somebody else makes it. @internal */
  public _addSecret(scope: Construct, name: string, labels: Labels): void {
    if (this.source.kind === 'secret') declareExternal(scope, 'Secret', name);
    if (this.source.kind !== 'pem') return;
    const tokens = LateTokens.of(scope);
    const { cert, key } = this.source.pem;
    const stringData = { 'tls.crt': tokens.asString(scope, cert), 'tls.key': tokens.asSecret(scope, key) };
    kubeObject(scope, 'Secret', 'v1/Secret', { name, labels }, { type: 'kubernetes.io/tls', stringData });
  }
}

const isPem = (value: Late, what: string): boolean =>
  typeof value !== 'string' ||
  LateTokens.isToken(value) ||
  new RegExp(`^-----BEGIN ([A-Z]+ )?${what}-----\n`).test(value.replaceAll('\r\n', '\n').trimStart());
