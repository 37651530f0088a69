import type * as pulumi from '@pulumi/pulumi';
import { RandomPassword } from '@pulumi/random';

/** Secrets of one environment: made once, kept encrypted in the state. */
export interface Secrets {
  readonly postgresPassword: pulumi.Output<string>;
  readonly redisPassword: pulumi.Output<string>;
  readonly secretKey: pulumi.Output<string>;
  /** Key of the digests that roll pods; see ClusterReleaseArgs. */
  readonly digestKey: pulumi.Output<string>;
}

/** Makes every secret. Letters and digits only, since passwords become part of connection URLs. */
export function generateSecrets(): Secrets {
  return {
    postgresPassword: password('noodle-core-postgres', 32),
    redisPassword: password('noodle-core-redis', 32),
    secretKey: password('noodle-core-secret-key', 64),
    digestKey: password('digest-key', 48),
  };
}

const password = (name: string, length: number): pulumi.Output<string> =>
  new RandomPassword(name, { length, special: false }).result;
