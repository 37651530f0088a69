import type { Construct } from 'constructs';
import { Chart } from 'cdk8s';
import { declareExternal } from './external';
import type { Labels, Volume, VolumeMount } from './kube';
import { kubeObject } from './kube';
import type { ContainerSpec } from './pod';
import { compute } from './pod';
import type { Problems } from './validation';

/** Key of the authority's certificate, in the Secret that a server's certificate is in. */
export const CA_KEY = 'ca.crt';

/** How far a client checks whom it talks to; libpq's own words. */
export enum SslMode {
  /** Encrypted, with whoever answers. */
  REQUIRE = 'require',
  /** Encrypted, with a server whose certificate is the authority's and has the host's name in it. */
  VERIFY_FULL = 'verify-full',
}

/** One key of a Secret. */
export interface SecretKey {
  readonly secretName: string;
  readonly key: string;
}

type Source =
  | { readonly kind: 'self' }
  | { readonly kind: 'issuer'; readonly issuer: string }
  | { readonly kind: 'secret'; readonly name: string };

/** What one pod needs to serve TLS. */
export interface TlsFiles {
  readonly volume: Volume;
  readonly mount: VolumeMount;
  readonly initContainers: readonly ContainerSpec[];
}

const VOLUME = 'tls';
const CA_DIRECTORY = '/run/secrets/postgres-ca';
const SELF_SIGNED_DAYS = 3650;

// The key never leaves the pod's memory; a pod that starts anew has a new one, which clients do not look at.
const SELF_SIGN = `
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days ${SELF_SIGNED_DAYS} -subj "/CN=$TLS_NAME" \\
  -addext "subjectAltName=DNS:$TLS_NAME" -keyout "$TLS_DIRECTORY/tls.key" -out "$TLS_DIRECTORY/tls.crt"
`.trim();

/** Where a database's certificate comes from. With any of them the servers refuse clients without TLS. */
export class DatabaseTls {
  /** Each pod makes its own at its start: traffic is encrypted, and nobody is proven to be who they are. Clients use `sslmode=require`. */
  public static selfSigned(): DatabaseTls {
    return new DatabaseTls({ kind: 'self' });
  }

  /**
   * Issued and renewed by cert-manager through this ClusterIssuer, which has to be one for names inside of the cluster, such as an authority
   * of your own. Clients use `sslmode=verify-full` and get the authority's certificate as `DATABASE_CA_CERT`.
   */
  public static issuedBy(clusterIssuer: string): DatabaseTls {
    return new DatabaseTls({ kind: 'issuer', issuer: clusterIssuer });
  }

  /**
   * A Secret that exists in the database's namespace, with `tls.crt`, `tls.key` and `ca.crt`; the certificate has to hold the name of each
   * Service. Clients use `sslmode=verify-full`.
   */
  public static fromSecret(name: string): DatabaseTls {
    return new DatabaseTls({ kind: 'secret', name });
  }

  private constructor(private readonly source: Source) {}

  /** How clients connect. */
  public get sslMode(): SslMode {
    return this.source.kind === 'self' ? SslMode.REQUIRE : SslMode.VERIFY_FULL;
  }

  /** The authority that clients trust, where there is one. @internal */
  public _authority(database: string): SecretKey | undefined {
    const { source } = this;
    if (source.kind === 'self') return undefined;
    return { secretName: source.kind === 'secret' ? source.name : `${database}-tls`, key: CA_KEY };
  }

  /** @internal */
  public _check(problems: Problems): void {
    if (this.source.kind === 'issuer') problems.dnsSubdomain('tls: clusterIssuer', this.source.issuer);
    if (this.source.kind === 'secret') problems.dnsSubdomain('tls: Secret', this.source.name);
  }

  /** Asks for the certificate of all Services of the database, or says that somebody else makes its Secret. @internal */
  public _addCertificate(
    scope: Construct,
    database: string,
    services: readonly string[],
    labels: Labels,
    secretLabels?: Labels,
  ): void {
    const secret = this._authority(database);
    if (secret === undefined) return;
    declareExternal(scope, 'Secret', secret.secretName);
    if (this.source.kind !== 'issuer') return;
    const { issuer } = this.source;
    kubeObject(
      scope,
      'Certificate',
      'cert-manager.io/v1/Certificate',
      { name: secret.secretName, labels },
      {
        spec: {
          secretName: secret.secretName,
          ...(secretLabels === undefined ? {} : { secretTemplate: { labels: secretLabels } }),
          issuerRef: { group: 'cert-manager.io', kind: 'ClusterIssuer', name: issuer },
          dnsNames: serviceNames(scope, services),
          usages: ['server auth', 'digital signature'],
          privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
        },
      },
    );
  }

  /**
   * Certificate and key as `tls.crt` and `tls.key` in `directory`.
   * @param image one with OpenSSL, as all of the library's are @internal
   */
  public _files(database: string, directory: string, image: string, host: string): TlsFiles {
    const secret = this._authority(database);
    const mount = { name: VOLUME, mountPath: directory };
    if (secret !== undefined) {
      // 0440: PostgreSQL takes a key that root owns, if nobody but its group may read it.
      const volume = { name: VOLUME, secret: { secretName: secret.secretName, defaultMode: 0o440 } };
      return { volume, mount: { ...mount, readOnly: true }, initContainers: [] };
    }
    const env = { TLS_DIRECTORY: directory, TLS_NAME: host };
    return {
      volume: { name: VOLUME, emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      mount: { ...mount, readOnly: true },
      initContainers: [
        {
          name: 'self-sign',
          image,
          args: ['/bin/sh', '-euc', SELF_SIGN],
          env: Object.entries(env).map(([name, value]) => ({ name, value })),
          resources: compute([20, 200], [16, 64]),
          mounts: [mount],
        },
      ],
    };
  }
}

/** What a pod with a client of PostgreSQL's own library needs to check the server. */
export interface TlsClient {
  readonly env: Readonly<Record<string, string>>;
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
}

/** The same as clients get from their URL, for programs that have none. */
export function tlsClient(tls: DatabaseTls | undefined, database: string): TlsClient {
  const authority = tls?._authority(database);
  const secret = authority && { secretName: authority.secretName, items: [{ key: CA_KEY, path: CA_KEY }] };
  return {
    env: {
      ...(tls === undefined ? {} : { PGSSLMODE: tls.sslMode }),
      ...(secret === undefined ? {} : { PGSSLROOTCERT: `${CA_DIRECTORY}/${CA_KEY}` }),
    },
    volumes: secret === undefined ? [] : [{ name: 'ca', secret }],
    mounts: secret === undefined ? [] : [{ name: 'ca', mountPath: CA_DIRECTORY, readOnly: true }],
  };
}

/** Every name that a Service is called by, from within its namespace and from others. */
function serviceNames(scope: Construct, services: readonly string[]): readonly string[] {
  const namespace = Chart.of(scope).namespace;
  const suffixes = namespace === undefined ? [''] : ['', `.${namespace}`, `.${namespace}.svc`];
  return services.flatMap((service) => suffixes.map((suffix) => `${service}${suffix}`));
}
