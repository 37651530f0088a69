import type { DatabasePooler } from './database-pooler';
import { loginsSource } from './database-pod';
import type { DatabaseParts } from './database-servers';
import { tlsClient } from './database-tls';
import type { Labels } from './kube';
import { LateTokens } from './late';
import { PasswordCheck } from './password-check';
import type { RotatingPassword } from './rotating-password';

/** What is asked who may log in. */
export interface LoginsCheckOptions {
  readonly rotation: RotatingPassword;
  readonly labels: Labels;
  /** Name of the primary. */
  readonly primary: string;
  readonly pooler: DatabasePooler | undefined;
}

/** Waits until primary and poolers let in exactly the logins of the definition. Replicas follow the primary within their lag. */
export function addLoginsCheck(database: DatabaseParts, options: LoginsCheckOptions): PasswordCheck {
  const { name, engine, databaseName, port, secretName, tls } = database;
  const { rotation, labels, primary, pooler } = options;
  const logins = loginsSource(secretName);
  const client = tlsClient(tls, name);
  const env = {
    PGAPPNAME: `${name}-logins`,
    PGCONNECT_TIMEOUT: '5',
    PGDATABASE: databaseName,
    PGHOST: primary,
    ...(pooler === undefined ? {} : { PGPOOLER: pooler.host }),
    PGPORT: String(port),
    ...client.env,
    POSTGRES_LOGINS_FILE: logins.file,
  };
  return new PasswordCheck(database, 'Logins', {
    ...{ name, labels, rotations: [rotation] },
    image: LateTokens.of(database).asString(database, engine.image),
    user: engine.user,
    args: ['postgres-logins-ready', ...(pooler === undefined ? [] : [pooler.membersHost])],
    env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
    volumes: [logins.volume, ...client.volumes],
    mounts: [logins.mount, ...client.mounts],
  });
}
