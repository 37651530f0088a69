import type * as pulumi from '@pulumi/pulumi';
import type { SecretSource } from '../bridge/secret-source';
import { ExternalSecretValue, SealedSecretValue } from '../bridge/secret-source';
import type { LateSecret } from '../components/late';
import type { Settings } from './schema';
import { readSealed } from './sealed-file';
import type { SecretsOf } from './secret-names';
import { mapSecrets } from './secret-names';

/** Name of the address that alerts are sent to, where the engine does not know it. */
export const RECEIVER_URL = 'observability-receiver-url';

/** The secrets of one environment as its charts take them, and what makes them in the cluster. */
export interface PlatformSecrets {
  readonly values: SecretsOf<LateSecret>;
  /** Where alerts are sent to: given by the configuration, and never generated. */
  readonly receiverUrl: LateSecret;
  /** Nothing where the values are known to the engine. */
  readonly source?: SecretSource;
  /** Key of the digests that roll pods; nothing where no value is known. See ClusterReleaseArgs. */
  readonly digestKey?: pulumi.Output<string>;
}

/**
 * Where each secret comes from without an engine: references to the store, or to ciphertexts. What a deployment generates is expected in
 * the store.
 * @throws ConfigurationError where the file of ciphertexts is missing or not to be read, with all problems
 */
export function referredSecrets(settings: Settings): PlatformSecrets & { readonly source: SecretSource } {
  const { secrets } = settings;
  if (secrets.mode === 'sealed') {
    return {
      values: mapSecrets(settings, ({ name }) => new SealedSecretValue(name)),
      receiverUrl: new SealedSecretValue(RECEIVER_URL),
      source: { kind: 'SealedSecret', ciphertexts: readSealed(secrets.file) },
    };
  }
  const { kind, name, prefix, revision } = secrets.store;
  return {
    values: mapSecrets(settings, (secret) => new ExternalSecretValue(`${prefix}/${secret.name}`)),
    receiverUrl: new ExternalSecretValue(`${prefix}/${RECEIVER_URL}`),
    source: { kind, name, revision },
  };
}
