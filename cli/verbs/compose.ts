import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { bundleReferenceService, watchReferenceService } from '../../images/reference-service/bundle';
import { makeTinyModel } from '../../images/llama-cpp/model/tiny';
import {
  composeRunFolder,
  dockerEnvironment,
  emptyRunFolder,
  ensureBaseImage,
  ensureDocker,
  ensureTool,
  root,
  state,
} from '../../local/index';
import type { Composition, KubeObject } from '../compose/model';
import { composition } from '../compose/composition';
import { chosenAddress } from '../compose/edge';
import { composeEnvironment, writeComposition, writeSecrets } from '../compose/write';
import { CliError, EXIT } from '../exit';
import { renderForOneMachine } from '../stack-program';

export interface ComposeVerbOptions {
  /** Folder of the Compose file. @default `.trellis/compose/<environment>` */
  readonly output?: string;
}

/** Systems that Compose runs, and what watches them in development. */
const SYSTEMS = ['noodle-core', 'noa-server'] as const;
const WATCHING = 'observability';
const REFERENCE = 'images/reference-service';

/** Verbs of Docker Compose after which containers read their secrets. */
const READING: ReadonlySet<string> = new Set(['up', 'create', 'run', 'start', 'restart']);

interface Written {
  readonly made: Composition;
  readonly file: string;
}

async function write(environment: string, folder: string): Promise<Written> {
  const { objects, contexts, base, proxy, development } = await renderForOneMachine(environment);
  const from = (context: string): string => path.relative(folder, path.join(root, context));
  const reference = [...contexts].filter(([, context]) => context === REFERENCE).map(([image]) => image);
  const program = {
    folder: from(`${REFERENCE}/dist`),
    target: '/app/dist',
    // Node ends and starts the program again when the bundle changes.
    command: ['/usr/bin/node', '--watch', '/app/dist/server.js'],
  };
  const made = composition(
    objects.map(({ manifest }) => manifest as unknown as KubeObject),
    {
      environment,
      systems: development ? [...SYSTEMS, WATCHING] : SYSTEMS,
      contexts: new Map([...contexts].map(([image, context]) => [image, from(context)])),
      // Compose adds a label to what it builds: under the cluster's name, the cluster's images would all be built anew on that.
      base: { ...base, image: `${base.image}-compose`, context: from(base.context) },
      ...(development
        ? { reload: new Map(reference.map((image) => [image, program])), consoles: WATCHING }
        : { proxy }),
    },
  );
  return { made, file: writeComposition(folder, environment, made) };
}

const addressLines = ({ addresses }: Composition): string =>
  [...addresses].map(([host, url]) => `  ${host.padEnd(32)} ${chosenAddress(host, url, process.env)}`).join('\n');

/** Writes the Compose file of an environment; with arguments, hands them to Docker Compose with the secrets that it needs. */
export async function compose(
  environment: string,
  args: readonly string[],
  options: ComposeVerbOptions,
): Promise<void> {
  const folder =
    options.output === undefined
      ? state('compose', environment)
      : path.resolve(process.env.TRELLIS_CWD ?? '.', options.output);
  const { made, file } = await write(environment, folder);
  const [verb] = args;
  if (verb === undefined) {
    process.stderr.write(
      `${path.relative(root, file)}: ${Object.keys(made.file.services).length} services of ${environment}\n`,
    );
    process.stderr.write(`To start it: ./trellis compose ${environment} up --detach\n`);
    return;
  }
  if (verb === 'watch') return watchReferenceService();
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const docker = await ensureDocker(say);
  await ensureBaseImage(docker, say);
  const program = await ensureTool('docker-compose', say);
  await bundleReferenceService();
  makeTinyModel();
  const authority = READING.has(verb) ? await writeSecrets(environment, made) : undefined;
  const env = { ...dockerEnvironment(docker), ...composeEnvironment(environment, made) };
  const hand = async (...own: readonly string[]): Promise<number> => {
    const child = spawn(program, ['--file', file, ...own], {
      env: { ...process.env, ...env },
      cwd: folder,
      stdio: 'inherit',
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? EXIT.interrupted;
  };
  // Images name their base, which Compose itself would not build first.
  const first = verb === 'up' || verb === 'build' ? await hand('build', 'base') : EXIT.ok;
  // It would print every value.
  const shown = verb === 'config' ? [...args, '--no-interpolate'] : args;
  const code = first === EXIT.ok ? await hand(...shown) : first;
  if (verb === 'down') emptyRunFolder(composeRunFolder(environment));
  if (code !== 0) throw new CliError(`docker compose ${args.join(' ')} ended with ${code}.`, EXIT.failed);
  if (verb !== 'up') return;
  process.stdout.write(`\nAddresses\n${addressLines(made)}\n`);
  if (authority !== undefined) process.stdout.write(`Their authority: ${authority}\n`);
}
