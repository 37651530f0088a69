import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalError } from '../errors';
import { cache, state } from '../paths';
import type { Report } from '../report';
import { withLock } from '../system/lock';
import { run, runOrThrow } from '../system/run';
import { which } from '../system/which';
import { dockerEnvironment } from './engine';
import type { Docker } from './engine';

/** What every Dockerfile here starts from. */
export const BASE_IMAGE = 'debian:bookworm-slim';
const SUITE = 'bookworm';

/** A registry that can be reached answers within this time that it has the image; the layers may take longer. */
const FIRST_ANSWER_MS = 6_000;
const PULL_MS = 300_000;

/** What the public slim image leaves out too; also kept out of what is installed on top. */
const EXCLUDED = ['man', 'info', 'doc', 'locale', 'groff', 'lintian', 'linda'];

/**
 * How the image is made from Debian packages. `usr-is-merged` instead of `usrmerge` saves the whole of Perl: 78 MB
 * instead of 130, as measured.
 */
const RECIPE: readonly string[] = [
  '--variant=minbase',
  '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
  '--include=usr-is-merged',
  ...EXCLUDED.map((directory) => `--dpkgopt=path-exclude=/usr/share/${directory}/*`),
  '--dpkgopt=path-include=/usr/share/doc/*/copyright',
  '--aptopt=Acquire::Languages "none"',
];

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
const seconds = (since: number): string => `${((Date.now() - since) / 1000).toFixed(1)} s`;

async function size(docker: Docker): Promise<number | undefined> {
  const { code, stdout } = await run([docker.cli, 'image', 'inspect', '--format', '{{.Size}}', BASE_IMAGE], {
    env: dockerEnvironment(docker),
  });
  return code === 0 ? Number(stdout.trim()) : undefined;
}

/** Pulls the image where a registry answers soon. @returns whether it did */
async function pull(docker: Docker, report: Report): Promise<boolean> {
  const unanswered = new AbortController();
  const timer = setTimeout(() => unanswered.abort(), FIRST_ANSWER_MS);
  try {
    const { code } = await run([docker.cli, 'pull', BASE_IMAGE], {
      env: dockerEnvironment(docker),
      timeoutMs: PULL_MS,
      signal: unanswered.signal,
      // The first line names what is pulled; it comes once the registry has answered.
      onLine: (line) => {
        clearTimeout(timer);
        if (!line.startsWith('Error')) report(line);
      },
    });
    return code === 0;
  } finally {
    clearTimeout(timer);
  }
}

/** The cached archive of the image made from packages; made now, once a machine, if need be. */
async function archive(report: Report): Promise<string> {
  const hash = createHash('sha256')
    .update([process.arch, SUITE, ...RECIPE].join('\0'))
    .digest('hex')
    .slice(0, 16);
  const file = cache('images', `debian-${SUITE}-slim-${hash}.tar`);
  if (fs.existsSync(file)) return file;
  if (which('mmdebstrap') === undefined) {
    throw new LocalError(`${BASE_IMAGE} can't be pulled, and there is no mmdebstrap to make it from packages.`, {
      fix: 'apt-get install --no-install-recommends mmdebstrap',
    });
  }
  const lock = cache('locks', `base-image-${hash}.lock`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  await withLock(lock, { what: 'makes the base image', report }, async () => {
    if (!fs.existsSync(file)) await bootstrap(file, report);
  });
  return file;
}

async function bootstrap(file: string, report: Report): Promise<void> {
  const since = Date.now();
  const temporary = `${file}.part`;
  const logFile = state('logs', 'base-image.log');
  fs.mkdirSync(path.dirname(logFile), { recursive: true });
  report(`making ${BASE_IMAGE} from Debian packages (usually one to four minutes)`);
  try {
    await runOrThrow(['mmdebstrap', '--format=tar', ...RECIPE, SUITE, temporary], {
      logFile,
      // "I: installing essential packages..." and the like.
      onLine: (line) => {
        if (line.startsWith('I: ')) report(`base image: ${line.slice(3)}`);
      },
      fix: `look at ${logFile}; the Debian mirror must be reachable`,
    });
    fs.renameSync(temporary, file);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
  report(`base image made in ${seconds(since)}, ${megabytes(fs.statSync(file).size)}`);
}

/**
 * Sees to it that the engine has the base image: it is there, or pulled where a registry answers within seconds, or
 * made from Debian packages and given the same name, so that the same Dockerfiles build everywhere.
 *
 * @returns its size in bytes
 * @throws LocalError where it can neither be pulled nor made
 */
export async function ensureBaseImage(docker: Docker, report: Report): Promise<number> {
  const present = await size(docker);
  if (present !== undefined) return present;
  const since = Date.now();
  if (!(await pull(docker, report))) {
    const file = await archive(report);
    report(`importing ${BASE_IMAGE}`);
    await runOrThrow([docker.cli, 'import', '--change', 'CMD ["bash"]', file, BASE_IMAGE], {
      env: dockerEnvironment(docker),
    });
  }
  const bytes = await size(docker);
  if (bytes === undefined) throw new LocalError(`${BASE_IMAGE} was fetched, but the engine does not have it.`);
  report(`${BASE_IMAGE}: ${megabytes(bytes)}, ready in ${seconds(since)}`);
  return bytes;
}
