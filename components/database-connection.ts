import { isIP } from 'node:net';
import type { EnvValue } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { IBackend, IClient } from './connections';
import { secretKey } from './connections';
import { declareExternal } from './external';
import type { SecretKey, SslMode } from './database-tls';
import type { NetworkPolicyPeer } from './kube';
import type { Late } from './late';
import { LateTokens } from './late';
import { Problems } from './validation';

/** Name of the variable that clients read, and of the key in the Secret that holds it. */
export const DATABASE_URL = 'DATABASE_URL';
/** Name of the variable that holds the authority's certificate, as PEM text, where the server's is to be verified. */
export const DATABASE_CA = 'DATABASE_CA_CERT';

/** A database that services may connect to, in this cluster or elsewhere. */
export interface IStatefulDatabase extends IBackend {
  readonly databaseName: string;
  /** Secret that holds the URL. */
  readonly secretName: string;
  /** Key of the Secret with the URL. */
  readonly urlKey: string;
}

/** A database that something else runs. */
export interface ExternalDatabaseAttributes {
  /** Name under which it is reached, for readers and for checks; clients use the URL of the Secret. */
  readonly host: Late;
  /** @default 5432 */
  readonly port?: number;
  /** For readers, like the host. */
  readonly databaseName: string;
  /** An existing Secret in the clients' namespace with the key `DATABASE_URL`. */
  readonly secretName: string;
  /**
   * Addresses that the clients' NetworkPolicies open, as a CIDR block. NetworkPolicies know no host names.
   * @default "0.0.0.0/0" - any address, on the database's port only
   */
  readonly cidr?: string;
  /**
   * How far clients check the server. They get it as `PGSSLMODE`, which holds where the URL says nothing else.
   * @default - what the URL says
   */
  readonly sslMode?: SslMode;
  /**
   * Key of the Secret with the authority's certificate, which clients get as `DATABASE_CA_CERT`.
   * @default - none: the server's certificate is that of an authority that clients know, or is not verified
   */
  readonly caKey?: string;
}

/** Environment of a client: the URL and, where there is one, the authority's certificate, both from Secrets. */
export const databaseEnv = (
  url: SecretKey,
  prefix = '',
  authority: SecretKey | undefined = undefined,
): Readonly<Record<string, EnvValue>> => ({
  [`${prefix}${DATABASE_URL}`]: secretKey(url.secretName, url.key),
  ...(authority === undefined ? {} : { [`${prefix}${DATABASE_CA}`]: secretKey(authority.secretName, authority.key) }),
});

/** URL of a database. Nothing is escaped: names are identifiers, and a late password has to be safe in a URL. */
export const databaseUrl = (to: {
  readonly username: string;
  readonly password: string;
  readonly host: string;
  readonly port: number;
  readonly databaseName: string;
  readonly sslMode?: SslMode | undefined;
}): string =>
  `postgres://${to.username}:${to.password}@${to.host}:${to.port}/${to.databaseName}${to.sslMode === undefined ? '' : `?sslmode=${to.sslMode}`}`;

/** See `StatefulDatabase.fromExternal`. */
export class ExternalDatabase extends Construct implements IStatefulDatabase {
  public readonly host: string;
  public readonly port: number;
  public readonly databaseName: string;
  public readonly secretName: string;
  public readonly urlKey = DATABASE_URL;
  public readonly peer: NetworkPolicyPeer;

  public constructor(
    scope: Construct,
    id: string,
    private readonly attributes: ExternalDatabaseAttributes,
  ) {
    super(scope, id);
    const { port = 5432, databaseName, secretName, cidr = '0.0.0.0/0', caKey } = attributes;
    const host = LateTokens.of(this).asString(this, attributes.host);
    new Problems(this)
      .dnsSubdomain('host', host)
      .port('port', port)
      .require(databaseName !== '', 'databaseName must not be empty')
      .dnsSubdomain('secretName', secretName)
      .require(isCidr(cidr), `cidr must be an IPv4 or IPv6 block such as 10.0.0.0/16, got '${cidr}'`)
      .require(
        caKey === undefined || /^[-._a-zA-Z0-9]{1,253}$/.test(caKey),
        `caKey must be a key of a Secret (letters, digits, '-', '_', '.'), got '${caKey ?? ''}'`,
      )
      .raise();
    declareExternal(this, 'Secret', secretName);
    this.host = host;
    this.port = port;
    this.databaseName = databaseName;
    this.secretName = secretName;
    this.peer = { ipBlock: { cidr } };
  }

  public connectionEnv(prefix = ''): Readonly<Record<string, Late | EnvValue>> {
    const { secretName, urlKey } = this;
    const { sslMode, caKey } = this.attributes;
    const authority = caKey === undefined ? undefined : { secretName, key: caKey };
    return {
      ...databaseEnv({ secretName, key: urlKey }, prefix, authority),
      ...(sslMode === undefined ? {} : { [`${prefix}PGSSLMODE`]: sslMode }),
    };
  }

  /** Does nothing: who may connect is decided where the database runs. */
  public allowFrom(..._clients: readonly IClient[]): void {}
}

const isCidr = (text: string): boolean => {
  const [address = '', bits = '', ...more] = text.split('/');
  const family = isIP(address);
  return family !== 0 && more.length === 0 && /^[0-9]{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
};
