import type { Manifest } from './render';

/** An object from which an operator makes a Secret. */
export type SecretMaker = Manifest & { readonly apiVersion: string; readonly kind: string };

/** The key that a token of a Secret's entry refers to; nothing where it has none, which is then a problem already. */
export type ReferenceLookup = (entry: string, token: string) => string | undefined;

/** Text between references. Literal braces would be read as a template; both operators use Go's, where a quoted literal stays as it is. */
export const literal = (text: string): string => (text.includes('{{') ? `{{ ${JSON.stringify(text)} }}` : text);
