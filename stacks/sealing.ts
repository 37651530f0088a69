import * as path from 'node:path';
import { referencedKeys, secretId, SealedSecretValue } from '../bridge/secret-source';
import { render } from '../bridge/render';
import { LateTokens } from '../components/late';
import { platformByTag, readSettings, ROOT } from './render';
import type { Ciphertexts } from './sealed-file';
import { readSealed, sealedExists } from './sealed-file';
import { RECEIVER_URL } from './secret-modes';
import type { GeneratedSecret } from './secret-names';
import { mapSecrets } from './secret-names';

/** What has to be sealed for one environment. */
export interface Sealing {
  readonly file: { readonly name: string; readonly path: string };
  /** Every Secret of the definition that holds a secret, by `NAMESPACE/NAME`, with what it holds. */
  readonly targets: readonly { readonly id: string; readonly secrets: readonly GeneratedSecret[] }[];
  /** What is sealed already. */
  readonly existing: Ciphertexts;
}

/**
 * Which Secrets of an environment need which ciphertexts, whatever its mode is: the file is there before the mode changes.
 * @throws ConfigurationError where the configuration or the file can't be read
 */
export async function sealingOf(environment: string): Promise<Sealing> {
  const settings = await readSettings(environment);
  const { file } = settings.secrets;
  const known = new Map<string, GeneratedSecret>();
  const values = mapSecrets(settings, (secret) => {
    known.set(secret.name, secret);
    return new SealedSecretValue(secret.name);
  });
  const app = platformByTag(settings, { values, receiverUrl: new SealedSecretValue(RECEIVER_URL) });
  const tokens = LateTokens.of(app);
  const targets = render(app).flatMap((object) => {
    const secrets =
      object.kind === 'Secret' ? referencedKeys(object, tokens).flatMap((key) => known.get(key) ?? []) : [];
    return secrets.length === 0 ? [] : [{ id: secretId(object), secrets }];
  });
  return {
    file: { name: file, path: path.join(ROOT, file) },
    targets,
    existing: sealedExists(file) ? readSealed(file) : {},
  };
}
