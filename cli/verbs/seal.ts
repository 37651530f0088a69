import * as fs from 'node:fs';
import * as path from 'node:path';
import { sealStack } from '../seal/run';
import { sealingOf } from '../stack-program';

export interface SealOptions {
  readonly stack: string;
  readonly cert: string;
  readonly rotate: readonly string[];
  /** Secret whose value comes from stdin. */
  readonly fromStdin?: string;
}

/** Encrypts a stack's secrets for the controller of Sealed Secrets in its cluster. No value is written or shown. */
export async function seal({ stack, cert, rotate, fromStdin }: SealOptions): Promise<void> {
  const sealing = await sealingOf(stack);
  const value = fromStdin === undefined ? '' : fs.readFileSync(0, 'utf8').replace(/\r?\n$/, '');
  const given = fromStdin === undefined ? undefined : { name: fromStdin, value };
  process.stderr.write(sealStack(sealing, { cert: path.resolve(process.env.TRELLIS_CWD ?? '.', cert), rotate, given }));
}
