import * as fs from 'node:fs';
import type { Report } from '../report';
import { ADDON_NAMES, certificateValues, installAddon, type AddonName, type AddonValues } from './addons';
import { ADDON_IMAGES, addonReference, ensureAddonImage } from './addon-images';
import { Api } from './api';
import { ensureAuthorities } from './authorities';
import { ensureCgroups } from './cgroups';
import { containerdProgram } from './containerd';
import { installCustomResources } from './crds';
import {
  apiServerProgram,
  apiTarget,
  controllerManagerProgram,
  etcdProgram,
  schedulerProgram,
  type ControlPlane,
} from './control-plane';
import { forwarderProgram } from './forward';
import { answers } from './https';
import { choose, clusterLayout, CONTEXTS, saveInfo, type Choices, type Ports } from './info';
import { kubeletProgram, kubeProxyProgram, type NodeOptions } from './kubelet';
import { writeKubeconfig } from './kubeconfig';
import { ensureLink, ensureNamespace, exposeLoopbackPort, fencePods, namespaceIdentity, NETNS } from './network';
import { ensureCertificate } from './pki';
import { stopNode } from './pods';
import { networkPoliciesProgram } from './network-policies';
import { preflight } from './preflight';
import { REGISTRY_PORT, registryProgram } from './registry';
import { ensure, type Resolve } from './supervise';
import { rememberTunables } from './sysctl';

export interface ClusterOptions {
  /** Finds each program, making or installing it where it is missing. */
  readonly resolve: Resolve;
  /** Ports on the host's loopback that must be these. @default - the ones of the last time, else the usual ones, else the next free ones */
  readonly ports?: Partial<Ports>;
}

/** One part of bringing the cluster up, shown with its own time. */
export interface ClusterStep {
  readonly title: string;
  readonly run: (report: Report) => Promise<void>;
}

const SERVICE_CIDR = '10.96.0.0/16';
const DNS_ADDRESS = '10.96.0.10';
/** Nothing outside the namespace ever sees these addresses. */
const POD_CIDR = '10.244.0.0/24';
/** Inside the namespace the ports are always the same. */
const INNER = { api: 6443, etcd: 2379, etcdPeer: 2380, web: 30080, websecure: 30443, registry: REGISTRY_PORT };

/** Names and addresses that the ingress' default certificate holds. A wildcard needs two dots: OpenSSL refuses `*.localhost`. */
const INGRESS_NAMES = {
  dns: ['*.trellis.localhost', 'trellis.localhost', 'localhost'],
  ips: ['127.0.0.1'],
};

/** Brings the cluster up; each method is one step, and leaves alone what is as it should be. */
class Bringup {
  private readonly layout = clusterLayout();
  private choices: Choices | undefined;
  private plane: ControlPlane | undefined;

  public constructor(private readonly options: ClusterOptions) {}

  /** Chosen once and saved at once: a run that is killed must not choose anew the next time. */
  private async chosen(report: Report): Promise<Choices> {
    if (this.choices === undefined) {
      this.choices = await choose(this.layout, this.options.ports ?? {}, report);
      fs.mkdirSync(this.layout.dir, { recursive: true, mode: 0o700 });
      saveInfo(this.layout, this.choices);
    }
    return this.choices;
  }

  public async network(report: Report): Promise<void> {
    const { subnet } = await this.chosen(report);
    // Pods of a namespace that is gone have lost their network for good.
    if (await ensureNamespace()) await stopNode(this.layout, this.options.resolve, report);
    await ensureLink(subnet);
  }

  private async controlPlane(report: Report): Promise<ControlPlane> {
    const { subnet } = await this.chosen(report);
    return (this.plane ??= {
      layout: this.layout,
      resolve: this.options.resolve,
      authorities: await ensureAuthorities(this.layout.pki, { apiAddresses: [subnet.node, '10.96.0.1'] }),
      netns: NETNS,
      namespace: namespaceIdentity(),
      address: subnet.node,
      ports: INNER,
      serviceCidr: SERVICE_CIDR,
      durable: true,
    });
  }

  public async apiServer(report: Report): Promise<void> {
    const plane = await this.controlPlane(report);
    await ensure(this.layout, await etcdProgram(plane), report);
    await ensure(this.layout, await apiServerProgram(plane), report);
  }

  public async controllers(report: Report): Promise<void> {
    const plane = await this.controlPlane(report);
    await ensure(this.layout, await schedulerProgram(plane), report);
    await ensure(this.layout, await controllerManagerProgram(plane), report);
  }

  public async registry(report: Report): Promise<void> {
    const { subnet } = await this.chosen(report);
    await exposeLoopbackPort(subnet, INNER.registry);
    const place = { layout: this.layout, resolve: this.options.resolve, namespace: namespaceIdentity() ?? '' };
    await ensure(this.layout, await registryProgram({ ...place, port: INNER.registry, address: subnet.node }), report);
  }

  public async forwarder(report: Report): Promise<void> {
    const { ports, subnet } = await this.chosen(report);
    const { authorities } = await this.controlPlane(report);
    const to = (port: number, targetPort: number) => ({ port, targetHost: subnet.node, targetPort });
    const forwards = [
      to(ports.api, INNER.api),
      to(ports.https, INNER.websecure),
      to(ports.http, INNER.web),
      to(ports.registry, INNER.registry),
    ];
    await ensure(this.layout, forwarderProgram(this.layout, forwards), report);
    writeKubeconfig(this.layout.kubeconfig, {
      server: `https://127.0.0.1:${ports.api}`,
      caFile: authorities.cluster.certFile,
      client: authorities.admin,
      contexts: CONTEXTS,
      comment: [
        'The contexts all lead to the one local cluster: a machine has no three. Stacks differ by namespace there.',
      ],
    });
  }

