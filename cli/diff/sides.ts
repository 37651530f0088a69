import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { root, run, typescript } from '../../local/index';
import { CliError, EXIT } from '../exit';
import { ENVIRONMENTS, renderStackObjects } from '../stack-program';
import type { Rendered, Side } from './compare';

/** The two sides of a range, as they were typed. */
export interface Range {
  readonly left: string;
  readonly right: string;
  /** Whether they are revisions; environments otherwise. */
  readonly revisions: boolean;
}

/**
 * Reads `A..B`. Each side is an environment, or each is a git revision; an empty right side is the files as they are now.
 *
 * @throws CliError where it is neither
 */
export function parseRange(text: string): Range {
  const match = /^([^\s.-](?:(?!\.\.)\S)*)\.\.((?:(?!\.\.)\S)*)$/.exec(text);
  const [left, right] = [match?.[1], match?.[2]];
  if (left === undefined || right === undefined || right.startsWith('-')) {
    throw new CliError(`'${text}' is not a range such as dev..prod or main..HEAD.`, EXIT.usage);
  }
  const known = [left, right].filter((side) => ENVIRONMENTS.includes(side));
  if (known.length === 1) {
    throw new CliError(
      `'${text}': ${known[0] ?? ''} is an environment and the other side is none. Environments are ${ENVIRONMENTS.join(', ')}; to compare revisions of one, type a range of revisions and -s.`,
      EXIT.usage,
    );
  }
  return { left, right, revisions: known.length === 0 };
}

/** The sides of a range: of environments one pair, of revisions one for each of `environments`. */
export async function renderSides(
  { left, right, revisions }: Range,
  environments: readonly string[],
): Promise<readonly (readonly [Side, Side])[]> {
  if (!revisions) return [[await ofEnvironment(left), await ofEnvironment(right)]];
  const lefts = await ofRevision(left, environments);
  const rights = right === '' ? await ofFiles(environments) : await ofRevision(right, environments);
  return lefts.flatMap((side, index) => {
    const other = rights[index];
    return other === undefined ? [] : [[side, other] as const];
  });
}

const ofEnvironment = async (environment: string): Promise<Side> => ({
  name: environment,
  environment,
  objects: await renderStackObjects(environment),
});

const ofFiles = (environments: readonly string[]): Promise<readonly Side[]> =>
  Promise.all(environments.map(async (each) => ({ ...(await ofEnvironment(each)), name: 'the files as they are' })));

// What a revision can say about its objects: one that is too old to know their construct paths has YAML only.
const PROGRAM = `
const { renderObjects, renderEnvironment } = require('./stacks/render');
const render = async () => {
  const found = [];
  for (const each of process.argv.slice(1)) found.push(await (renderObjects ?? renderEnvironment)(each));
  process.stdout.write(JSON.stringify(found));
};
render().catch((error) => {
  process.stderr.write(error.message);
  process.exitCode = 1;
});`;

/** The definition as a revision has it: its own code, beside the packages that are installed now. */
async function ofRevision(revision: string, environments: readonly string[]): Promise<readonly Side[]> {
  const commit = await resolved(revision);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-diff-'));
  try {
    const archive = path.join(folder, 'archive.tar');
    await succeeded(['git', 'archive', '--output', archive, commit], root);
    const tree = path.join(folder, 'tree');
    fs.mkdirSync(tree);
    await succeeded(['tar', '-xf', archive, '-C', tree], folder);
    fs.symlinkSync(path.join(root, 'node_modules'), path.join(tree, 'node_modules'));
    const argv = [process.execPath, ...typescript, '--eval', PROGRAM, '--', ...environments];
    const output = await succeeded(argv, tree, `${revision} can't be rendered for ${environments.join(', ')}`);
    const found = JSON.parse(output) as readonly (string | readonly Rendered[])[];
    return environments.map((environment, index) => ({
      name: revision,
      environment,
      objects: objectsOf(found[index] ?? []),
    }));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function resolved(revision: string): Promise<string> {
  const argv = ['git', 'rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  const { code, stdout } = await run(argv, { cwd: root });
  if (code === 0) return stdout.trim();
  throw new CliError(
    `'${revision}' is neither an environment (${ENVIRONMENTS.join(', ')}) nor a revision that git knows here.`,
    EXIT.usage,
  );
}

async function succeeded(argv: readonly string[], cwd: string, what = argv.slice(0, 2).join(' ')): Promise<string> {
  const { code, stdout, stderr } = await run(argv, { cwd, env: { NODE_NO_WARNINGS: '1' } });
  if (code !== 0) throw new CliError(`${what}: ${(stderr || stdout).trim() || `it ended with ${code}`}`);
  return stdout;
}

function objectsOf(answer: string | readonly Rendered[]): readonly Rendered[] {
  if (typeof answer !== 'string') return answer;
  return parseAllDocuments(answer).map((document) => ({ manifest: document.toJS() as Rendered['manifest'] }));
}
