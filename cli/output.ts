import * as fs from 'node:fs';
import * as path from 'node:path';

/** Prints a text, or writes it whole into a file, whose name counts from where the command was typed. */
export function put(text: string, output: string | undefined): void {
  if (output === undefined) {
    process.stdout.write(text);
    return;
  }
  const file = fromCaller(output);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

/** A path as the one who typed the command means it. */
export const fromCaller = (file: string): string => path.resolve(process.env.TRELLIS_CWD ?? '.', file);
