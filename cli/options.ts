import { InvalidArgumentError, Option } from 'commander';
import { messageOf } from './exit';
import { setting, type Setting } from './setting';
import { ENVIRONMENTS } from './stack-program';

/** A verb's code is read when it is asked for: `./trellis --help` needs none of it. */
export const load = <Verb>(name: string): Verb => module.require(`./verbs/${name}`) as Verb;

export const stackOption = (): Option =>
  new Option('-s, --stack <name>', 'environment to work on').choices(ENVIRONMENTS).default('dev');

export const simulateOption = (what: string): Option => new Option('--simulate', what);

export function minutes(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('It must be a number of minutes, 0 or more.');
  return value;
}

export const examples = (...lines: readonly (readonly [command: string, meaning: string])[]): string =>
  `\nExamples:\n${lines.map(([command, meaning]) => `  ${command.padEnd(36)} ${meaning}`).join('\n')}`;

/** Values of `--set`, one after the other. */
export function settings(text: string, before: readonly Setting[]): readonly Setting[] {
  try {
    return [...before, setting(text)];
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}
