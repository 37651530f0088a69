import type { ApiObject } from 'cdk8s';
import type { CacheMembers } from './cache-members';
import { SYSTEM_PASSWORD_KEY } from './cache-members';
import type { CacheUser } from './cache-users';
import { passwordKey, passwordsKey, urlKey } from './cache-users';
import { kubeObject } from './kube';
import type { Labels } from './kube';
import type { LateSecret } from './late';
import { LateTokens } from './late';
import { setReleaseOptions } from './release-options';
import type { Password } from './rotating-password';
import { acceptedPasswords, RotatingPassword, usedPassword } from './rotating-password';

/** Key of the Secret with the URL of the way to the replicas. */
export const READ_ONLY_URL_KEY = 'REDIS_READ_ONLY_URL';

/** What the Secret is made from. */
export interface CacheSecretInput {
  readonly host: string;
  /** Host of the way to the replicas, where there is one. */
  readonly readOnlyHost: string | undefined;
  readonly password: Password | undefined;
  readonly systemPassword: LateSecret | undefined;
  readonly users: readonly CacheUser[];
  readonly labels: Labels;
}

/** Where servers find a user's passwords in the Secret: those that rotate have a key of their own. */
export const serverKey = (password: Password | undefined, user?: string): string =>
  password instanceof RotatingPassword ? passwordsKey(user) : passwordKey(user);

/** The store's Secret: a URL and a password for each user, and the members' own; all that are accepted, where they rotate. */
export function cacheSecret(store: CacheMembers, input: CacheSecretInput): ApiObject {
  const { password, systemPassword, labels } = input;
  const tokens = LateTokens.of(store);
  const token = password === undefined ? undefined : usedPassword(store, password);
  const url = (credentials: string, host = input.host): string => `redis://${credentials}${host}:${store.port}/0`;
  const clients = token === undefined ? '' : `:${token}@`;
  const data: Record<string, string> = { [urlKey()]: url(clients) };
  if (token !== undefined) data[passwordKey()] = token;
  if (input.readOnlyHost !== undefined) data[READ_ONLY_URL_KEY] = url(clients, input.readOnlyHost);
  if (store.topology.members !== undefined && systemPassword !== undefined) {
    data[SYSTEM_PASSWORD_KEY] = tokens.asSecret(store, systemPassword);
  }
  for (const user of input.users) {
    const own = usedPassword(store, user.password);
    data[passwordKey(user.name)] = own;
    data[urlKey(user.name)] = url(`${user.name}:${own}@`);
  }
  const live: string[] = [];
  for (const [user, own] of [
    [undefined, password] as const,
    ...input.users.map((one) => [one.name, one.password] as const),
  ]) {
    if (!(own instanceof RotatingPassword)) continue;
    live.push(passwordsKey(user));
    data[passwordsKey(user)] = acceptedPasswords(own)
      .map((one) => `${tokens.asSecret(store, one.password)}\n`)
      .join('');
  }
  const metadata = { name: store.secretName, labels };
  const secret = kubeObject(store, 'Secret', 'v1/Secret', metadata, { type: 'Opaque', stringData: data });
  if (live.length > 0) setReleaseOptions(secret, { liveKeys: live });
  return secret;
}
