/**
 * The images that a stack built, from `pulumi stack output --json`: each once, by digest. What comes from elsewhere under a tag of its
 * own was neither built nor may be signed here.
 */
export function builtImages(outputs: string, registry: string): readonly string[] {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value === 'string' && value.startsWith(`${registry}/`) && /@sha256:[0-9a-f]{64}$/.test(value))
      found.add(value);
    else if (value !== null && typeof value === 'object') Object.values(value).forEach(look);
  };
  look(JSON.parse(outputs));
  return [...found].sort();
}