  public async runtime(report: Report): Promise<void> {
    const { layout } = this;
    const { resolve } = this.options;
    const program = await containerdProgram({
      ...{ layout, resolve, podCidr: POD_CIDR, registryPort: INNER.registry, namespace: namespaceIdentity() ?? '' },
      sandboxImage: await addonReference('pause', resolve),
    });
    await ensure(layout, program, report);
    for (const { name } of ADDON_IMAGES) await ensureAddonImage(name, layout, resolve, report);
  }

  public async node(report: Report): Promise<void> {
    const plane = await this.controlPlane(report);
    const options: NodeOptions = {
      ...{ plane, podCidr: POD_CIDR, dnsAddress: DNS_ADDRESS, namespace: namespaceIdentity() ?? '' },
    };
    ensureCgroups();
    rememberTunables(this.layout);
    await ensure(this.layout, await kubeletProgram(options), report);
    // It waits for the node's object, which the kubelet makes.
    await ensure(this.layout, await kubeProxyProgram(options), report);
    await ensure(this.layout, await networkPoliciesProgram(options), report);
    await fencePods(POD_CIDR);
  }

  private async addonValues(report: Report): Promise<AddonValues> {
    const { layout } = this;
    const { authorities } = await this.controlPlane(report);
    const { ports } = await this.chosen(report);
    const names = ['metrics-server.kube-system.svc'];
    const server = { commonName: 'metrics-server', dns: names };
    const metrics = await ensureCertificate(layout.pki, authorities.cluster, { name: 'metrics-server', ...server });
    const web = { name: 'ingress', commonName: 'Trellis local ingress', ...INGRESS_NAMES };
    const ingress = await ensureCertificate(layout.pki, authorities.cluster, web);
    const images = ADDON_IMAGES.map(async ({ name }) => [
      `image.${name}`,
      await addonReference(name, this.options.resolve),
    ]);
    const redirect = (option: string): string =>
      ports.https === 443 ? '' : `--entryPoints.web.http.redirections.entryPoint.${option}`;
    return {
      ...(Object.fromEntries(await Promise.all(images)) as AddonValues),
      ...certificateValues('metricsServer', metrics),
      ...certificateValues('ingress', ingress),
      ca: fs.readFileSync(authorities.cluster.certFile).toString('base64'),
      dnsAddress: DNS_ADDRESS,
      volumes: layout.volumes,
      'volumes.json': JSON.stringify(layout.volumes),
      'nodePort.web': String(INNER.web),
      'nodePort.websecure': String(INNER.websecure),
      'redirect.to': redirect(`to=:${ports.https}`),
      'redirect.scheme': redirect('scheme=https'),
    };
  }

  /** All at once: each waits for the machine most of the time. */
  public async addons(report: Report): Promise<void> {
    const plane = await this.controlPlane(report);
    const api = new Api(apiTarget(plane));
    await installCustomResources(api, report);
    const values = await this.addonValues(report);
    fs.mkdirSync(this.layout.volumes, { recursive: true });
    // Asked of the thing itself: after a restart a pod's last known state says Ready while it isn't there.
    const works: Record<AddonName, () => Promise<boolean>> = {
      coredns: () => api.answers('/api/v1/namespaces/kube-system/services/kube-dns:ready/proxy/ready'),
      'metrics-server': () => api.answers('/apis/metrics.k8s.io/v1beta1/nodes'),
      'local-path': () => Promise.resolve(true),
      traefik: () =>
        answers({ server: `https://localhost:${INNER.websecure}`, caFile: apiTarget(plane).caFile }, plane.address),
    };
    await Promise.all(ADDON_NAMES.map((name) => installAddon(api, name, values, works[name], report)));
  }
}

/** The steps of `clusterUp`, in order. Each is quick where there is nothing to do, and mends what a killed run left. */
export function clusterSteps(options: ClusterOptions): readonly ClusterStep[] {
  const bringup = new Bringup(options);
  return [
    { title: 'Check the machine', run: () => preflight(options.resolve) },
    { title: 'Network namespace', run: (report) => bringup.network(report) },
    { title: 'etcd and API server', run: (report) => bringup.apiServer(report) },
    { title: 'Controllers and scheduler', run: (report) => bringup.controllers(report) },
    { title: 'Image registry', run: (report) => bringup.registry(report) },
    { title: 'Ports on loopback', run: (report) => bringup.forwarder(report) },
    { title: 'Container runtime', run: (report) => bringup.runtime(report) },
    { title: 'Node', run: (report) => bringup.node(report) },
    { title: 'DNS, metrics, volumes, ingress', run: (report) => bringup.addons(report) },
  ];
}

/** Brings the cluster up, or what of it is not as it should be. @throws LocalError naming what failed */
export async function clusterUp(options: ClusterOptions, report: Report): Promise<void> {
  for (const step of clusterSteps(options)) await step.run((line) => report(`${step.title}: ${line}`));
}
