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

export const outputOption = (): Option => new Option('-o, --output <file>', 'write there instead of stdout');

export const limitOption = (): Option =>
  new Option('--limit <characters>', 'of Markdown: what is more is left out, with a note how to see it')
    .argParser((text) => {
      if (/^[1-9]\d{3,6}$/.test(text)) return Number(text);
      throw new InvalidArgumentError('It must be a number of characters, 1000 or more.');
    })
    .default(65_536, 'what a comment on GitHub can hold');

export const examples = (...lines: readonly (readonly [command: string, meaning: string])[]): string => {
  const width = Math.max(36, ...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, meaning]) => `  ${command.padEnd(width)}  ${meaning}`).join('\n')}`;
};

/** Values of `--set`, one after the other. */
export function settings(text: string, before: readonly Setting[]): readonly Setting[] {
  try {
    return [...before, setting(text)];
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}
