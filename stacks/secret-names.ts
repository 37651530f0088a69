import type { LateSecret } from '../components/late';
import { RotatingPassword } from '../components/rotating-password';
import type { PlatformValues } from './platform';
import type { Settings } from './schema';
import type { PasswordSettings } from './schema-fields';

/** A generated secret: its name in the state and in a store, and its length in characters. */
export interface GeneratedSecret {
  readonly name: string;
  readonly length: number;
  /** Which of several that follow each other; another number is another value. @default - it stays for the stack's life */
  readonly number?: number;
}

type Rotating = 'postgresPassword' | 'redisPassword';
type Systems<T> = {
  readonly [System in keyof PlatformValues]: Readonly<Record<keyof PlatformValues[System]['secrets'], T>>;
};

/** Something of every kind of value for each secret of each system, and for those that rotate one for each accepted number. */
export type SecretsOf<T> = {
  readonly [System in keyof PlatformValues]: {
    readonly [Key in keyof PlatformValues[System]['secrets']]: Key extends Rotating ? RotatingPassword : T;
  };
};

const generated = (name: string, length = 32): GeneratedSecret => ({ name, length });

/** Every secret of the platform. */
export const SECRETS: Systems<GeneratedSecret> = {
  noodleCore: {
    postgresPassword: generated('noodle-core-postgres'),
    replicationPassword: generated('noodle-core-postgres-replication'),
    archivePassphrase: generated('noodle-core-postgres-archive', 48),
    redisPassword: generated('noodle-core-redis'),
    redisSystemPassword: generated('noodle-core-redis-system'),
    backupKey: generated('noodle-core-backup-key', 64),
    secretKey: generated('noodle-core-secret-key', 64),
  },
  noaServer: {
    postgresPassword: generated('noa-server-postgres'),
    replicationPassword: generated('noa-server-postgres-replication'),
    archivePassphrase: generated('noa-server-postgres-archive', 48),
    redisPassword: generated('noa-server-redis'),
    redisSystemPassword: generated('noa-server-redis-system'),
    backupKey: generated('noa-server-backup-key', 64),
    secretKey: generated('noa-server-secret-key', 64),
    encryptionKey: generated('noa-server-encryption-key', 64),
    llamaApiKey: generated('noa-server-llama-api-key', 48),
  },
  observability: {
    grafanaPassword: generated('observability-grafana'),
  },
};

/** Makes a value of each secret; of those that rotate, one for each number that is accepted. */
export function mapSecrets<T extends LateSecret>(
  settings: Settings,
  make: (secret: GeneratedSecret) => T,
): SecretsOf<T> {
  const each = (secrets: Readonly<Record<string, GeneratedSecret>>): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(secrets).map(([key, secret]) => [key, make(secret)]));
  const system = <System extends 'noodleCore' | 'noaServer'>(name: System): SecretsOf<T>[System] => {
    const { postgres, redis } = settings[name];
    const rotating = (secret: GeneratedSecret, numbers: PasswordSettings): RotatingPassword =>
      RotatingPassword.of({
        accepted: Object.fromEntries(numbers.accepted.map((number) => [number, make(numbered(secret, number))])),
        used: numbers.used,
      });
    const { postgresPassword, redisPassword, ...single } = SECRETS[name] as Systems<GeneratedSecret>['noodleCore'];
    return {
      postgresPassword: rotating(postgresPassword, postgres.password),
      redisPassword: rotating(redisPassword, redis.password),
      ...each(single),
    } as SecretsOf<T>[System];
  };
  return {
    noodleCore: system('noodleCore'),
    noaServer: system('noaServer'),
    observability: each(SECRETS.observability) as SecretsOf<T>['observability'],
  };
}

/** Two take turns; the first has the name that it had when there was no second. */
const numbered = (secret: GeneratedSecret, number: number): GeneratedSecret => ({
  ...secret,
  name: number % 2 === 1 ? secret.name : `${secret.name}-b`,
  number,
});
