import type * as pulumi from '@pulumi/pulumi';
import { RandomPassword } from '@pulumi/random';
import type { SecretsOf } from './secret-names';
import { mapSecrets } from './secret-names';

/** Secrets of one environment: made once, kept encrypted in the state. */
export interface Secrets extends SecretsOf<pulumi.Output<string>> {
  /** Key of the digests that roll pods; see ClusterReleaseArgs. */
  readonly digestKey: pulumi.Output<string>;
}

/** Makes every secret. Letters and digits only, since passwords become part of connection URLs. */
export const generateSecrets = (): Secrets => ({
  ...mapSecrets(({ name, length }) => password(name, length)),
  digestKey: password('digest-key', 48),
});

const password = (name: string, length: number): pulumi.Output<string> =>
  new RandomPassword(name, { length, special: false }).result;
