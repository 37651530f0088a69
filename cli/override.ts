import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseDocument } from 'yaml';
import { root, state } from '../local/index';
import { CliError, EXIT } from './exit';
import { settingText, type Setting } from './setting';

/** The typed value in the type that the key has. */
function typed(before: unknown, { keys, value }: Setting): unknown {
  if (typeof before === 'string') return value;
  const asked: unknown = /^(true|false)$/.test(value)
    ? value === 'true'
    : /^-?\d+(\.\d+)?$/.test(value)
      ? Number(value)
      : value;
  if (typeof asked === typeof before) return asked;
  throw new CliError(`${keys.join('.')} is a ${typeof before}, got '${value}'.`, EXIT.usage);
}

/**
 * A configuration file with some values set, comments and all else as they were.
 *
 * @param file named in the error
 * @throws CliError for a key that the file has not, or that is no single value
 */
export function withSettings(text: string, file: string, settings: readonly Setting[]): string {
  const document = parseDocument(text);
  for (const each of settings) {
    const [top = '', ...rest] = each.keys;
    const where = ['config', `trellis:${top}`, ...rest];
    const before: unknown = document.getIn(where);
    if (before === undefined || (typeof before === 'object' && before !== null))
      throw new CliError(`${file} has no value at the key ${each.keys.join('.')}.`, EXIT.usage);
    document.setIn(where, typed(before, each));
  }
  return document.toString({ lineWidth: 0 });
}

/** Sets values in a file that is a copy already. */
export function setInCopy(file: string, settings: readonly Setting[]): void {
  if (settings.length === 0) return;
  fs.writeFileSync(file, withSettings(fs.readFileSync(file, 'utf8'), path.basename(file), settings));
}

/**
 * A copy of a stack's configuration with some values set, for `--config-file`; the file itself stays as it is.
 *
 * @returns undefined where nothing is set
 */
export function overridden(stack: string, settings: readonly Setting[], folder: string = root): string | undefined {
  if (settings.length === 0) return undefined;
  const name = `Pulumi.${stack}.yaml`;
  const file = path.join(state('set'), name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, withSettings(fs.readFileSync(path.join(folder, name), 'utf8'), name, settings), {
    mode: 0o600,
  });
  return file;
}

/** What a user should know after an update with other values; empty where there was none. */
export function overrideNote(stack: string, settings: readonly Setting[], again: string): string {
  if (settings.length === 0) return '';
  const list = settings.map(settingText).join(', ');
  return `\nDeployed with ${list}; Pulumi.${stack}.yaml says otherwise still, and ${again} without --set follows it again.\n`;
}
