import type { KeyObject } from 'node:crypto';
import { X509Certificate } from 'node:crypto';
import * as fs from 'node:fs';

const LEAST_BITS = 2048;

/** The controller's certificate, or what is wrong with it. */
export interface CheckedCertificate {
  readonly publicKey: KeyObject | undefined;
  readonly problems: readonly string[];
}

/**
 * Reads the controller's certificate, in PEM form. It is public; a file with a private key in it is refused unread.
 * @param now milliseconds since 1970, which the certificate has to be valid at
 */
export function checkCertificate(file: string, now: number): CheckedCertificate {
  const refused = (...problems: readonly string[]): CheckedCertificate => ({
    publicKey: undefined,
    problems: problems.map((problem) => `--cert ${file}: ${problem}`),
  });
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    return refused(`can't be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
  }
  if (text.includes('PRIVATE KEY-----')) return refused('holds a private key; give the certificate alone');
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(text);
  } catch {
    return refused('is no certificate in PEM form; kubeseal --fetch-cert prints the right one');
  }
  const problems = [...keyProblems(certificate.publicKey), ...dateProblems(certificate, now)];
  return problems.length > 0 ? refused(...problems) : { publicKey: certificate.publicKey, problems: [] };
}

function keyProblems({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] {
  if (asymmetricKeyType !== 'rsa')
    return [`has a key for ${String(asymmetricKeyType)}, and the controller's is for rsa`];
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  return bits < LEAST_BITS ? [`has a key of ${bits} bits; at least ${LEAST_BITS} are safe`] : [];
}

function dateProblems({ validFrom, validTo }: X509Certificate, now: number): readonly string[] {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  const date = (time: number): string => new Date(time).toISOString().slice(0, 10);
  return [
    ...(now < from ? [`is not valid before ${date(from)}`] : []),
    ...(now > to ? [`has expired on ${date(to)}; the controller has a newer one`] : []),
  ];
}
