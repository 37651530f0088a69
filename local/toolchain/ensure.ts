import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalError } from '../errors';
import { cache, cacheDir, stateDir } from '../paths';
import type { Report } from '../report';
import { withLock } from '../system/lock';
import { run } from '../system/run';
import { executables, pathDirectories } from '../system/which';
import { buildModule, moduleHash, needGo } from './go';
import { fetchRelease, releaseHere } from './release';
import { fits, TOOLS, versionIn } from './tools';
import type { Tool, ToolName } from './tools';

function toolOf(name: ToolName): Tool {
  const tool = TOOLS.get(name);
  if (tool === undefined) throw new LocalError(`There is no tool ${String(name)} in the toolchain.`);
  return tool;
}

/** The directories of PATH that are the user's: our own wrappers and cached tools are not a choice of theirs. */
export const userDirectories = (): readonly string[] => pathDirectories([stateDir, cacheDir]);

/** A program on PATH whose version fits. One that hangs, fails or tells no version doesn't. */
async function onPath(tool: Tool, directories: readonly string[]): Promise<string | undefined> {
  if (tool.onPath === undefined) return undefined;
  for (const candidate of executables(tool.name, directories)) {
    const { stdout, stderr } = await run([candidate, ...tool.onPath.argv], { timeoutMs: 10_000 });
    const version = versionIn(`${stdout}\n${stderr}`);
    if (version !== undefined && fits(tool, version)) return candidate;
  }
  return undefined;
}

/** Where a tool lies once it was fetched or built. */
export function cachedPath(name: ToolName): string {
  const { module } = toolOf(name);
  return cache('tools', `${name}-${moduleHash(module)}`, name);
}

/** Fetches or builds into a directory beside the final one, then renames: a killed run leaves nothing half made. */
async function make(tool: Tool, target: string, report: Report): Promise<void> {
  const final = path.dirname(target);
  const parent = path.dirname(final);
  const prefix = `.tmp-${path.basename(final)}-`;
  // The lock is ours, so what bears this name was left by a killed run.
  for (const leftOver of fs.readdirSync(parent).filter((entry) => entry.startsWith(prefix))) {
    fs.rmSync(path.join(parent, leftOver), { recursive: true, force: true });
  }
  const directory = fs.mkdtempSync(path.join(parent, prefix));
  try {
    const release = releaseHere(tool.releases);
    const fetched = release === undefined ? undefined : await fetchRelease(tool.name, release, directory, report);
    if (fetched === undefined) {
      await buildModule(tool.name, tool.module, path.join(directory, tool.name), tool.buildMinutes, report);
    }
    fs.chmodSync(directory, 0o755);
    fs.renameSync(directory, final);
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

const found = new Map<ToolName, string>();

export interface EnsureOptions {
  /** Where a user's own tool may be. @default - PATH, without this clone's wrappers and the cache */
  readonly directories?: readonly string[];
}

/**
 * The path of a tool's executable: the user's own if its version fits, else the cached one, fetched or built now if need be.
 *
 * @throws LocalError where it has to be built and can't
 */
export async function ensureTool(name: ToolName, report: Report, options: EnsureOptions = {}): Promise<string> {
  const tool = toolOf(name);
  const known = options.directories === undefined ? found.get(name) : undefined;
  if (known !== undefined && fs.existsSync(known)) return known;
  const remember = (executable: string): string => {
    if (options.directories === undefined) found.set(name, executable);
    return executable;
  };
  const users = await onPath(tool, options.directories ?? userDirectories());
  if (users !== undefined) return remember(users);
  const target = cachedPath(name);
  if (fs.existsSync(target)) return remember(target);
  fs.mkdirSync(cache('tools'), { recursive: true });
  const lock = cache('locks', `${path.basename(path.dirname(target))}.lock`);
  await withLock(lock, { what: `makes ${name}`, report }, async () => {
    if (!fs.existsSync(target)) await make(tool, target, report);
  });
  return remember(target);
}

/** The tools that would have to be fetched or built now. */
export async function missingTools(names: readonly ToolName[], options: EnsureOptions = {}): Promise<readonly Tool[]> {
  const missing: Tool[] = [];
  for (const tool of names.map(toolOf)) {
    const users = await onPath(tool, options.directories ?? userDirectories());
    if (users === undefined && !fs.existsSync(cachedPath(tool.name))) missing.push(tool);
  }
  return missing;
}

/**
 * `ensureTool` for several, one after the other: a Go build uses every core by itself.
 *
 * @returns name → path
 * @throws LocalError before the first build where Go is needed and isn't there
 */
export async function ensureTools<Name extends ToolName>(
  names: readonly Name[],
  report: Report,
  options: EnsureOptions = {},
): Promise<Readonly<Record<Name, string>>> {
  const missing = await missingTools(names, options);
  const toBuild = missing.filter((tool) => releaseHere(tool.releases) === undefined);
  if (toBuild.length > 0) {
    await needGo(toBuild.map((tool) => tool.name).join(', '));
    const minutes = Math.ceil(toBuild.reduce((sum, tool) => sum + tool.buildMinutes, 0));
    report(
      `${toBuild.length} to build: ${toBuild.map((tool) => tool.name).join(', ')} (about ${minutes} min on two cores)`,
    );
  }
  const paths = {} as Record<Name, string>;
  for (const name of names) paths[name] = await ensureTool(name, report, options);
  return paths;
}
