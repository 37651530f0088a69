import { inRun } from './mounts';
import type { ServiceNames } from './names';
import type { ComposeService, KubeObject, SharedFolder, Workload } from './model';
import { ComposeError } from './model';
import { systemOf } from './workloads';

interface IngressSpec {
  readonly rules: readonly {
    readonly host: string;
    readonly http: {
      readonly paths: readonly {
        readonly path: string;
        readonly backend: { readonly service: { readonly name: string; readonly port: { readonly number: number } } };
      }[];
    };
  }[];
}

/** A public host name and what answers it. */
interface Route {
  readonly host: string;
  readonly workload: Workload;
  readonly port: number;
}

/** What makes a system reachable from this machine: ports on loopback, or proxies with TLS before the services. */
export interface Edge {
  readonly services: Readonly<Record<string, ComposeService>>;
  /** Ports of services that exist already: service → port. */
  readonly ports: ReadonlyMap<string, string>;
  readonly folders: readonly SharedFolder[];
  readonly hosts: readonly string[];
  readonly addresses: ReadonlyMap<string, string>;
}

/** User and group of the image of Nginx. */
const NGINX = 10072;
/** First ports on loopback: of plain HTTP, of HTTPS, and of what has no public address. */
const FIRST_PORT = { http: 8100, https: 8500, console: 8190 } as const;
/** Folder of a proxy's certificate, below the folder of secrets. */
export const certificateFolder = (host: string): string => `edge-${host}`;

/** Every public host with the service that its root leads to. @throws ComposeError for one that leads nowhere */
function routesOf(objects: readonly KubeObject[], names: ServiceNames, systems: readonly string[]): readonly Route[] {
  const problems: string[] = [];
  const routes = objects
    .filter((object) => object.kind === 'Ingress' && systems.includes(systemOf(object)))
    .flatMap(({ metadata, spec }) =>
      (spec as unknown as IngressSpec).rules.flatMap(({ host, http }) => {
        const service = http.paths.find(({ path }) => path === '/')?.backend.service;
        const target = service && names.target(metadata.namespace ?? '', service.name, service.port.number);
        if (target !== undefined) return [{ host, ...target }];
        problems.push(`${host}: its path '/' leads to no service`);
        return [];
      }),
    );
  if (problems.length > 0) throw new ComposeError(problems);
  return routes;
}

/** Environment variable that chooses another port for a host. */
const portVariable = (host: string): string => `PORT_${host.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;

/** Loopback alone: a development machine's services are nobody else's. */
const published = (host: string, port: number, inner: number): string =>
  `127.0.0.1:\${${portVariable(host)}:-${port}}:${inner}`;

/** An address with the port that the environment chooses. */
export function chosenAddress(
  host: string,
  address: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const port = environment[portVariable(host)] ?? '';
  if (port === '') return address;
  const url = new URL(address);
  url.port = port;
  return url.href;
}

/**
 * What of a system has no public address, on loopback: its users have no other way to it.
 * @param edge what is published already
 */
export function consolesOf(
  workloads: readonly Workload[],
  system: string | undefined,
  edge: Edge,
): Pick<Edge, 'ports' | 'addresses'> {
  const found = workloads.flatMap(({ service, system: own, pod }) => {
    const port = pod.containers[0]?.ports?.[0]?.containerPort;
    return own !== system || port === undefined || edge.ports.has(service) ? [] : [{ service, port }];
  });
  const ports = found.map(({ service, port }, index): [string, string] => [
    service,
    published(service, FIRST_PORT.console + index, port),
  ]);
  const addresses = found.map(({ service }, index): [string, string] => [
    service,
    `http://localhost:${FIRST_PORT.console + index}/`,
  ]);
  return { ports: new Map(ports), addresses: new Map(addresses) };
}

/** @param image of Nginx, for proxies with TLS; plain ports where there is none */
export function edgeOf(
  objects: readonly KubeObject[],
  names: ServiceNames,
  systems: readonly string[],
  image?: string,
): Edge {
  const routes = routesOf(objects, names, systems);
  const first = image === undefined ? FIRST_PORT.http : FIRST_PORT.https;
  const addresses = new Map(
    routes.map(({ host }, index) => [
      host,
      `${image === undefined ? 'http://localhost' : `https://${host}`}:${first + index}/`,
    ]),
  );
  const hosts = routes.map(({ host }) => host);
  if (image === undefined) {
    const ports = new Map(
      routes.map(({ host, workload, port }, index) => [workload.service, published(host, first + index, port)]),
    );
    return { services: {}, ports, folders: [], hosts, addresses };
  }
  const services = routes.map(({ host, workload, port }, index) => [
    `edge-${host.replaceAll('.', '-')}`,
    {
      image,
      environment: {
        NGINX_UPSTREAM: `${workload.service}:${port}`,
        NGINX_SERVER_NAME: host,
        NGINX_HTTPS_PORT: String(first + index),
        NGINX_TLS_REQUIRED: 'true',
      },
      user: `${NGINX}:${NGINX}`,
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      tmpfs: ['/tmp:mode=1777,size=67108864'],
      volumes: [`${inRun(certificateFolder(host))}:/etc/nginx/tls:ro`],
      ports: [published(host, first + index, 8443)],
      networks: [workload.system],
      depends_on: { [workload.service]: { condition: 'service_started' } },
      restart: 'unless-stopped',
      deploy: { resources: { limits: { cpus: '0.25', memory: '67108864b' } } },
    },
  ]);
  const folders = hosts.map((host) => ({ path: certificateFolder(host), group: NGINX }));
  return { services: Object.fromEntries(services) as Edge['services'], ports: new Map(), folders, hosts, addresses };
}
