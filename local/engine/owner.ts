import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';
import { root, state } from '../paths';

/** The environment as a program receives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where this clone keeps what the Pulumi engine needs. */
export const engineFiles = {
  home: state('pulumi', 'home'),
  backend: state('pulumi', 'state'),
  passphrase: state('pulumi', 'passphrase'),
  /** Holds a project of the same name without configuration; stacks are made from it, so that no file of the user's is rewritten. */
  scratch: state('pulumi', 'scratch'),
  bin: state('bin'),
  kubeconfig: state('cluster', 'kubeconfig'),
} as const;

/** Environments, as the stacks are named: the three, and whatever else has a `Pulumi.<name>.yaml`, such as a second region. */
export function stacksIn(folder: string): readonly string[] {
  const given = ['dev', 'staging', 'prod'];
  const files = fs.readdirSync(folder).flatMap((file) => /^Pulumi\.([a-z0-9-]+)\.yaml$/.exec(file)?.[1] ?? []);
  return [...given, ...files.filter((name) => !given.includes(name)).sort()];
}

/** Those of the clone. */
export const stacks = stacksIn(root);

/**
 * Whether a value was exported by `./trellis env`, of this clone or of another. Such a value is never the user's own:
 * a shell that took its environment from one clone must not make another clone work on the first one's state.
 */
const exported = (value: string): boolean =>
  /(^|[/:])\.trellis\/(pulumi\/(home|state|passphrase)|cluster\/kubeconfig|simulate|bin|docker)(\/|$)|^\/run\/trellis-[0-9a-f]+\/docker\//.test(
    value.replace(/^(file|unix):\/\//, ''),
  );

/** A variable that the user set; undefined where it is missing, empty or made by `./trellis env`. */
export function own(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value === undefined || value === '' || exported(value) ? undefined : value;
}

const isFile = (file: string): boolean => fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;

function readJson(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Why the user's own Pulumi backend is used; undefined where the clone's own is. */
export function ownBackend(environment: Environment): string | undefined {
  if (own(environment, 'PULUMI_BACKEND_URL') !== undefined) return 'PULUMI_BACKEND_URL is set';
  if (own(environment, 'PULUMI_ACCESS_TOKEN') !== undefined) return 'PULUMI_ACCESS_TOKEN is set';
  const home = own(environment, 'PULUMI_HOME') ?? path.join(environment.HOME ?? os.homedir(), '.pulumi');
  const credentials = readJson(path.join(home, 'credentials.json')) as { current?: unknown } | undefined;
  const current = credentials?.current;
  return typeof current === 'string' && current !== '' ? `${home} has a login` : undefined;
}

/** Whether the user set a passphrase; an empty one that is set counts, as it does for Pulumi. */
export const ownPassphrase = (environment: Environment): boolean =>
  environment.PULUMI_CONFIG_PASSPHRASE !== undefined || own(environment, 'PULUMI_CONFIG_PASSPHRASE_FILE') !== undefined;

/** The kubeconfigs that the user's kubectl reads: those of `KUBECONFIG`, else `~/.kube/config` where it exists. */
export function ownKubeconfigs(environment: Environment): readonly string[] {
  const named = (environment.KUBECONFIG ?? '').split(path.delimiter).filter((file) => file !== '' && !exported(file));
  if (named.length > 0) return named;
  const usual = path.join(environment.HOME ?? os.homedir(), '.kube', 'config');
  return isFile(usual) ? [usual] : [];
}

/** Names of the contexts in a kubeconfig; none where it can't be read. */
export function contextsIn(file: string): readonly string[] {
  try {
    const document = parse(fs.readFileSync(file, 'utf8')) as { contexts?: readonly { name?: unknown }[] | null } | null;
    return (document?.contexts ?? []).map(({ name }) => name).filter((name) => typeof name === 'string');
  } catch {
    return [];
  }
}

/** Contexts by the text that names them: a command asks several times, and to parse the file takes as long as to start. */
const contexts = new Map<string, unknown>();

function contextIn(text: string): unknown {
  if (!contexts.has(text)) {
    const document = parse(text) as { config?: { 'trellis:cluster'?: { context?: unknown } | null } | null } | null;
    contexts.set(text, document?.config?.['trellis:cluster']?.context);
  }
  return contexts.get(text);
}

/** The kubeconfig context that a stack's configuration names. @default - `trellis-<stack>`, where it names none */
export function contextOf(stack: string, folder: string = root): string {
  const file = path.join(folder, `Pulumi.${stack}.yaml`);
  const context = isFile(file) ? contextIn(fs.readFileSync(file, 'utf8')) : undefined;
  return typeof context === 'string' && context !== '' ? context : `trellis-${stack}`;
}

/** Whether the stack goes to the cluster that this clone runs, and not to one of the user's. */
export function isLocalStack(stack: string, environment: Environment, folder: string = root): boolean {
  const context = contextOf(stack, folder);
  const users = ownKubeconfigs(environment).some((file) => contextsIn(file).includes(context));
  return !users && context === `trellis-${stack}`;
}
