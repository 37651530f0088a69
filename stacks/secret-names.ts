import type { PlatformValues } from './platform';

/** A generated secret: its name in the state and in a store, and its length in characters. */
export interface GeneratedSecret {
  readonly name: string;
  readonly length: number;
}

/** Something of every kind of value for each secret of each system. */
export type SecretsOf<T> = {
  readonly [System in keyof PlatformValues]: Readonly<Record<keyof PlatformValues[System]['secrets'], T>>;
};

const generated = (name: string, length = 32): GeneratedSecret => ({ name, length });

/** Every secret of the platform. */
export const SECRETS: SecretsOf<GeneratedSecret> = {
  noodleCore: {
    postgresPassword: generated('noodle-core-postgres'),
    replicationPassword: generated('noodle-core-postgres-replication'),
    archivePassphrase: generated('noodle-core-postgres-archive', 48),
    redisPassword: generated('noodle-core-redis'),
    redisSystemPassword: generated('noodle-core-redis-system'),
    secretKey: generated('noodle-core-secret-key', 64),
  },
  noaServer: {
    postgresPassword: generated('noa-server-postgres'),
    replicationPassword: generated('noa-server-postgres-replication'),
    archivePassphrase: generated('noa-server-postgres-archive', 48),
    redisPassword: generated('noa-server-redis'),
    redisSystemPassword: generated('noa-server-redis-system'),
    secretKey: generated('noa-server-secret-key', 64),
    encryptionKey: generated('noa-server-encryption-key', 64),
    llamaApiKey: generated('noa-server-llama-api-key', 48),
  },
};

/** Makes a value of each secret. */
export function mapSecrets<T>(make: (secret: GeneratedSecret) => T): SecretsOf<T> {
  const system = <K extends string>(secrets: Readonly<Record<K, GeneratedSecret>>): Readonly<Record<K, T>> =>
    Object.fromEntries(Object.entries<GeneratedSecret>(secrets).map(([key, secret]) => [key, make(secret)])) as Record<
      K,
      T
    >;
  return { noodleCore: system(SECRETS.noodleCore), noaServer: system(SECRETS.noaServer) };
}
