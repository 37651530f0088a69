import type { Construct } from 'constructs';
import { DATABASE_URL, databaseUrl } from './database-connection';
import { LOGINS_KEY, PASSWORD_KEY, REPLICATION_PASSWORD_KEY } from './database-pod';
import { READ_ONLY_URL } from './database-replicas';
import type { SslMode } from './database-tls';
import type { LateSecret } from './late';
import { LateTokens } from './late';
import type { Password } from './rotating-password';
import { acceptedPasswords, RotatingPassword, usedPassword } from './rotating-password';

/** Key of the Secret with the URL of the primary itself, where `DATABASE_URL` is the pooler's. */
export const DIRECT_URL = 'DATABASE_DIRECT_URL';
/** Key of the Secret with the users that the pooler lets in. */
export const USERS_KEY = 'PGBOUNCER_USERS';
/** Keys that servers and poolers take over while they run, where the password rotates. */
export const LIVE_KEYS: readonly string[] = [LOGINS_KEY, USERS_KEY];

/** The role that a password belongs to: two roles take turns, and the second acts as the first. */
const loginOf = (username: string, number: number): string => (number % 2 === 1 ? username : `${username}_b`);

/** The role that clients log in as. */
export const usedLogin = (username: string, password: Password): string =>
  password instanceof RotatingPassword ? loginOf(username, password.used) : username;

/** What the Secret of a database is made of. */
export interface DatabaseSecretInput {
  readonly username: string;
  readonly password: Password;
  readonly databaseName: string;
  readonly port: number;
  readonly primaryHost: string;
  readonly sslMode: SslMode | undefined;
  readonly poolerHost: string | undefined;
  readonly replicas?: { readonly host: string; readonly password: LateSecret | undefined };
}

/** Passwords, and one URL for each way in. Every part that is secret is a token. */
export function databaseSecretData(scope: Construct, input: DatabaseSecretInput): Readonly<Record<string, string>> {
  const { databaseName, port, sslMode, primaryHost, poolerHost, replicas } = input;
  const tokens = LateTokens.of(scope);
  const password = usedPassword(scope, input.password);
  const username = usedLogin(input.username, input.password);
  const logins = acceptedPasswords(input.password).map(
    (one) => [loginOf(input.username, one.number), tokens.asSecret(scope, one.password)] as const,
  );
  const url = (host: string): string => databaseUrl({ username, password, host, port, databaseName, sslMode });
  return {
    [PASSWORD_KEY]: password,
    [DATABASE_URL]: url(poolerHost ?? primaryHost),
    ...(poolerHost === undefined
      ? {}
      : { [DIRECT_URL]: url(primaryHost), [USERS_KEY]: logins.map(([role, own]) => `"${role}" "${own}"\n`).join('') }),
    ...(input.password instanceof RotatingPassword
      ? { [LOGINS_KEY]: logins.map(([role, own]) => `${role} ${own}\n`).join('') }
      : {}),
    ...(replicas?.password === undefined
      ? {}
      : { [READ_ONLY_URL]: url(replicas.host), [REPLICATION_PASSWORD_KEY]: tokens.asSecret(scope, replicas.password) }),
  };
}
