import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';

import { ProviderError } from '../shared/provider';
import type { Context } from '../shared/provider';
import { onHost } from './alias';
import { docker, engineProblem } from './cli';
import type { DockerEnvironment, RunOptions } from './cli';
import type { ImageSpec } from './inputs';
import { hostPlatform } from './inputs';
import { parseReference, repository } from './reference';

/** How many of the last lines a failure shows. */
const SHOWN_LINES = 20;
/** Lines go to the engine at most this often: each is a call of its own. */
const LINE_INTERVAL_MS = 100;
/** What the CLI says of the old builder before each build. */
const NOTICE = /^DEPRECATED: The legacy builder|^\s+(BuildKit is|Install the buildx|https:\/\/docs\.docker)/;

/** The step that runs, from a line of either builder: `Step 3/9 : RUN make`, `#7 [build 3/9] RUN make`. */
export function stepOf(line: string): { readonly step: string; readonly what: string } | undefined {
  const classic = /^Step (\d+\/\d+) : (.*)$/.exec(line);
  const buildkit = /^#\d+ \[(?:[^\]]*? )?(\d+\/\d+)\] (.*)$/.exec(line);
  const [, step, what] = classic ?? buildkit ?? [];
  return step === undefined ? undefined : { step, what: what ?? '' };
}

/** Shows a build's lines beside the resource, each with its step, no faster than a person reads. */
export function progress(context: Context, now: () => number = Date.now): { line(text: string): void; last(): string } {
  let prefix = '';
  let current = '';
  let shown = -Infinity;
  return {
    line(text) {
      const found = stepOf(text);
      if (found !== undefined) {
        prefix = `[step ${found.step}] `;
        current = `step ${found.step}: ${found.what}`;
      }
      if (found === undefined && now() - shown < LINE_INTERVAL_MS) return;
      shown = now();
      context.log('info', `${prefix}${found?.what ?? text}`, { ephemeral: true });
    },
    last: () => current,
  };
}

function buildArguments(spec: ImageSpec): string[] {
  const option = (name: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`--${name}`, value];
  return [
    'build',
    ...option('tag', spec.imageName),
    ...option('file', spec.dockerfile),
    ...option('network', spec.network),
    ...option('target', spec.target),
    // The host's own platform is what the builder takes anyway; naming it makes the old builder reject images without one.
    ...(spec.platform === hostPlatform ? [] : option('platform', spec.platform)),
    ...spec.cacheFrom.flatMap((image) => option('cache-from', image)),
    ...spec.addHosts.flatMap((host) => option('add-host', host)),
    // The CLI takes the values from its environment: a command line is visible to every user.
    ...Object.keys(spec.args).flatMap((name) => option('build-arg', name)),
    ...(spec.builder === 'BuilderBuildKit' ? ['--progress', 'plain'] : []),
    spec.context,
  ];
}

const tail = (lines: readonly string[]): string =>
  lines
    .slice(-SHOWN_LINES)
    .map((line) => `  ${line}`)
    .join('\n');

async function buildImage(spec: ImageSpec, context: Context, run: RunOptions): Promise<void> {
  const shown = progress(context);
  if (spec.builder === 'BuilderBuildKit') {
    const { code } = await docker(['buildx', 'version'], run);
    if (code !== 0) {
      const fix = 'install docker-buildx, or leave builderVersion out';
      throw new ProviderError('builderVersion BuilderBuildKit needs the buildx plugin of Docker.', { fix });
    }
  }
  const { code, lines } = await docker(buildArguments(spec), {
    ...run,
    env: { ...spec.args, DOCKER_BUILDKIT: spec.builder === 'BuilderBuildKit' ? '1' : '0' },
    onLine: (line) => {
      if (!NOTICE.test(line)) shown.line(line);
    },
  });
  if (code === 0) return;
  const where = shown.last() === '' ? '' : ` at ${shown.last()}`;
  throw (
    engineProblem(lines) ??
    new ProviderError(`Building ${spec.imageName} failed${where}\n${tail(lines.filter((line) => !NOTICE.test(line)))}`)
  );
}

