import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalError } from '../errors';

/** A change in the source of a module that a tool is built with. */
export interface SourceEdit {
  /** Path of the module; its version is the one in go.sum. */
  readonly module: string;
  readonly file: string;
  /** Must be there exactly once. */
  readonly from: string;
  readonly to: string;
}

/**
 * `pulumi config set` asks whether a value looks like a secret. The module that tells, of which two copies are linked in, reads its word lists
 * at the start of every command, 0.11 s of 0.20 (`GODEBUG=inittrace=1`). It can read them when it is asked, which its own code provides for.
 */
export const LAZY_WORD_LISTS: readonly SourceEdit[] = [
  'github.com/nbutton23/zxcvbn-go',
  'github.com/ccojocar/zxcvbn-go',
].flatMap((module) => [
  { module, file: 'frequency/frequency.go', from: 'func init() {', to: 'func Read() map[string]List {' },
  {
    ...{ module, file: 'frequency/frequency.go' },
    from: 'getStringListFromAsset(passwordsFilePath, "Passwords")\n',
    to: 'getStringListFromAsset(passwordsFilePath, "Passwords")\n\treturn Lists\n',
  },
  { module, file: 'matching/matching.go', from: 'func init() {\n\tloadFrequencyList()\n}\n', to: '' },
  { module, file: 'matching/matching.go', from: 'range frequency.Lists {', to: 'range frequency.Read() {' },
]);

function edited(text: string, { module, file, from, to }: SourceEdit): string {
  const [before, after, ...more] = text.split(from);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new LocalError(`${module}/${file} can't be edited: ${JSON.stringify(from)} is not there exactly once.`, {
      fix: 'look at what its new version does, and mend or drop the edit in local/toolchain/edits.ts',
    });
  }
  return `${before}${to}${after}`;
}

/** A writable copy of a module, edited. Old modules have no go.mod; one is needed in a folder. */
function copyEdited(module: string, source: string, edits: readonly SourceEdit[], target: string): void {
  fs.cpSync(source, target, { recursive: true });
  for (const entry of fs.readdirSync(target, { recursive: true, encoding: 'utf8' }))
    fs.chmodSync(path.join(target, entry), 0o755);
  fs.chmodSync(target, 0o755);
  const goMod = path.join(target, 'go.mod');
  if (!fs.existsSync(goMod)) fs.writeFileSync(goMod, `module ${module}\n`);
  for (const edit of edits) {
    const file = path.join(target, edit.file);
    fs.writeFileSync(file, edited(fs.readFileSync(file, 'utf8'), edit));
  }
}

/**
 * Writes edited copies of modules, and a go.mod that takes them in place of the modules themselves.
 *
 * @param own folder of the go.mod and go.sum that the other one is made of
 * @param source where a module's files are
 * @returns the file for `go build -modfile`
 * @throws LocalError where an edit doesn't fit
 */
export async function writeModfile(
  edits: readonly SourceEdit[],
  own: string,
  source: (module: string) => Promise<string>,
  folder: string,
): Promise<string> {
  const replaced: string[] = [];
  for (const module of new Set(edits.map((edit) => edit.module))) {
    const target = path.join(folder, `${replaced.length}`);
    const its = edits.filter((edit) => edit.module === module);
    copyEdited(module, await source(module), its, target);
    replaced.push(`replace ${module} => ${JSON.stringify(target)}\n`);
  }
  const file = path.join(folder, 'go.mod');
  fs.writeFileSync(file, [fs.readFileSync(path.join(own, 'go.mod'), 'utf8'), ...replaced].join('\n'));
  fs.copyFileSync(path.join(own, 'go.sum'), path.join(folder, 'go.sum'));
  return file;
}
