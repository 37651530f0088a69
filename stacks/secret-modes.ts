import type * as pulumi from '@pulumi/pulumi';
import type { SecretSource } from '../bridge/secret-source';
import { ExternalSecretValue, SealedSecretValue } from '../bridge/secret-source';
import type { Late } from '../components/late';
import type { Settings } from './schema';
import { readSealed } from './sealed-file';
import type { SecretsOf } from './secret-names';
import { mapSecrets } from './secret-names';
import { generateSecrets } from './secrets';

/** The secrets of one environment as its charts take them, and what makes them in the cluster. */
export interface PlatformSecrets {
  readonly values: SecretsOf<Late>;
  /** Nothing where the values are known to the engine. */
  readonly source?: SecretSource;
  /** Key of the digests that roll pods; nothing where no value is known. See ClusterReleaseArgs. */
  readonly digestKey?: pulumi.Output<string>;
}

/**
 * Where each secret comes from in a deployment. Only `generated` makes values; in the other modes none passes through the engine.
 * @throws ConfigurationError where the file of ciphertexts is missing or not to be read, with all problems
 */
export function platformSecrets(settings: Settings): PlatformSecrets {
  if (settings.secrets.mode !== 'generated') return referredSecrets(settings);
  const { digestKey, ...values } = generateSecrets();
  return { values, digestKey };
}

/**
 * Where each secret comes from without an engine: references to the store, or to ciphertexts. What a deployment generates is expected in
 * the store.
 * @throws ConfigurationError as `platformSecrets`
 */
export function referredSecrets({ secrets }: Settings): PlatformSecrets & { readonly source: SecretSource } {
  if (secrets.mode === 'sealed') {
    return {
      values: mapSecrets(({ name }) => new SealedSecretValue(name)),
      source: { kind: 'SealedSecret', ciphertexts: readSealed(secrets.file) },
    };
  }
  const { kind, name, prefix, revision } = secrets.store;
  return {
    values: mapSecrets((secret) => new ExternalSecretValue(`${prefix}/${secret.name}`)),
    source: { kind, name, revision },
  };
}
