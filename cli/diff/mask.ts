import { createHash } from 'node:crypto';

/** What stands in place of every value of a Secret. */
export const MASK = '(secret)';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => value !== null && typeof value === 'object';

/** A manifest without the values of its secrets: which keys there are is no secret, what they hold is. */
export function masked(manifest: Json): Json {
  if (manifest.kind === 'SealedSecret') return sealed(manifest);
  if (manifest.kind !== 'Secret') return manifest;
  return { ...manifest, ...hidden(manifest, ['data', 'stringData'], () => MASK) };
}

/** A ciphertext is long and tells nobody anything, but that it is another one. */
const fingerprint = (ciphertext: unknown): string =>
  `(sealed ${createHash('sha256').update(String(ciphertext)).digest('hex').slice(0, 8)})`;

function sealed(manifest: Json): Json {
  const { spec } = manifest;
  if (!isObject(spec)) return manifest;
  return { ...manifest, spec: { ...spec, ...hidden(spec, ['encryptedData'], fingerprint) } };
}

function hidden(from: Json, fields: readonly string[], by: (value: unknown) => string): Json {
  return Object.fromEntries(
    fields.flatMap((field) => {
      const values = from[field];
      if (!isObject(values)) return [];
      return [[field, Object.fromEntries(Object.entries(values).map(([key, value]) => [key, by(value)]))]];
    }),
  );
}
