import * as fs from 'node:fs';
import * as path from 'node:path';
import { state } from '../paths';
import { writeAtomic } from '../process';
import type { Report } from '../report';
import { layoutOf, type Layout } from './layout';
import { freeSubnet, NETNS } from './network';
import { choosePort } from './ports';
import { REGISTRY_PORT } from './registry';
import type { Subnet } from './subnet';
import { runs } from './supervise';

/** How a cluster is reached from this machine. */
export interface ClusterInfo {
  /** Path of a kubeconfig with administrator's rights. */
  readonly kubeconfig: string;
  /** `https://127.0.0.1:PORT`. */
  readonly apiServer: string;
  /** `https://localhost`, with the port where it is not 443. The Host header says which Ingress is meant. */
  readonly ingressHttps: string;
  /** `http://localhost`, with the port where it is not 80. */
  readonly ingressHttp: string;
  readonly httpsPort: number;
  readonly httpPort: number;
  /** `localhost:5000`, as images are named for it inside the cluster. */
  readonly registry: string;
  /** `localhost:PORT`, where this host reaches it: another port where 5000 was taken. */
  readonly registryHost: string;
  /** Certificate of the authority that signed what the API server and the ingress show. */
  readonly caFile: string;
  readonly netns: string;
  /** Contexts of the kubeconfig. */
  readonly contexts: readonly string[];
}

/** Ports on the host's loopback. */
export interface Ports {
  readonly api: number;
  readonly https: number;
  readonly http: number;
  readonly registry: number;
}

/** What was chosen once and is kept. */
export interface Choices {
  readonly ports: Ports;
  readonly subnet: Subnet;
}

/** All of them lead to the one local cluster; a stack of the same name runs in namespaces of its own. */
export const CONTEXTS = ['trellis-dev', 'trellis-staging', 'trellis-prod'];

const CANDIDATES: Readonly<Record<keyof Ports, readonly number[]>> = {
  api: [6443],
  https: [443, 8443],
  http: [80, 8080],
  registry: [REGISTRY_PORT],
};

const WORDS: Readonly<Record<keyof Ports, string>> = {
  api: 'API server',
  https: 'HTTPS ingress',
  http: 'HTTP ingress',
  registry: 'image registry',
};

export const clusterLayout = (): Layout => layoutOf(state('cluster'));

type Saved = ClusterInfo & Choices;

function saved(layout: Layout): Saved | undefined {
  try {
    return JSON.parse(fs.readFileSync(layout.infoFile, 'utf8')) as Saved;
  } catch {
    return undefined;
  }
}

/** How this clone's cluster is reached; undefined where none was made. Whether it runs, `clusterStatus()` says. */
export const clusterInfo = (): ClusterInfo | undefined => saved(clusterLayout());

/**
 * The ports and addresses of the last time, where they are still free or in our own use, else new ones.
 *
 * @throws LocalError naming the holder where a port that was asked for is taken
 */
export async function choose(layout: Layout, asked: Partial<Ports>, report: Report): Promise<Choices> {
  const last = saved(layout);
  const inUse = runs(layout, 'forwarder') ? last?.ports : undefined;
  const ports: Record<keyof Ports, number> = { api: 0, https: 0, http: 0, registry: 0 };
  for (const name of Object.keys(ports) as (keyof Ports)[]) {
    const [mine, former, wanted] = [inUse?.[name], last?.ports[name], asked[name]];
    const taken = new Set(Object.values(ports));
    if (mine !== undefined && (wanted === undefined || wanted === mine)) ports[name] = mine;
    else {
      const candidates = former === undefined ? CANDIDATES[name] : [former, ...CANDIDATES[name]];
      ports[name] = await choosePort(WORDS[name], candidates, wanted, taken);
    }
    if (former !== undefined && former !== ports[name]) report(`${WORDS[name]}: port ${ports[name]}, was ${former}`);
  }
  return { ports, subnet: last?.subnet ?? (await freeSubnet()) };
}

const withPort = (scheme: string, port: number, usual: number): string =>
  `${scheme}://localhost${port === usual ? '' : `:${port}`}`;

export function saveInfo(layout: Layout, choices: Choices): void {
  const { ports } = choices;
  const info: ClusterInfo = {
    kubeconfig: layout.kubeconfig,
    apiServer: `https://127.0.0.1:${ports.api}`,
    ingressHttps: withPort('https', ports.https, 443),
    ingressHttp: withPort('http', ports.http, 80),
    httpsPort: ports.https,
    httpPort: ports.http,
    registry: `localhost:${REGISTRY_PORT}`,
    registryHost: `localhost:${ports.registry}`,
    caFile: path.join(layout.pki, 'ca.crt'),
    netns: NETNS,
    contexts: CONTEXTS,
  };
  writeAtomic(layout.infoFile, `${JSON.stringify({ ...info, ...choices }, undefined, 2)}\n`);
}
