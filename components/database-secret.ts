import type { Construct } from 'constructs';
import { DATABASE_URL, databaseUrl } from './database-connection';
import { PASSWORD_KEY, REPLICATION_PASSWORD_KEY } from './database-pod';
import { READ_ONLY_URL } from './database-replicas';
import type { SslMode } from './database-tls';
import type { LateSecret } from './late';
import { LateTokens } from './late';

/** Key of the Secret with the URL of the primary itself, where `DATABASE_URL` is the pooler's. */
export const DIRECT_URL = 'DATABASE_DIRECT_URL';
/** Key of the Secret with the users that the pooler lets in. */
export const USERS_KEY = 'PGBOUNCER_USERS';

/** What the Secret of a database is made of. */
export interface DatabaseSecretInput {
  readonly username: string;
  readonly password: LateSecret;
  readonly databaseName: string;
  readonly port: number;
  readonly primaryHost: string;
  readonly sslMode: SslMode | undefined;
  readonly poolerHost: string | undefined;
  readonly replicas?: { readonly host: string; readonly password: LateSecret | undefined };
}

/** Passwords, and one URL for each way in. Every part that is secret is a token. */
export function databaseSecretData(scope: Construct, input: DatabaseSecretInput): Readonly<Record<string, string>> {
  const { username, databaseName, port, sslMode, primaryHost, poolerHost, replicas } = input;
  const tokens = LateTokens.of(scope);
  const password = tokens.asSecret(scope, input.password);
  const url = (host: string): string => databaseUrl({ username, password, host, port, databaseName, sslMode });
  return {
    [PASSWORD_KEY]: password,
    [DATABASE_URL]: url(poolerHost ?? primaryHost),
    ...(poolerHost === undefined
      ? {}
      : { [DIRECT_URL]: url(primaryHost), [USERS_KEY]: `"${username}" "${password}"\n` }),
    ...(replicas?.password === undefined
      ? {}
      : { [READ_ONLY_URL]: url(replicas.host), [REPLICATION_PASSWORD_KEY]: tokens.asSecret(scope, replicas.password) }),
  };
}