/** Pushes the image and returns its digest. */
async function pushImage(spec: ImageSpec, context: Context, run: RunOptions): Promise<string> {
  const shown = progress(context);
  const { code, lines } = await docker(['push', spec.imageName], {
    ...run,
    onLine: (line) => shown.line(`push: ${line}`),
  });
  if (code !== 0) {
    const unreachable = /connection refused|no such host|i\/o timeout/i.test(lines.join('\n'));
    const text = `Pushing ${spec.imageName} failed\n${tail(lines)}`;
    const fix = 'see that the registry runs and that its name is right';
    throw engineProblem(lines) ?? new ProviderError(text, unreachable ? { fix } : {});
  }
  const digest = lines
    .map((line) => /\bdigest: (sha256:[0-9a-f]{64})\b/.exec(line)?.[1])
    .find((found) => found !== undefined);
  if (digest !== undefined) return digest;
  throw new ProviderError(`Pushing ${spec.imageName} told no digest\n${tail(lines)}`);
}

async function imageId(spec: ImageSpec, run: RunOptions): Promise<string> {
  const { code, lines } = await docker(['image', 'inspect', '--format', '{{.Id}}', spec.imageName], run);
  if (code === 0 && lines[0] !== undefined) return lines[0];
  throw engineProblem(lines) ?? new ProviderError(`The built image ${spec.imageName} is not there\n${tail(lines)}`);
}

/** Logs in where the inputs hold credentials, runs `action`, and leaves nothing of them behind. */
async function withCredentials<T>(
  spec: ImageSpec,
  run: RunOptions,
  action: (run: RunOptions) => Promise<T>,
): Promise<T> {
  const { username, password, server } = spec.registry;
  if (username === '' || password === '') return action(run);
  const configDir = await fs.mkdtemp(path.join(process.env['XDG_RUNTIME_DIR'] ?? os.tmpdir(), 'trellis-docker-'));
  try {
    const environment = { ...run.environment, host: await currentHost(run), configDir };
    const registry = server || parseReference(spec.imageName)?.registry || 'docker.io';
    const login = ['login', '--username', username, '--password-stdin', registry.replace(/^https?:\/\//, '')];
    const { code, lines } = await docker(login, { ...run, environment, input: password });
    if (code !== 0) throw engineProblem(lines) ?? new ProviderError(`Logging in to ${registry} failed\n${tail(lines)}`);
    return await action({ ...run, environment });
  } finally {
    await fs.rm(configDir, { recursive: true, force: true });
  }
}

/** The engine that the user's own configuration points at, which the temporary one would hide. */
async function currentHost(run: RunOptions): Promise<string | undefined> {
  const given = run.environment.host ?? process.env['DOCKER_HOST'];
  if (given) return given;
  const { code, lines } = await docker(['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'], run);
  return code === 0 ? lines[0] : undefined;
}

/**
 * Builds an image and pushes it. Returns `repository@sha256:…`, or the image's id where nothing is pushed.
 * `timeout` is in seconds; 0 means none.
 */
export async function buildAndPush(
  spec: ImageSpec,
  context: Context,
  environment: DockerEnvironment,
  timeout = 0,
): Promise<string> {
  const limit = timeout > 0 ? [AbortSignal.timeout(timeout * 1000)] : [];
  const signal = AbortSignal.any([context.signal, ...limit]);
  for (const name of spec.secretArgs) {
    context.log('warning', `build.args.${name} is secret, and anyone who has the image can read it from its history`);
  }
  const local = onHost(spec);
  return withCredentials(local, { environment, signal, secrets: spec.secrets }, async (run) => {
    await buildImage(local, context, run);
    if (spec.skipPush) return imageId(local, run);
    const digest = await pushImage(local, context, run);
    const reference = parseReference(spec.imageName);
    return `${reference === undefined ? spec.imageName : repository(reference)}@${digest}`;
  });
}

/** Whether the engine has an image of that id; undefined where no engine can be asked. */
export async function hasLocalImage(
  id: string,
  context: Context,
  environment: DockerEnvironment,
): Promise<boolean | undefined> {
  const run = { environment, signal: context.signal };
  try {
    const { code, lines } = await docker(['image', 'inspect', '--format', '{{.Id}}', id], run);
    if (code === 0) return true;
    return /No such (image|object)/i.test(lines.join('\n')) ? false : undefined;
  } catch {
    return undefined;
  }
}
