import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { parse } from 'yaml';

import { KubernetesError, messageOf, NoKubeconfigError } from './errors';

/** What `user` of a kubeconfig may hold; file paths are absolute. */
export interface UserConfig {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly exec?: ExecConfig;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export interface ExecConfig {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly provideClusterInfo?: boolean;
}

/** One cluster and the user that talks to it. */
export interface Connection {
  /** Base address, without a trailing slash. Empty where there is no cluster; `missing` says why. */
  readonly server: string;
  readonly missing?: string;
  readonly context: string;
  /** @default 'default' */
  readonly namespace: string;
  readonly ca?: Buffer;
  readonly insecure: boolean;
  readonly serverName?: string;
  readonly user: UserConfig;
}

export interface KubeconfigChoice {
  /** Path or content. @default - `KUBECONFIG`, then `~/.kube/config`, then the pod's service account */
  readonly kubeconfig?: string;
  /** @default - the current context */
  readonly context?: string;
  /** @default - the context's cluster */
  readonly cluster?: string;
}

type Fields = Readonly<Record<string, unknown>>;
interface Entry {
  readonly name: string;
  readonly body: Fields;
  /** Folder that relative paths of the entry start from. */
  readonly folder: string;
}
interface Merged {
  readonly origin: string;
  readonly current: string;
  readonly contexts: readonly Entry[];
  readonly clusters: readonly Entry[];
  readonly users: readonly Entry[];
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const str = (fields: Fields, key: string): string | undefined => {
  const value = fields[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

function entries(document: Fields, section: string, inner: string, folder: string): Entry[] {
  const items: unknown = document[section];
  if (!Array.isArray(items)) return [];
  return items.filter(isFields).map((item) => ({
    name: str(item, 'name') ?? '',
    body: isFields(item[inner]) ? item[inner] : {},
    folder,
  }));
}

function readDocument(content: string, origin: string, folder: string): Merged {
  let document: unknown;
  try {
    document = parse(content);
  } catch (error) {
    // A parser's message quotes lines of the file, which may be a key: only its first line says where.
    throw new KubernetesError(
      `kubeconfig ${origin} is no YAML: ${messageOf(error).split('\n')[0]?.slice(0, 120) ?? ''}`,
    );
  }
  if (!isFields(document)) throw new KubernetesError(`kubeconfig ${origin} is empty or no mapping`);
  return {
    origin,
    current: str(document, 'current-context') ?? '',
    contexts: entries(document, 'contexts', 'context', folder),
    clusters: entries(document, 'clusters', 'cluster', folder),
    users: entries(document, 'users', 'user', folder),
  };
}

function readFiles(files: readonly string[]): Merged | undefined {
  const found = files.filter((file) => fs.existsSync(file));
  const documents = found.map((file) =>
    readDocument(fs.readFileSync(file, 'utf8'), file, path.dirname(path.resolve(file))),
  );
  if (documents.length === 0) return undefined;
  // The first file that names something wins, as for kubectl.
  const first = (entriesOf: (document: Merged) => readonly Entry[]): Entry[] => {
    const byName = new Map<string, Entry>();
    for (const entry of documents.flatMap(entriesOf)) if (!byName.has(entry.name)) byName.set(entry.name, entry);
    return [...byName.values()];
  };
  return {
    origin: found.join(', '),
    current: documents.find((document) => document.current !== '')?.current ?? '',
    contexts: first((document) => document.contexts),
    clusters: first((document) => document.clusters),
    users: first((document) => document.users),
  };
}

function load(kubeconfig: string | undefined): Merged | undefined {
  if (kubeconfig !== undefined && kubeconfig.trim() !== '') {
    const looksLikeContent = /[\n{]/.test(kubeconfig);
    if (looksLikeContent) return readDocument(kubeconfig, 'in the provider’s configuration', process.cwd());
    // The SDK passes KUBECONFIG on, which may be a list.
    const files = kubeconfig.split(path.delimiter).map((file) => file.replace(/^~(?=\/)/, os.homedir()));
    const merged = readFiles(files);
    if (merged === undefined) throw new NoKubeconfigError(`kubeconfig ${kubeconfig} does not exist`);
    return merged;
  }
  const listed = process.env.KUBECONFIG;
  if (listed !== undefined && listed !== '') {
    const merged = readFiles(listed.split(path.delimiter).filter((file) => file !== ''));
    if (merged === undefined) throw new NoKubeconfigError(`no file of KUBECONFIG=${listed} exists`);
    return merged;
  }
  return readFiles([path.join(os.homedir(), '.kube', 'config')]);
}

const inPod = '/var/run/secrets/kubernetes.io/serviceaccount';

function fromPod(): Connection | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  if (!host || !port || !fs.existsSync(path.join(inPod, 'token'))) return undefined;
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    context: 'in-cluster',
    namespace: fs.readFileSync(path.join(inPod, 'namespace'), 'utf8').trim(),
    ca: fs.readFileSync(path.join(inPod, 'ca.crt')),
    insecure: false,
    user: { tokenFile: path.join(inPod, 'token') },
  };
}

function blob(entry: Entry, key: string): Buffer | undefined {
  const inline = str(entry.body, `${key}-data`);
  if (inline !== undefined) return Buffer.from(inline, 'base64');
  const file = str(entry.body, key);
  if (file === undefined) return undefined;
  const absolute = path.resolve(entry.folder, file);
  if (!fs.existsSync(absolute)) throw new KubernetesError(`kubeconfig: ${key} ${absolute} does not exist`);
  return fs.readFileSync(absolute);
}

function user(entry: Entry | undefined): UserConfig {
  if (entry === undefined) return {};
  if (entry.body['auth-provider'] !== undefined) {
    throw new KubernetesError(
      `kubeconfig user ${entry.name} uses an auth-provider, which Kubernetes removed in 1.26; use an exec plugin instead`,
    );
  }
  const [token, tokenFile] = [str(entry.body, 'token'), str(entry.body, 'tokenFile')];
  const [username, password] = [str(entry.body, 'username'), str(entry.body, 'password')];
  const [cert, key] = [blob(entry, 'client-certificate'), blob(entry, 'client-key')];
  const exec = entry.body.exec;
  return {
    ...(token === undefined ? {} : { token }),
    ...(tokenFile === undefined ? {} : { tokenFile: path.resolve(entry.folder, tokenFile) }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(isFields(exec) ? { exec: exec as unknown as ExecConfig } : {}),
  };
}

const names = (list: readonly Entry[]): string => list.map((entry) => entry.name).join(', ') || 'none';

function pick(list: readonly Entry[], name: string, what: string, origin: string): Entry {
  const entry = list.find((item) => item.name === name);
  if (entry !== undefined) return entry;
  throw new KubernetesError(`${what} "${name}" does not exist in kubeconfig ${origin}; it has: ${names(list)}`);
}

/**
 * Finds the cluster to talk to.
 * @throws KubernetesError naming the contexts that exist, where the wanted one does not.
 */
export function connection(choice: KubeconfigChoice): Connection {
  const merged = load(choice.kubeconfig);
  if (merged === undefined) {
    const pod = fromPod();
    if (pod !== undefined) return pod;
    throw new NoKubeconfigError('no kubeconfig: set kubernetes:kubeconfig or KUBECONFIG, or create ~/.kube/config');
  }
  const name = choice.context ?? merged.current;
  if (name === '') {
    throw new KubernetesError(`kubeconfig ${merged.origin} has no current context; it has: ${names(merged.contexts)}`);
  }
  const context = pick(merged.contexts, name, 'context', merged.origin);
  const cluster = pick(merged.clusters, choice.cluster ?? str(context.body, 'cluster') ?? '', 'cluster', merged.origin);
  const server = str(cluster.body, 'server');
  if (server === undefined)
    throw new KubernetesError(`cluster "${cluster.name}" of kubeconfig ${merged.origin} has no server`);
  if (str(cluster.body, 'proxy-url') !== undefined) {
    throw new KubernetesError(
      `cluster "${cluster.name}" needs a proxy, which the embedded Kubernetes plugin does not speak`,
    );
  }
  const userName = str(context.body, 'user');
  const ca = blob(cluster, 'certificate-authority');
  const serverName = str(cluster.body, 'tls-server-name');
  return {
    server: server.replace(/\/+$/, ''),
    context: name,
    namespace: str(context.body, 'namespace') ?? 'default',
    insecure: cluster.body['insecure-skip-tls-verify'] === true,
    user: userName === undefined ? {} : user(pick(merged.users, userName, 'user', merged.origin)),
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

/** As {@link connection}, with a stand-in that nobody answers where there is no kubeconfig: a preview goes on without. */
export function connectionOrNone(choice: KubeconfigChoice): Connection {
  try {
    return connection(choice);
  } catch (error) {
    if (!(error instanceof NoKubeconfigError)) throw error;
    return { server: '', missing: error.message, context: '', namespace: 'default', insecure: false, user: {} };
  }
}
