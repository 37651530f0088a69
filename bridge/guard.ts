import { LateTokens } from '../components/late';
import type { RenderedObject } from './render';

// The text that an Output leaves where a plain string was wanted, in all of its forms.
const STRINGIFIED = /Calling \[to(String|JSON)\] on an \[Output/;

/**
 * What must never be in a manifest: the text of a stringified Output, a token in a key, a value that JSON lacks.
 * Each problem names the construct path and the field.
 */
export function manifestProblems(object: RenderedObject): readonly string[] {
  const problems: string[] = [];
  visit(object.manifest, '', (field, value, isKey) => {
    const where = `${object.path}: ${field}`;
    if (typeof value === 'string') {
      if (STRINGIFIED.test(value)) {
        problems.push(
          `${where} holds the text of a stringified Output; pass it through LateTokens.asString before it enters text`,
        );
      }
      if (isKey && LateTokens.isToken(value))
        problems.push(`${where} has a late value as a key, which cannot be filled in later`);
      return;
    }
    if (typeof value === 'number' && !Number.isFinite(value))
      problems.push(`${where} must be a finite number, got ${value}`);
    if (!isPlain(value)) problems.push(`${where} is an instance of ${className(value)}, which has no form in YAML`);
  });
  return problems;
}

type Visitor = (field: string, value: unknown, isKey: boolean) => void;

/** Walks a manifest; `visitor` sees every key and every leaf. */
export function visit(value: unknown, field: string, visitor: Visitor): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) visit(item, `${field}[${index}]`, visitor);
  } else if (value !== null && typeof value === 'object' && isPlain(value)) {
    for (const [key, item] of Object.entries(value)) {
      const inner = field === '' ? key : `${field}.${key}`;
      visitor(inner, key, true);
      visit(item, inner, visitor);
    }
  } else {
    visitor(field, value, false);
  }
}

function isPlain(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return typeof value !== 'function' && typeof value !== 'symbol';
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const className = (value: unknown): string =>
  typeof value === 'object' && value !== null ? value.constructor.name : typeof value;
