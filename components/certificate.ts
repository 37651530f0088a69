import { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import { declareExternal } from './external';
import type { SecretReference } from './gateway-objects';
import type { Labels } from './kube';
import { kubeObject } from './kube';
import type { Late, LateSecret } from './late';
import { LateTokens } from './late';
import { wholeSeconds } from './lifecycle';
import type { Problems } from './validation';

/** A certificate and its key, PEM-encoded. */
export interface PemPair {
  /** The chain, leaf first. */
  readonly cert: Late;
  readonly key: LateSecret;
}

/** Where cert-manager looks for an issuer. */
export enum IssuerKind {
  /** One for the whole cluster. */
  CLUSTER_ISSUER = 'ClusterIssuer',
  /** One of the ingress's namespace. */
  ISSUER = 'Issuer',
}

/** How a certificate is issued. */
export interface IssuedCertificateOptions {
  /** @default IssuerKind.CLUSTER_ISSUER */
  readonly issuerKind?: IssuerKind;
  /** How long before its end it is issued anew. @default Duration.days(30), a third of what Let's Encrypt gives */
  readonly renewBefore?: Duration;
}

/** A Secret that may be elsewhere. */
export interface SecretOptions {
  /** Another namespace, which only the Gateway API can refer to; a ReferenceGrant is put there. @default - the ingress's */
  readonly namespace?: string;
}

type Source =
  | { readonly kind: 'issuer'; readonly issuer: string; readonly options: IssuedCertificateOptions }
  | { readonly kind: 'secret'; readonly secret: SecretReference }
  | { readonly kind: 'pem'; readonly pem: PemPair }
  | { readonly kind: 'controller'; readonly secret?: SecretReference };

/** Where an ingress takes its certificate from. */
export class Certificate {
  /**
   * Issued and renewed by cert-manager, which must be in the cluster with this issuer: a Certificate object that names every host, with a
   * new key each time. Wildcards are refused, since nobody should get one without asking for it.
   */
  public static issuedBy(issuer: string, options: IssuedCertificateOptions = {}): Certificate {
    return new Certificate({ kind: 'issuer', issuer, options });
  }

  /** A Secret of type `kubernetes.io/tls` that exists. */
  public static fromSecret(name: string, options: SecretOptions = {}): Certificate {
    return new Certificate({ kind: 'secret', secret: { name, ...options } });
  }

  /** Brought along; whoever brings it renews it. */
  public static fromPem(pem: PemPair): Certificate {
    return new Certificate({ kind: 'pem', pem });
  }

  /**
   * The default certificate of the controller: for a cluster of one's own, where one authority signs all, or a Gateway that somebody else owns.
   *
   * @param secret where it is, for a Gateway of the ingress's own, which has to name it
   */
  public static ofController(secret?: SecretReference): Certificate {
    return new Certificate({ kind: 'controller', ...(secret === undefined ? {} : { secret }) });
  }

  /** Signed by the authority of the cluster that `./trellis up` makes, for `*.trellis.localhost` and `localhost`. */
  public static localCa(): Certificate {
    return Certificate.ofController({ name: 'default-certificate', namespace: 'ingress' });
  }

  private constructor(private readonly source: Source) {}

  /** Whether cert-manager answers its challenges in the ingress's namespace. @internal */
  public get _challenged(): boolean {
    return this.source.kind === 'issuer';
  }

  /** Whether it is the controller's, so that nothing has to be made. @internal */
  public get _ofController(): boolean {
    return this.source.kind === 'controller';
  }

  /** Name of the Secret that an Ingress refers to, where it refers to one. @internal */
  public _secretName(asked: string | undefined, ingress: string): string | undefined {
    return this._ofController ? undefined : this._secret(asked, ingress)?.name;
  }

  /** The Secret that a Gateway refers to; nothing where it is not known. @internal */
  public _secret(asked: string | undefined, ingress: string): SecretReference | undefined {
    const { source } = this;
    return 'secret' in source || source.kind === 'controller' ? source.secret : { name: asked ?? `${ingress}-tls` };
  }

  /** @internal */
  public _check(problems: Problems, secretName: string | undefined): void {
    const { source } = this;
    problems.require(
      secretName === undefined || source.kind === 'issuer' || source.kind === 'pem',
      'secretName names the Secret of a certificate that is issued or brought along; this one has its own',
    );
    if (source.kind === 'issuer') checkIssued(problems, source.issuer, source.options);
    if (source.kind === 'secret' || source.kind === 'controller') {
      problems
        .dnsSubdomain('certificate: Secret', source.secret?.name)
        .dnsLabel('certificate: namespace', source.secret?.namespace);
    }
    if (source.kind !== 'pem') return;
    const { cert, key } = source.pem;
    // A key that is wrong must not be shown, so the messages hold no value.
    problems
      .require(isPem(cert, 'CERTIFICATE'), 'certificate: cert must be PEM text that begins with BEGIN CERTIFICATE')
      .require(isPem(key, 'PRIVATE KEY'), 'certificate: key must be PEM text that begins with BEGIN … PRIVATE KEY');
  }

  /** Adds what makes the Secret, or says that somebody else does. @internal */
  public _addObjects(
    scope: Construct,
    name: string,
    secretName: string,
    hosts: () => readonly string[],
    labels: Labels,
  ): void {
    const { source } = this;
    if (source.kind === 'secret' && source.secret.namespace === undefined) declareExternal(scope, 'Secret', secretName);
    if (source.kind === 'issuer') addIssued(scope, { name, labels }, secretName, hosts, source);
    if (source.kind !== 'pem') return;
    const tokens = LateTokens.of(scope);
    const { cert, key } = source.pem;
    const stringData = { 'tls.crt': tokens.asString(scope, cert), 'tls.key': tokens.asSecret(scope, key) };
    kubeObject(scope, 'Secret', 'v1/Secret', { name: secretName, labels }, { type: 'kubernetes.io/tls', stringData });
  }
}

const RENEW_BEFORE = Duration.days(30);

function checkIssued(problems: Problems, issuer: string, { renewBefore }: IssuedCertificateOptions): void {
  problems
    .dnsSubdomain('certificate: clusterIssuer', issuer)
    // cert-manager refuses less than five minutes.
    .integer('certificate: renewBefore in seconds', renewBefore && wholeSeconds(renewBefore), {
      min: 300,
      max: 31_536_000,
    });
}

function addIssued(
  scope: Construct,
  metadata: { readonly name: string; readonly labels: Labels },
  secretName: string,
  hosts: () => readonly string[],
  { issuer, options }: { readonly issuer: string; readonly options: IssuedCertificateOptions },
): void {
  kubeObject(scope, 'Certificate', 'cert-manager.io/v1/Certificate', metadata, () => ({
    spec: {
      secretName,
      dnsNames: hosts(),
      issuerRef: { group: 'cert-manager.io', kind: options.issuerKind ?? IssuerKind.CLUSTER_ISSUER, name: issuer },
      // A key that leaked is of no use after the next renewal.
      privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
      renewBefore: `${wholeSeconds(options.renewBefore ?? RENEW_BEFORE)}s`,
    },
  }));
}

const isPem = (value: Late, what: string): boolean =>
  typeof value !== 'string' ||
  LateTokens.isToken(value) ||
  new RegExp(`^-----BEGIN ([A-Z]+ )?${what}-----\n`).test(value.replaceAll('\r\n', '\n').trimStart());
