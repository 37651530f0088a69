import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { root, run } from '../../local/index';
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

/** Renders both sides; revisions for `environment`. */
export async function renderSides(
  { left, right, revisions }: Range,
  environment: string,
): Promise<readonly [Side, Side]> {
  if (!revisions) return [await ofEnvironment(left), await ofEnvironment(right)];
  const present = { ...(await ofEnvironment(environment)), name: 'the files as they are' };
  return [await ofRevision(left, environment), right === '' ? present : await ofRevision(right, environment)];
}

const ofEnvironment = async (environment: string): Promise<Side> => ({
  name: environment,
  environment,
  objects: await renderStackObjects(environment),
});

// What a revision can say about its objects: one that is too old to know their construct paths has YAML only.
const PROGRAM = `
const { renderObjects, renderEnvironment } = require('./stacks/render');
const environment = process.argv.at(-1);
const answer = renderObjects === undefined ? renderEnvironment(environment) : renderObjects(environment);
answer.then((found) => process.stdout.write(typeof found === 'string' ? found : JSON.stringify(found)), (error) => {
  process.stderr.write(error.message);
  process.exitCode = 1;
});`;

/** The definition as a revision has it: its own code, beside the packages that are installed now. */
async function ofRevision(revision: string, environment: string): Promise<Side> {
  const commit = await resolved(revision);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-diff-'));
  try {
    const archive = path.join(folder, 'archive.tar');
    await succeeded(['git', 'archive', '--output', archive, commit], root);
    const tree = path.join(folder, 'tree');
    fs.mkdirSync(tree);
    await succeeded(['tar', '-xf', archive, '-C', tree], folder);
    fs.symlinkSync(path.join(root, 'node_modules'), path.join(tree, 'node_modules'));
    const argv = [process.execPath, '--require', 'tsx/cjs', '--eval', PROGRAM, '--', environment];
    const output = await succeeded(argv, tree, `${revision} can't be rendered for ${environment}`);
    return { name: revision, environment, objects: parseOutput(output) };
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

function parseOutput(output: string): readonly Rendered[] {
  if (output.startsWith('[')) return JSON.parse(output) as readonly Rendered[];
  return parseAllDocuments(output).map((document) => ({ manifest: document.toJS() as Rendered['manifest'] }));
}
