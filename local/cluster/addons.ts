import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { LocalError } from '../errors';
import { root } from '../paths';
import type { Report } from '../report';
import type { Api, Manifest } from './api';
import type { Certificate } from './pki';
import { until } from './supervise';

/** Read from the clone, not from beside this file: the CLI may run as a bundle that lies elsewhere. */
const ADDONS = path.join(root, 'local', 'cluster', 'addons');

/** In the order in which they are applied. */
export const ADDON_NAMES = ['coredns', 'metrics-server', 'local-path', 'traefik'] as const;
export type AddonName = (typeof ADDON_NAMES)[number];

/** What stands for `${name}` in an addon's manifests. */
export type AddonValues = Readonly<Record<string, string>>;

/**
 * The objects of a text of YAML documents, `${name}` replaced. A list item that comes out empty is left out.
 *
 * @throws LocalError naming each unknown `${name}`, or where the text is no YAML
 */
export function parseAddon(text: string, values: AddonValues): Manifest[] {
  // A comment may name a value.
  const unknown = [...text.matchAll(/\$\{([\w.-]+)\}/g)]
    .map((match) => match[1] ?? '')
    .filter((name) => !(name in values));
  if (unknown.length > 0) throw new LocalError(`An addon asks for unknown values: ${[...new Set(unknown)].join(', ')}`);
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replace(/\$\{([\w.-]+)\}/g, (_, name: string) => values[name] ?? '');
    if (Array.isArray(value)) return value.map(fill).filter((item, index) => item !== '' || value[index] === '');
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, fill(field)]));
  };
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw new LocalError(`An addon is no YAML: ${document.errors[0]?.message ?? ''}`);
    return numbered(fill(document.toJS())) as Manifest;
  });
}

/** A node port is the one number among the values. */
function numbered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(numbered);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, key === 'nodePort' ? Number(field) : numbered(field)]),
  );
}

/** An addon's objects. `${digest}` stands for its own text: its pods roll when their configuration changes. */
export function readAddon(name: AddonName, values: AddonValues): Manifest[] {
  const text = fs.readFileSync(path.join(ADDONS, `${name}.yaml`), 'utf8');
  return parseAddon(text, { ...values, digest: createHash('sha256').update(text).digest('hex').slice(0, 16) });
}

/** The values for a server's certificate: its two files, and a digest that rolls the pods when they change. */
export function certificateValues(name: string, certificate: Certificate): AddonValues {
  const [cert, key] = [fs.readFileSync(certificate.certFile), fs.readFileSync(certificate.keyFile)];
  return {
    [`${name}.cert`]: cert.toString('base64'),
    [`${name}.key`]: key.toString('base64'),
    [`${name}.digest`]: createHash('sha256').update(cert).digest('hex').slice(0, 16),
  };
}

interface DeploymentStatus {
  readonly observedGeneration?: number;
  /** Pods in all, of former revisions too. */
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly availableReplicas?: number;
}

async function isAvailable(api: Api, deployment: Manifest): Promise<boolean> {
  const { name, namespace } = deployment.metadata;
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
  const live = await api.get<Manifest>(path).catch(() => undefined);
  const status = (live?.status ?? {}) as DeploymentStatus;
  return (
    status.observedGeneration === live?.metadata.generation &&
    (status.updatedReplicas ?? 0) >= 1 &&
    status.updatedReplicas === status.replicas &&
    status.updatedReplicas === status.availableReplicas
  );
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status: {
      readonly phase?: string;
      readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
      readonly containerStatuses?: readonly {
        readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
      }[];
    };
  }[];
}

/** Why pods of a namespace are not ready, one line each. */
export async function podProblems(api: Api, namespace: string): Promise<readonly string[]> {
  const pods = await api.get<PodList>(`/api/v1/namespaces/${namespace}/pods`).catch(() => undefined);
  return (pods?.items ?? []).flatMap(({ metadata, status }) => {
    const waiting = (status.containerStatuses ?? [])
      .map(({ state }) => state?.waiting)
      .find((one) => one !== undefined);
    const unmet = (status.conditions ?? []).find((one) => one.status === 'False');
    if (waiting === undefined && unmet === undefined) return [];
    const reason = [waiting?.reason, waiting?.message ?? unmet?.message]
      .filter((text) => text !== undefined)
      .join(': ');
    return [`${metadata.name}: ${reason === '' ? (status.phase ?? 'unknown') : reason}`];
  });
}

/** How long an addon may take, in seconds: a cold start on two busy cores took up to 40. */
const ADDON_SECONDS = 180;

/**
 * Applies an addon and waits until its pods are there and `works`.
 *
 * @throws LocalError with what the pods wait for
 */
export async function installAddon(
  api: Api,
  name: AddonName,
  values: AddonValues,
  works: () => Promise<boolean>,
  report: Report,
): Promise<void> {
  const manifests = readAddon(name, values);
  for (const manifest of manifests) await api.apply(manifest);
  const deployments = manifests.filter(({ kind }) => kind === 'Deployment');
  report(`waiting for ${name}`);
  const done = async (): Promise<boolean> => {
    for (const deployment of deployments) if (!(await isAvailable(api, deployment))) return false;
    return works();
  };
  if (await until(done, ADDON_SECONDS)) return;
  const problems = await podProblems(api, deployments[0]?.metadata.namespace ?? 'kube-system');
  throw new LocalError(
    [`${name} is not ready after ${ADDON_SECONDS} seconds.`, ...problems.map((line) => `  ${line}`)].join('\n'),
  );
}
