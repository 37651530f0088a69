import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { LocalError } from '../errors';
import { root, state } from '../paths';
import { tail } from '../process';
import type { Report } from '../report';
import { run, type RunResult } from '../system/run';
import { executables, pathDirectories } from '../system/which';
import { writeModfile } from './edits';
import { compareVersions } from './tools';
import type { GoModule } from './tools';

/** From this version on, Go fetches by itself the newer toolchain that a go.mod asks for. */
export const GO_MINIMUM = '1.21.0';
const GO_LATEST = '1.26.8';
const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
/** The vendor's own way to install it; root is needed for that directory. */
export const GO_FIX = `curl -fsSL https://go.dev/dl/go${GO_LATEST}.linux-${architecture}.tar.gz | tar -xz -C /usr/local`;

/** Same flags, same binary; they are part of what the cache directory is named after. */
const FLAGS = ['-trimpath', '-buildvcs=false', '-mod=readonly'];

const moduleDirectory = (module: GoModule): string => path.join(root, 'local', 'toolchain', module.directory);

const ldflags = (module: GoModule): string =>
  ['-s -w', ...Object.entries(module.variables ?? {}).map(([name, value]) => `-X ${name}=${value}`)].join(' ');

/** Where Go's own installer, PATH and the distributions put it. */
export function goDirectories(): readonly string[] {
  const goroot = process.env.GOROOT;
  return [...pathDirectories(), ...(goroot === undefined ? [] : [path.join(goroot, 'bin')]), '/usr/local/go/bin'];
}

/** The Go command and its version (`x.y.z`), or nothing; an old one is returned too. */
export async function findGo(
  directories: readonly string[] = goDirectories(),
): Promise<{ readonly command: string; readonly version: string } | undefined> {
  const command = executables('go', directories)[0];
  if (command === undefined) return undefined;
  // Outside any module, and without fetching another toolchain just to be asked for a number.
  const options = { env: { GOTOOLCHAIN: 'local' }, cwd: path.parse(command).root, timeoutMs: 10_000 };
  const { stdout } = await run([command, 'version'], options);
  const version = /go(\d+\.\d+)(\.\d+)?/.exec(stdout);
  return version === null ? undefined : { command, version: `${version[1]}${version[2] ?? '.0'}` };
}

/**
 * The Go command.
 *
 * @throws LocalError naming what needs it, where there is none or it is too old
 */
export async function needGo(forWhat: string, directories?: readonly string[]): Promise<string> {
  const go = await findGo(directories);
  if (go === undefined) {
    throw new LocalError(`${forWhat} is built from source here, and there is no Go on PATH or in /usr/local/go/bin.`, {
      fix: GO_FIX,
    });
  }
  if (compareVersions(go.version, GO_MINIMUM) < 0) {
    throw new LocalError(`${forWhat} is built from source here, and Go ${go.version} (${go.command}) is too old.`, {
      fix: GO_FIX,
    });
  }
  return go.command;
}

/** Names a build by all that goes into it: 16 hexadecimal digits. */
export function moduleHash(module: GoModule): string {
  const directory = moduleDirectory(module);
  const hash = createHash('sha256');
  hash.update([process.platform, process.arch, module.package, ...FLAGS, ldflags(module)].join('\0'));
  if (module.edits !== undefined) hash.update(JSON.stringify(module.edits));
  const files = fs
    .readdirSync(directory)
    .filter((file) => /^go\.(mod|sum)$|\.go$/.test(file) && !file.endsWith('_test.go'));
  for (const file of files.sort()) hash.update(`\0${file}\0`).update(fs.readFileSync(path.join(directory, file)));
  return hash.digest('hex').slice(0, 16);
}

/** `95_000` → "1 min 35 s". */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Says every ten seconds how long the build takes; `go build` tells nothing between its downloads and its end. */
function clock(name: string, usualMinutes: number, report: Report): { fetched(): void; end(): number } {
  const since = Date.now();
  let modules = 0;
  const usual = usualMinutes < 1 ? 'under a minute' : `about ${usualMinutes} min`;
  const timer = setInterval(() => {
    const fetching = modules === 0 ? '' : `, ${modules} modules fetched`;
    report(`${name}: building for ${duration(Date.now() - since)}${fetching} (usually ${usual})`);
  }, 10_000);
  return {
    fetched: () => void (modules += 1),
    end: () => {
      clearInterval(timer);
      return Date.now() - since;
    },
  };
}

/** The usual reason why a module can't be fetched. */
const PROXY_FIX = 'without network, Go needs its module proxy (GOPROXY)';

/** A user's own flags, workspace or cross-compilation settings would make another program under the same name. */
const ENVIRONMENT = { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', GOOS: '', GOARCH: '', GOEXPERIMENT: '' };

/** Where Go keeps the files of a module, which it fetches if it must. @throws LocalError with what Go says */
async function sourceOf(go: string, cwd: string, module: string): Promise<string> {
  const { stdout, stderr } = await run([go, 'mod', 'download', '-json', module], { cwd, env: ENVIRONMENT });
  const { Dir: dir, Error: error } = JSON.parse(stdout || '{}') as { readonly Dir?: string; readonly Error?: string };
  if (dir !== undefined) return dir;
  throw new LocalError(`${module} can't be fetched: ${error ?? stderr.trim()}`, { fix: PROXY_FIX });
}

/**
 * Builds a command into `target`. Go's output goes to a log file under the state directory.
 *
 * @throws LocalError with the last lines of that log
 */
export async function buildModule(
  name: string,
  module: GoModule,
  target: string,
  usualMinutes: number,
  report: Report,
): Promise<void> {
  const go = await needGo(name);
  const logFile = state('logs', `build-${name}.log`);
  fs.mkdirSync(path.dirname(logFile), { recursive: true });
  fs.writeFileSync(logFile, '', { mode: 0o600 });
  report(`${name}: building from its Go module`);
  const timer = clock(name, usualMinutes, report);
  const onLine = (line: string): void => {
    if (line.startsWith('go: downloading')) timer.fetched();
  };
  const cwd = moduleDirectory(module);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-build-'));
  const build = async (): Promise<RunResult> => {
    const source = (dependency: string): Promise<string> => sourceOf(go, cwd, dependency);
    const { edits } = module;
    const modfile = edits === undefined ? [] : ['-modfile', await writeModfile(edits, cwd, source, folder)];
    const argv = [go, 'build', ...FLAGS, ...modfile, '-ldflags', ldflags(module), '-o', target, module.package];
    return run(argv, { cwd, env: ENVIRONMENT, logFile, onLine });
  };
  let took = 0;
  const result = await build().finally(() => {
    took = timer.end();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  if (result.code !== 0) {
    throw new LocalError(`${name} could not be built (Go ended with code ${result.code}):\n${tail(logFile)}`, {
      fix: `look at ${path.relative(root, logFile)}; ${PROXY_FIX}`,
    });
  }
  report(`${name}: built in ${duration(took)}`);
}
