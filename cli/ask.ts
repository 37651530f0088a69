import { createInterface } from 'node:readline/promises';
import { CliError, EXIT } from './exit';

/**
 * Asks before something that can't be undone.
 *
 * @throws CliError without a terminal to ask on, and after any answer but yes
 */
export async function confirm(question: string, yes: boolean | undefined): Promise<void> {
  if (yes === true) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new CliError(
      `${question}\n  There is no terminal to ask on: add --yes if that is what you want.`,
      EXIT.usage,
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('Nothing was changed.', EXIT.interrupted);
  } finally {
    terminal.close();
  }
}
