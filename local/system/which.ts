import * as fs from 'node:fs';
import * as path from 'node:path';

/** Where system programs lie; a user's PATH often lacks the `sbin` ones. */
const SYSTEM_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The directories of PATH, in its order, without those that lie under one of `except`. */
export function pathDirectories(except: readonly string[] = []): readonly string[] {
  const under = (directory: string): boolean =>
    except.some((parent) => directory === parent || directory.startsWith(`${parent}${path.sep}`));
  return (process.env.PATH ?? '').split(path.delimiter).filter((entry) => path.isAbsolute(entry) && !under(entry));
}

/** PATH with the directories of system programs behind it: what every program that is started here gets. */
export function fullPath(): string {
  return [...new Set([...pathDirectories(), ...SYSTEM_DIRECTORIES])].join(path.delimiter);
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Every executable of that name in the directories, in their order. */
export function executables(name: string, directories: readonly string[]): readonly string[] {
  return directories.map((directory) => path.join(directory, name)).filter(isExecutable);
}

/** The program that a command of that name runs here, or nothing. */
export function which(name: string): string | undefined {
  return executables(name, fullPath().split(path.delimiter))[0];
}
