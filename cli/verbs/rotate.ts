import * as fs from 'node:fs';
import * as path from 'node:path';
import { isMap, parseDocument } from 'yaml';
import type { PasswordSettings } from '../../stacks/schema-fields';
import { root } from '../../local/index';
import { CliError, EXIT } from '../exit';
import { rotationProgram } from '../stack-program';

export interface RotateOptions {
  readonly stack: string;
}

/** Makes the next edit of one password's rotation, or says how far each one is. It deploys nothing. */
export async function rotate(credential: string | undefined, { stack }: RotateOptions): Promise<void> {
  const { nextStep, rotations } = rotationProgram();
  const all = await rotations(stack);
  if (credential === undefined) {
    const width = Math.max(...Object.keys(all).map((name) => name.length));
    const lines = Object.entries(all).map(
      ([name, password]) => `${name.padEnd(width)}  ${flow(password)}  next: ${nextStep(password).step}\n`,
    );
    process.stdout.write(lines.join(''));
    return;
  }
  const password = all[credential];
  if (password === undefined) {
    throw new CliError(`There is no password '${credential}'; there is ${Object.keys(all).join(', ')}.`, EXIT.usage);
  }
  const next = nextStep(password);
  const file = path.join(root, `Pulumi.${stack}.yaml`);
  fs.writeFileSync(file, edited(fs.readFileSync(file, 'utf8'), credential, next.password));
  process.stdout.write(
    `${next.step}: Pulumi.${stack}.yaml now has ${credential}.password: ${flow(next.password)}, it had ${flow(password)}\n` +
      `To deploy it: ./trellis up -s ${stack}\n`,
  );
}

const flow = ({ accepted, used }: PasswordSettings): string => `{ accepted: [${accepted.join(', ')}], used: ${used} }`;

/**
 * The text of a stack's file with another value for one password; all else, comments too, stays as it was.
 * @throws CliError where the value is not written on one line
 */
export function edited(text: string, credential: string, password: PasswordSettings): string {
  const [system = '', store = ''] = credential.split('.');
  const node = parseDocument(text).getIn(['config', `trellis:${system}`, store, 'password'], true);
  if (!isMap(node) || node.flow !== true || !node.range) {
    throw new CliError(`${credential}.password must be written as ${flow(password)}, on one line, to be edited.`);
  }
  const [start, end] = node.range;
  return `${text.slice(0, start)}${flow(password)}${text.slice(end)}`;
}
