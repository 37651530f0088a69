import type { Command } from 'commander';
import { CommanderError } from 'commander';
import { build } from '../../../cli/main';

/**
 * Stands for a value that the reader, or a shell, fills in: `NAME`, `FILE.sql`, `<service>`, `$STACK`, `…`; and `west`, the second region
 * that docs/recovery.md adds.
 */
const PLACEHOLDER = /^(?:<[^<>]+>|\$\w+|[A-Z][A-Z0-9_]*(?:\.\w+)?|west|…|\.\.\.)$/;

/** The words of one shell command, up to what ends it: a pipe, a redirection, a comment, a closing bracket. */
export function wordsOf(text: string): readonly string[] {
  const token = /\s*(?:(<[\w-]+>)|((?:'[^']*'|"[^"]*"|\\.|[^\s'"|;&<>()#\\]|(?<=\S)#)+))/y;
  const words: string[] = [];
  for (;;) {
    const match = token.exec(text);
    if (match === null) return words;
    const plain = match[2]?.replace(/'([^']*)'|"([^"]*)"|\\(.)/g, (_, a = '', b = '', c = '') => `${a}${b}${c}`);
    words.push(match[1] ?? plain ?? '');
  }
}

/** Every command of ours in a text: in fences of whatever language and within lines. */
export function commandsIn(text: string): readonly string[] {
  const found: string[] = [];
  const prose = text.replace(/^ *```(\w*)[^\n]*\n([\s\S]*?)^ *```$/gm, (_, _language, block: string) => {
    found.push(
      ...block
        .replace(/\\\n\s*/g, '')
        .split('\n')
        .flatMap(callsIn),
    );
    return '';
  });
  found.push(...[...prose.matchAll(/(`+)(?!`)([\s\S]+?)(?<!`)\1(?!`)/g)].flatMap(([, , code = '']) => callsIn(code)));
  return [...new Set(found)];
}

/** What follows `./trellis`, as words; options that a text shows in square brackets count as given. */
function callsIn(line: string): readonly string[] {
  return [
    ...line
      .replace(/(?:^|\s)#.*/, '')
      .matchAll(/(?<![\w/.-])\.\/trellis(?=\s|$)((?:\s[^\n]*?)?)(?=\s\.\/trellis\s|$)/g),
  ].map(([, rest = '']) =>
    wordsOf(
      rest
        .replace(/\s+/g, ' ')
        .replace(/\[([^\]]*)\]/g, '$1')
        .replace(/"\)/, ''),
    )
      .join(' ')
      .trim(),
  );
}

/** Why a command would be refused by the command line itself; nothing where it is taken. No verb is run. */
export function refusalOf(command: string): string | undefined {
  const program = build();
  disarm(program);
  const words = wordsOf(command).filter((word) => word !== '…' && word !== '...');
  if (words.length === 0) return undefined; // Shows the help.
  try {
    program.parse(words, { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    const value = /argument '([^']*)' is invalid/.exec(error.message)?.[1];
    return value !== undefined && PLACEHOLDER.test(value) ? undefined : error.message;
  }
}

/** Takes from a command what it does and says; a command with verbs of its own does nothing by itself. */
function disarm(command: Command): void {
  command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  if (command.commands.length === 0) command.action(() => undefined);
  command.commands.forEach(disarm);
}

/** The help of the program and of each verb. */
export function helpTexts(): readonly { readonly name: string; readonly text: string }[] {
  const program = build();
  return [program, ...program.commands].map((command) => {
    let text = '';
    command.configureOutput({ writeOut: (part) => void (text += part) });
    command.outputHelp();
    return { name: command.name(), text };
  });
}
