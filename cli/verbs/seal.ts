import * as fs from 'node:fs';
import * as path from 'node:path';
import { CliError } from '../exit';
import { checkCertificate } from '../seal/certificate';
import { sealValue } from '../seal/encrypt';
import { writeSealed } from '../seal/file';
import type { SealPlan } from '../seal/plan';
import { planSeal } from '../seal/plan';
import { randomValue, valueProblem } from '../seal/values';
import { sealingOf } from '../stack-program';

export interface SealOptions {
  readonly stack: string;
  /** File with the controller's certificate. */
  readonly cert: string;
  /** Secrets that get a new value. */
  readonly rotate: readonly string[];
  /** Secret whose value comes from stdin. */
  readonly fromStdin?: string;
}

/**
 * Writes the ciphertexts of a stack's secrets. Values live in this process alone: they are made here, encrypted for the controller, and
 * forgotten.
 * @throws CliError with all problems, before anything is written
 */
export async function seal({ stack, cert, rotate, fromStdin }: SealOptions): Promise<void> {
  const { file, targets, existing } = await sealingOf(stack);
  const checked = checkCertificate(path.resolve(process.env.TRELLIS_CWD ?? '.', cert), Date.now());
  const renewed = new Set([...rotate, ...(fromStdin === undefined ? [] : [fromStdin])]);
  const plan = planSeal(targets, existing, renewed);
  const given = fromStdin === undefined ? undefined : fs.readFileSync(0, 'utf8').replace(/\r?\n$/, '');
  const problem = given === undefined ? undefined : valueProblem(given);
  const problems = [
    ...checked.problems,
    ...plan.problems,
    ...(problem === undefined ? [] : [`--from-stdin ${fromStdin ?? ''}: ${problem}`]),
  ];
  const { publicKey } = checked;
  if (problems.length > 0 || publicKey === undefined) {
    throw new CliError(`Nothing was sealed for ${stack}:\n${problems.map((one) => `  - ${one}`).join('\n')}`);
  }
  const sealed: Record<string, Record<string, string>> = Object.fromEntries(
    Object.entries(plan.kept).map(([id, ciphertexts]) => [id, { ...ciphertexts }]),
  );
  for (const { name, length, targets: ids } of plan.fresh) {
    const value = name === fromStdin && given !== undefined ? given : randomValue(length);
    for (const id of ids) sealed[id] = { ...sealed[id], [name]: sealValue(publicKey, value, id) };
  }
  writeSealed(file.path, sealed);
  process.stderr.write(report(file.name, plan));
}

function report(file: string, { fresh, kept, dropped }: SealPlan): string {
  const old = Object.values(kept).flatMap((ciphertexts) => Object.keys(ciphertexts));
  const lines = [
    `${file}: ${fresh.length} sealed, ${new Set(old).size} kept, ${dropped.length} dropped`,
    ...fresh.map(({ name, targets }) => `  + ${name} for ${targets.join(', ')}`),
    ...dropped.map((name) => `  - ${name}`),
  ];
  return `${lines.join('\n')}\n`;
}
