import { CliError } from '../exit';
import { checkCertificate } from './certificate';
import { sealValue } from './encrypt';
import { writeSealed } from './file';
import type { Ciphertexts, SealPlan, SealTarget } from './plan';
import { planSeal } from './plan';
import { randomValue, valueProblem } from './values';

/** What has to be sealed for a stack, and where to. */
export interface Sealing {
  readonly file: { readonly name: string; readonly path: string };
  readonly targets: readonly SealTarget[];
  /** What is sealed already. */
  readonly existing: Ciphertexts;
}

/** What was asked for. */
export interface SealRequest {
  /** File with the controller's certificate. */
  readonly cert: string;
  /** Secrets that get a new value. */
  readonly rotate: readonly string[];
  /** A value that exists already, for one of them. */
  readonly given: { readonly name: string; readonly value: string } | undefined;
}

/**
 * Writes the file of ciphertexts anew. Values live in this process alone: they are made here, encrypted for the controller, and forgotten.
 * @returns what was done, without any value
 * @throws CliError with all problems, before anything is written
 */
export function sealStack({ file, targets, existing }: Sealing, { cert, rotate, given }: SealRequest): string {
  const { publicKey, problems: certificateProblems } = checkCertificate(cert, Date.now());
  const plan = planSeal(targets, existing, new Set([...rotate, ...(given === undefined ? [] : [given.name])]));
  const problem = given === undefined ? undefined : valueProblem(given.value);
  const problems = [
    ...certificateProblems,
    ...plan.problems,
    ...(problem === undefined ? [] : [`--from-stdin ${given?.name ?? ''}: ${problem}`]),
  ];
  if (problems.length > 0 || publicKey === undefined)
    throw new CliError(`Nothing was sealed:\n${problems.map((one) => `  - ${one}`).join('\n')}`);
  const sealed: Record<string, Record<string, string>> = Object.fromEntries(
    Object.entries(plan.kept).map(([id, ciphertexts]) => [id, { ...ciphertexts }]),
  );
  for (const { name, length, targets: ids } of plan.fresh) {
    const value = name === given?.name ? given.value : randomValue(length);
    for (const id of ids) sealed[id] = { ...sealed[id], [name]: sealValue(publicKey, value, id) };
  }
  writeSealed(file.path, sealed);
  return report(file.name, plan);
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
