/** The parts of an image's name. */
export interface ImageReference {
  /** Registry with its port; empty where the name has none. */
  readonly registry: string;
  /** Path in the registry, without tag and digest. */
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const path = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tag = /^\w[\w.-]{0,127}$/;
const digest = /^sha256:[0-9a-f]{64}$/;

/** Takes an image's name apart; undefined where it is none. */
export function parseReference(name: string): ImageReference | undefined {
  const [named = '', digestPart, ...rest] = name.split('@');
  if (rest.length > 0 || (digestPart !== undefined && !digest.test(digestPart))) return undefined;
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const registry = /[.:]/.test(first) || first === 'localhost' ? first : '';
  const remainder = registry === '' ? named : named.slice(slash + 1);
  const colon = remainder.indexOf(':');
  const pathPart = colon < 0 ? remainder : remainder.slice(0, colon);
  const tagPart = colon < 0 ? undefined : remainder.slice(colon + 1);
  if (!path.test(pathPart) || (tagPart !== undefined && !tag.test(tagPart))) return undefined;
  return { registry, path: pathPart, tag: tagPart, digest: digestPart };
}

/** The name without tag and digest. */
export const repository = ({ registry, path: name }: ImageReference): string =>
  registry === '' ? name : `${registry}/${name}`;
