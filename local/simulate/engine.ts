import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { dockerLayout, usersEngine } from '../docker';
import { checkpointFile, readCheckpoint } from '../engine/checkpoint';
import { setEngineLogs } from '../engine/engine-logs';
import { engineEnv, ensurePassphrase } from '../engine/environment';
import { ownPassphrase } from '../engine/owner';
import { initStack, withSalt } from '../engine/stacks';
import { LocalError } from '../errors';
import { root } from '../paths';
import { ensurePlugins } from '../plugins';
import { writeAtomic } from '../process';
import { silent, type Report } from '../report';
import { ensureTool, vendorPlugin } from '../toolchain';
import type { Rehearsed } from './capacity';
import { rehearsalHome, rehearsalsDir, type Rehearsal } from './place';
import { registryPort } from './up';

/** What a Pulumi command on a rehearsal needs. */
export interface RehearsalEngine {
  /** Path of the CLI. */
  readonly pulumi: string;
  /** To be added to the environment of this process. */
  readonly env: Record<string, string>;
}

/** What is read of `Pulumi.<environment>.yaml`. */
export interface StackFile {
  readonly encryptionsalt?: string;
  readonly secretsprovider?: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

/**
 * An environment's own configuration.
 *
 * @param folder of the project
 * @throws LocalError where a rehearsal could not read its secrets
 */
export function configuration(
  environment: Rehearsed,
  folder: string = root,
): { readonly text: string; readonly file: StackFile } {
  const name = `Pulumi.${environment}.yaml`;
  const text = fs.readFileSync(path.join(folder, name), 'utf8');
  const file = (parse(text) ?? {}) as StackFile;
  const elsewhere = file.secretsprovider !== undefined && file.secretsprovider !== 'passphrase';
  if (elsewhere || (file.encryptionsalt === undefined && /^\s+secure:/m.test(text))) {
    throw new LocalError(
      `${name} holds values that only its own back end can decrypt, and a rehearsal never uses that.`,
      {
        fix: 'move them to a secret store that the stack refers to by name, or encrypt them with a passphrase',
      },
    );
  }
  return { text, file };
}

/** Registry that the environment's images are named for, without their folder. */
function registryHost({ config }: StackFile): string | undefined {
  const images = config?.['trellis:images'] as { readonly registry?: unknown } | undefined;
  return typeof images?.registry === 'string' ? images.registry.split('/')[0] : undefined;
}

/**
 * Copies the stack's configuration and makes the stack in the rehearsal's own back end. Secrets in the file are encrypted with
 * the same passphrase as ever, so they can be read.
 */
async function ensureStack(rehearsal: Rehearsal, engine: RehearsalEngine, report: Report): Promise<void> {
  const { environment, backend, scratch, configFile } = rehearsal;
  const { text, file } = configuration(environment);
  if (!fs.existsSync(checkpointFile(environment, backend))) {
    report(`stack ${environment} is made in the rehearsal's own back end`);
    fs.rmSync(scratch, { recursive: true, force: true });
    writeAtomic(path.join(scratch, 'Pulumi.yaml'), 'name: trellis\nruntime: nodejs\n');
    writeAtomic(path.join(scratch, path.basename(configFile)), text);
    await initStack(environment, engine, scratch);
  }
  const salt = file.encryptionsalt ?? readCheckpoint(environment, backend)?.salt;
  writeAtomic(configFile, salt === undefined ? text : withSalt(text, salt));
}

/** The registry's name in manifests, and where this machine pushes what is named so. */
function registryAlias(rehearsal: Rehearsal): Record<string, string> {
  const [host, port] = [registryHost(configuration(rehearsal.environment).file), registryPort(rehearsal)];
  if (host === undefined || port === undefined) return {};
  return { TRELLIS_REGISTRY_ALIAS: `${host}=localhost:${port}` };
}

/**
 * CLI, plugins, back end and stack of a rehearsal. A back end, a cluster and a registry of the user's are never touched: the
 * environment variables that name them are overridden, and the image plugin is always ours, since the vendor's would push to
 * the registry that the images are named for.
 */
export async function prepareRehearsal(rehearsal: Rehearsal, report: Report = silent): Promise<RehearsalEngine> {
  const pulumi = await ensureTool('pulumi', report);
  await ensurePlugins(report, {
    pulumiHome: rehearsalHome,
    binDir: path.join(rehearsalsDir, 'bin'),
    // Every plugin gets an executable in that home; none is taken from PATH.
    searchPath: [],
    vendorPlugin: (name) =>
      name === 'pulumi-resource-docker' ? Promise.resolve(undefined) : vendorPlugin(name, { report }),
  });
  fs.mkdirSync(rehearsal.backend, { recursive: true, mode: 0o700 });
  setEngineLogs(rehearsalHome, process.env);
  const users = await usersEngine();
  const env = {
    ...(await engineEnv({
      embeddedPlugins: true,
      ...(users === undefined ? { dockerHost: `unix://${dockerLayout().socket}` } : {}),
    })),
    ...(ownPassphrase(process.env) ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: ensurePassphrase() }),
    PULUMI_HOME: rehearsalHome,
    PULUMI_BACKEND_URL: `file://${rehearsal.backend}`,
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: 'true',
    PULUMI_IGNORE_AMBIENT_PLUGINS: 'true',
    // Each would hold the whole state, and a fifth of the time goes into them. What a killed rehearsal made, the next one takes over: its cluster is
    // applied to, and its secrets guard nothing.
    PULUMI_SKIP_CHECKPOINTS: 'true',
    KUBECONFIG: rehearsal.kubeconfig,
    ...registryAlias(rehearsal),
  };
  await ensureStack(rehearsal, { pulumi, env }, report);
  return { pulumi, env };
}
