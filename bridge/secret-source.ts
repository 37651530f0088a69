import type { Deferred } from '../components/late';
import { LateTokens } from '../components/late';
import { DefinitionError } from './errors';
import { externalSecret } from './external-secret';
import type { RenderedObject } from './render';
import { sealedSecret } from './sealed-secret';

/** A secret that lives in an external store. It stands in a chart's values where an engine would give the value itself. */
export class ExternalSecretValue implements Deferred {
  /** @param key name in the store, such as `trellis/prod/postgres-password` */
  public constructor(public readonly key: string) {}

  public apply(): never {
    throw new DefinitionError([`the external secret '${this.key}' has no value where nothing is deployed`]);
  }
}

/** A secret of which only the ciphertexts are known here. It stands in a chart's values in the same way. */
export class SealedSecretValue implements Deferred {
  /** @param key name among the ciphertexts, such as `postgres-password` */
  public constructor(public readonly key: string) {}

  public apply(): never {
    throw new DefinitionError([`the sealed secret '${this.key}' has no value outside of the cluster`]);
  }
}

/** Where External Secrets finds the values. */
export interface SecretStore {
  readonly kind: 'ClusterSecretStore' | 'SecretStore';
  readonly name: string;
  /**
   * Part of what pods are rolled for. The values change out of sight, and a new text here rolls every pod that reads one of them.
   * @default - none
   */
  readonly revision?: string;
}

/** Ciphertexts that the controller of Sealed Secrets opens. */
export interface SealedSecrets {
  readonly kind: 'SealedSecret';
  /** By `NAMESPACE/NAME` of the Secret, and then by the key of the `SealedSecretValue`: base64, sealed for exactly this Secret. */
  readonly ciphertexts: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What makes a Secret whose values are not known here. */
export type SecretSource = SecretStore | SealedSecrets;

type Reference = ExternalSecretValue | SealedSecretValue;

/** What a token refers to, where that is no value. */
export function referenceOf(tokens: LateTokens, token: string): Reference | undefined {
  const value = tokens.lookup(token)?.value;
  return value instanceof ExternalSecretValue || value instanceof SealedSecretValue ? value : undefined;
}

/** Texts of a Secret by key, as they stand in the manifest. */
export const secretTexts = ({ manifest }: RenderedObject): Readonly<Record<string, string>> =>
  (manifest.stringData ?? {}) as Readonly<Record<string, string>>;

/** The keys of what a Secret refers to, each once. */
export const referencedKeys = (object: RenderedObject, tokens: LateTokens): readonly string[] => [
  ...new Set(
    Object.values(secretTexts(object))
      .flatMap((text) => LateTokens.split(text))
      .flatMap(({ text, token }) => (token ? (referenceOf(tokens, text)?.key ?? []) : [])),
  ),
];

/** Whether a Secret refers to a value that is not known here. */
const refers = (object: RenderedObject, tokens: LateTokens): boolean =>
  object.kind === 'Secret' && referencedKeys(object, tokens).length > 0;

/**
 * The object that makes a Secret in the cluster, in the Secret's place: same path, name and order.
 * Problems are added, each with path and key.
 */
export function fromSource(
  object: RenderedObject,
  tokens: LateTokens,
  source: SecretSource,
  problems: string[],
): RenderedObject {
  const sealed = source.kind === 'SealedSecret';
  const what = sealed ? 'a sealed secret' : 'an external secret';
  const lookup = (key: string, token: string): string | undefined => {
    const reference = referenceOf(tokens, token);
    if (reference instanceof (sealed ? SealedSecretValue : ExternalSecretValue)) return reference.key;
    problems.push(`${object.path}: stringData.${key} has no reference to ${what}`);
    return undefined;
  };
  const made = sealed ? sealedSecret(object, lookup, source, problems) : externalSecret(object, lookup, source);
  return { ...object, apiVersion: made.apiVersion, kind: made.kind, manifest: made };
}

/**
 * Every Secret that refers to something else, replaced by the object that makes it. One whose values are known stays as it is.
 * @throws DefinitionError where a Secret mixes both, and where a ciphertext is missing or of no use
 */
export function replaceSecrets(
  objects: readonly RenderedObject[],
  tokens: LateTokens,
  source: SecretSource | undefined,
): readonly RenderedObject[] {
  if (source === undefined) return objects;
  const problems: string[] = [];
  const replaced = objects.map((object) =>
    refers(object, tokens) ? fromSource(object, tokens, source, problems) : object,
  );
  problems.push(...unusedProblems(objects, tokens, source));
  if (problems.length > 0) throw new DefinitionError(problems);
  return replaced;
}

/** Ciphertexts that nothing refers to: of a Secret that has another name by now, or of a secret that nobody needs. */
export function unusedProblems(
  objects: readonly RenderedObject[],
  tokens: LateTokens,
  source: SecretSource,
): readonly string[] {
  if (source.kind !== 'SealedSecret') return [];
  const wanted = new Map(
    objects.flatMap((object) =>
      refers(object, tokens) ? [[secretId(object), new Set(referencedKeys(object, tokens))] as const] : [],
    ),
  );
  return Object.entries(source.ciphertexts).flatMap(([id, sealed]) => {
    const keys = wanted.get(id);
    if (keys === undefined) return [`${id} has ciphertexts, and the definition has no such Secret`];
    return Object.keys(sealed).flatMap((key) =>
      keys.has(key) ? [] : [`${id} has a ciphertext of '${key}', which that Secret does not hold`],
    );
  });
}

/** How ciphertexts are filed. */
export const secretId = ({ namespace, name }: RenderedObject): string => `${namespace ?? ''}/${name}`;

/**
 * Secrets as pods' digests see them: each reference as what it refers to, so that a digest changes with that, and not with how many
 * late values the App has.
 */
export function describeReferences(
  objects: readonly RenderedObject[],
  tokens: LateTokens,
  source: SecretSource | undefined,
): readonly RenderedObject[] {
  if (source === undefined) return objects;
  return objects.map((object) => {
    if (!refers(object, tokens)) return object;
    const described = (token: string): string => {
      const key = referenceOf(tokens, token)?.key;
      if (key === undefined) return token;
      if (source.kind !== 'SealedSecret') return `{external ${key} ${source.revision ?? ''}}`;
      return `{sealed ${source.ciphertexts[secretId(object)]?.[key] ?? ''}}`;
    };
    const stringData = Object.fromEntries(
      Object.entries(secretTexts(object)).map(([key, text]) => [
        key,
        LateTokens.split(text)
          .map((part) => (part.token ? described(part.text) : part.text))
          .join(''),
      ]),
    );
    return { ...object, manifest: { ...object.manifest, stringData } };
  });
}
