import type { PropertyMap, PropertyValue } from '../shared/values';
import { isPropertyMap, markSecrets, redact, Secret, secretStrings } from '../shared/values';

/** Shorter texts than this are too common to be looked for in other fields. */
const TELLING_LENGTH = 6;

const strings = (value: PropertyValue | undefined): readonly string[] =>
  value === undefined ? [] : secretStrings(new Secret(value));

const kindOf = (object: PropertyMap): PropertyValue | undefined => {
  const kind = object['kind'];
  return kind instanceof Secret ? kind.reveal() : kind;
};

/** Secret objects are secret as a whole, whoever made them: their `data` and `stringData`, as the vendor's plugin has it. */
export function sealSecretKind(object: PropertyMap): PropertyMap {
  if (kindOf(object) !== 'Secret') return object;
  const sealed: Record<string, PropertyValue> = { ...object };
  for (const key of ['data', 'stringData']) {
    const value = sealed[key];
    if (value !== undefined && value !== null) sealed[key] = new Secret(value);
  }
  // `kubectl apply` leaves the whole object in an annotation.
  const metadata = sealed['metadata'];
  const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
  if (isPropertyMap(metadata) && isPropertyMap(metadata['annotations'])) {
    const annotations = metadata['annotations'];
    const value = annotations[lastApplied];
    if (value !== undefined) {
      sealed['metadata'] = { ...metadata, annotations: { ...annotations, [lastApplied]: new Secret(value) } };
    }
  }
  return sealed;
}

/** Strings that the program shows anyway. */
function openStrings(value: PropertyValue, found = new Set<string>()): Set<string> {
  if (typeof value === 'string') found.add(value);
  else if (Array.isArray(value)) for (const item of value as readonly PropertyValue[]) openStrings(item, found);
  else if (isPropertyMap(value)) for (const item of Object.values(value)) openStrings(item, found);
  return found;
}

function markByValue(value: PropertyValue, known: readonly string[], open: ReadonlySet<string>): PropertyValue {
  if (typeof value === 'string') {
    return !open.has(value) && known.some((secret) => value.includes(secret)) ? new Secret(value) : value;
  }
  if (Array.isArray(value)) return (value as readonly PropertyValue[]).map((item) => markByValue(item, known, open));
  if (!isPropertyMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, markByValue(item, known, open)]));
}

/**
 * Marks in an answer of the API server what the inputs say is secret: what lies at the same path, and what holds a secret's
 * text anywhere else (elements of a list may have moved).
 */
export function seal(answer: PropertyMap, inputs: PropertyMap): PropertyMap {
  const marked = markSecrets(answer, inputs);
  // What a Secret holds may well be a part of its name; it comes back nowhere but in `data`.
  if (kindOf(answer) === 'Secret') return sealSecretKind(isPropertyMap(marked) ? marked : answer);
  const telling = secretStrings(inputs).filter((secret) => secret.length >= TELLING_LENGTH);
  const byValue = telling.length === 0 ? marked : markByValue(marked, telling, openStrings(inputs));
  return isPropertyMap(byValue) ? byValue : answer;
}

/**
 * Every secret that this process has seen, in the spellings in which it may come back: as it is, in base64, line by line, as
 * part of an address.
 */
export class Redactor {
  private readonly known = new Set<string>();
  private readonly names = new Set<string>();

  public learn(...maps: readonly PropertyMap[]): void {
    for (const map of maps) {
      this.learnName(map);
      for (const secret of secretStrings(sealSecretKind(map))) this.add(secret);
      const data = map['data'] instanceof Secret ? map['data'].reveal() : map['data'];
      if (kindOf(map) !== 'Secret') continue;
      for (const encoded of strings(data)) this.add(Buffer.from(encoded, 'base64').toString('utf8'));
    }
  }

  /** The text with every known secret replaced. A database called as its pod is no secret. */
  public text(message: string): string {
    const open = [...this.names];
    return redact(
      message,
      [...this.known].filter((secret) => !open.some((name) => name.includes(secret))),
    );
  }

  private learnName(map: PropertyMap): void {
    const metadata = map['metadata'];
    if (!isPropertyMap(metadata)) return;
    for (const name of [metadata['name'], metadata['namespace']]) if (typeof name === 'string') this.names.add(name);
  }

  private add(secret: string): void {
    if (this.known.has(secret) || secret.length < 4) return;
    this.known.add(secret);
    this.known.add(Buffer.from(secret).toString('base64'));
    this.known.add(JSON.stringify(secret).slice(1, -1));
    this.known.add(encodeURIComponent(secret));
    for (const line of secret.split('\n')) if (line.trim().length >= 8) this.known.add(line.trim());
    const password = /^\w[\w+.-]*:\/\/[^/:@]*:([^/@]{4,})@/.exec(secret)?.[1];
    if (password !== undefined) this.known.add(password).add(decodeURIComponentSafe(password));
  }
}

function decodeURIComponentSafe(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
