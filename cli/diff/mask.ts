/** What stands in place of every value of a Secret. */
export const MASK = '(secret)';

type Json = Readonly<Record<string, unknown>>;

/** A manifest whose Secret values are gone: which keys there are is no secret, what they hold is. */
export function masked(manifest: Json): Json {
  if (manifest.kind !== 'Secret') return manifest;
  const hidden = ['data', 'stringData'].flatMap((field) => {
    const values = manifest[field];
    if (values === null || typeof values !== 'object') return [];
    return [[field, Object.fromEntries(Object.keys(values).map((key) => [key, MASK]))] as const];
  });
  return { ...manifest, ...Object.fromEntries(hidden) };
}
