import { LateTokens } from '../components/late';
import { RemovalPolicy } from '../components/release-options';
import type { RenderedObject } from './render';
import type { SealedSecrets } from './secret-source';
import { literal } from './secret-template';
import type { ReferenceLookup, SecretMaker } from './secret-template';

// The controller's own annotations, on the Secret that it makes.
const KEEP = { 'sealedsecrets.bitnami.com/skip-set-owner-references': 'true' };
const TAKE_OVER = { 'sealedsecrets.bitnami.com/managed': 'true' };

interface Metadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * The SealedSecret that makes the same Secret: an entry that is one secret is its ciphertext, any other a template over the opened ones.
 * A secret that is only part of other entries becomes an entry of its own, since a template can see no other.
 */
export function sealedSecret(
  object: RenderedObject,
  lookup: ReferenceLookup,
  { ciphertexts }: SealedSecrets,
  problems: string[],
): SecretMaker {
  const id = `${object.namespace ?? ''}/${object.name}`;
  const texts = Object.entries((object.manifest.stringData ?? {}) as Record<string, string>);
  const entries = new Map<string, string>();
  for (const [entry, text] of texts) {
    const [only, ...more] = LateTokens.split(text);
    if (only?.token !== true || more.length > 0) continue;
    const key = lookup(entry, only.text);
    if (key !== undefined && !entries.has(key)) entries.set(key, entry);
  }
  const data: Record<string, string> = {};
  for (const [entry, text] of texts) {
    if ([...entries.values()].includes(entry)) continue;
    data[entry] = LateTokens.split(text)
      .map((part) => {
        if (!part.token) return literal(part.text);
        const key = lookup(entry, part.text);
        if (key === undefined) return '';
        if (!entries.has(key)) entries.set(key, key.replace(/[^A-Za-z0-9]/g, '_'));
        return variable(entries.get(key) ?? '');
      })
      .join('');
  }
  const encrypted = [...entries].map(([key, entry]) => {
    const ciphertext = ciphertexts[id]?.[key];
    if (ciphertext === undefined) problems.push(`${object.path}: ${id} has no ciphertext of '${key}'; seal it first`);
    return [entry, ciphertext ?? ''];
  });
  return {
    apiVersion: 'bitnami.com/v1alpha1',
    kind: 'SealedSecret',
    metadata: object.manifest.metadata,
    spec: { encryptedData: Object.fromEntries(encrypted) as object, template: template(object, data) },
  };
}

const variable = (entry: string): string =>
  /^[A-Za-z_]\w*$/.test(entry) ? `{{ .${entry} }}` : `{{ index . ${JSON.stringify(entry)} }}`;

function template(object: RenderedObject, data: Readonly<Record<string, string>>): object {
  const { type, metadata } = object.manifest as { type?: string; metadata?: Metadata };
  // An owned Secret goes with its SealedSecret: not the credentials of a database that stays.
  const kept = object.removalPolicy === RemovalPolicy.RETAIN ? KEEP : {};
  return {
    metadata: {
      ...(metadata?.labels === undefined ? {} : { labels: { ...metadata.labels } }),
      annotations: { ...metadata?.annotations, ...TAKE_OVER, ...kept },
    },
    ...(type === undefined ? {} : { type }),
    ...(Object.keys(data).length === 0 ? {} : { data }),
  };
}
