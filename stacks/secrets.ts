import type * as pulumi from '@pulumi/pulumi';
import { RandomPassword } from '@pulumi/random';
import { receiverUrl } from './observability';
import type { Settings } from './schema';
import type { PlatformSecrets } from './secret-modes';
import { referredSecrets } from './secret-modes';
import type { GeneratedSecret, SecretsOf } from './secret-names';
import { mapSecrets } from './secret-names';

/** Secrets of one environment: made once, kept encrypted in the state. */
export interface Secrets extends SecretsOf<pulumi.Output<string>> {
  /** Key of the digests that roll pods; see ClusterReleaseArgs. */
  readonly digestKey: pulumi.Output<string>;
}

/**
 * Where each secret comes from in a deployment. Only `generated` makes values; in the other modes none passes through the engine.
 * @throws ConfigurationError as `referredSecrets`
 */
export function platformSecrets(settings: Settings): PlatformSecrets {
  if (settings.secrets.mode !== 'generated') return referredSecrets(settings);
  const { digestKey, ...values } = generateSecrets(settings);
  return { values, receiverUrl: receiverUrl(settings), digestKey };
}

/** Makes every secret. Letters and digits only, since passwords become part of connection URLs. */
const generateSecrets = (settings: Settings): Secrets => ({
  ...mapSecrets(settings, password),
  digestKey: password({ name: 'digest-key', length: 48 }),
});

function password({ name, length, number = 1 }: GeneratedSecret): pulumi.Output<string> {
  // The first one was made before there were others, and must not be made anew.
  const keepers = number === 1 ? {} : { keepers: { number: String(number) } };
  return new RandomPassword(name, { length, special: false, ...keepers }).result;
}
