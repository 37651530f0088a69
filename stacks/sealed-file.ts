import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { ConfigurationError } from './validate';

const ROOT = path.resolve(__dirname, '..');

/** Ciphertexts by `NAMESPACE/NAME` of the Secret, and then by the name of the secret. */
export type Ciphertexts = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Length of the encrypted key, the key for 2048 bits at least, and the tag: less is no ciphertext. */
const LEAST_BYTES = 2 + 256 + 16;

/**
 * Reads the file that `./trellis seal` writes. A Secret or a secret that the definition lacks is told later, where the definition is known.
 * @param folder that the path starts from; the project's by default
 * @throws ConfigurationError with all problems, where the file is missing or something in it is no ciphertext
 */
export function readSealed(file: string, folder = ROOT): Ciphertexts {
  if (!sealedExists(file, folder))
    throw new ConfigurationError(file, ['there is no such file; ./trellis seal writes it']);
  return parseSealed(file, readFileSync(path.join(folder, file), 'utf8'));
}

/** Whether anything was sealed yet. */
export const sealedExists = (file: string, folder = ROOT): boolean => existsSync(path.join(folder, file));

/**
 * The same, of a file's content.
 * @throws ConfigurationError as `readSealed`
 */
export function parseSealed(file: string, text: string): Ciphertexts {
  const content = parsed(file, text);
  if (!isRecord(content)) throw new ConfigurationError(file, ['it must map NAMESPACE/NAME to ciphertexts']);
  const problems = Object.entries(content).flatMap(([id, sealed]) => {
    if (!/^[a-z0-9-]+\/[a-z0-9.-]+$/.test(id)) return [`${id}: must be the NAMESPACE/NAME of a Secret`];
    if (!isRecord(sealed)) return [`${id}: must map names of secrets to ciphertexts`];
    return Object.entries(sealed).flatMap(([name, ciphertext]) =>
      isCiphertext(ciphertext) ? [] : [`${id}.${name}: is no ciphertext; seal it again with --rotate ${name}`],
    );
  });
  if (problems.length > 0) throw new ConfigurationError(file, problems);
  return content as Ciphertexts;
}

function parsed(file: string, text: string): unknown {
  try {
    return parse(text, { uniqueKeys: true }) ?? {};
  } catch (error) {
    // The parser quotes the line; ciphertexts are no secrets, but a value that was put there by mistake would be one.
    const { linePos } = error as { linePos?: readonly { readonly line: number }[] };
    throw new ConfigurationError(file, [`it is no YAML, in line ${linePos?.[0]?.line ?? '?'}`]);
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** Whether a text has the form of one: the length of its first part fits, and there is something after it. */
function isCiphertext(value: unknown): boolean {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return false;
  const bytes = Buffer.from(value, 'base64');
  return bytes.length >= LEAST_BYTES && bytes.length > 2 + bytes.readUInt16BE(0) + 16;
}
