import * as pulumi from '@pulumi/pulumi';
import { LateTokens } from '../components/late';
import { DefinitionError } from './errors';
import type { RenderedObject } from './render';
import { referenceOf } from './secret-source';

/**
 * Turns the tokens of one object back into what they stand for.
 * A whole-string token becomes the Output itself, an embedded one a join, so that in a preview only the leaves that depend on an
 * unknown are unknown, and only the leaves that hold a secret are secret.
 * @throws DefinitionError for a token of another App, for a secret in anything but a Secret, and for a reference to a secret that is not
 * known here.
 */
export function restore(object: RenderedObject, tokens: LateTokens): pulumi.Inputs {
  const problems: string[] = [];
  const inputs = restoreValue(object.manifest, '', (token, field) => {
    const late = tokens.lookup(token);
    if (late === undefined) {
      problems.push(
        `${object.path}: ${field} holds a late value of another App, or text that looks like one: ${token}`,
      );
      return token;
    }
    const reference = referenceOf(tokens, token);
    if (reference !== undefined) {
      problems.push(
        `${object.path}: ${field} refers to the secret '${reference.key}', which has no value here; only a Secret of a release with \`secrets\` may`,
      );
      return token;
    }
    if (late.secret && object.kind !== 'Secret') {
      problems.push(
        `${object.path}: ${field} would hold the secret that ${late.origin} brought in; read it from the Secret's key instead`,
      );
      return token;
    }
    return late.secret ? pulumi.secret(late.value as pulumi.Input<string>) : (late.value as pulumi.Input<string>);
  });
  if (problems.length > 0) throw new DefinitionError(problems);
  return inputs as pulumi.Inputs;
}

type Lookup = (token: string, field: string) => pulumi.Input<string>;

function restoreValue(value: unknown, field: string, lookup: Lookup): unknown {
  if (typeof value === 'string') return restoreText(value, field, lookup);
  if (Array.isArray(value)) return value.map((item, index) => restoreValue(item, `${field}[${index}]`, lookup));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      restoreValue(item, field === '' ? key : `${field}.${key}`, lookup),
    ]),
  );
}

/** One string with its tokens filled in; plain text stays plain. */
export function restoreText(text: string, field: string, lookup: Lookup): pulumi.Input<string> {
  if (!LateTokens.isToken(text)) return text;
  const parts = LateTokens.split(text).map((part) => (part.token ? lookup(part.text, field) : part.text));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : pulumi.all(parts).apply((all) => all.join(''));
}
