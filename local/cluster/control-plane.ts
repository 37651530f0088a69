import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Authorities } from './authorities';
import { answersOk, type Target } from './https';
import { writeKubeconfig } from './kubeconfig';
import type { Layout } from './layout';
import type { Certificate } from './pki';
import { GO_HEAP, type Program, type Resolve } from './supervise';

/** What the programs of a control plane need to know of each other and of the place where they run. */
export interface ControlPlane {
  readonly layout: Layout;
  readonly resolve: Resolve;
  readonly authorities: Authorities;
  /** The network namespace of all of them; none where they only listen on loopback. */
  readonly netns?: string | undefined;
  /** Identity of that namespace: in another one of the same name every program must be started again. */
  readonly namespace?: string | undefined;
  /** Where this process, or one in the namespace, reaches the API server. */
  readonly address: string;
  readonly ports: { readonly api: number; readonly etcd: number; readonly etcdPeer: number };
  readonly serviceCidr: string;
  /** Written to disk before an answer is given. Off only where losing all on a power cut is fine. */
  readonly durable: boolean;
  /** Further flags of the API server. @default - none */
  readonly apiServerFlags?: readonly string[];
  /** Further flags of the controller manager. @default - none */
  readonly controllerFlags?: readonly string[];
}

export const apiTarget = (plane: ControlPlane): Target => ({
  server: `https://${plane.address}:${plane.ports.api}`,
  caFile: plane.authorities.cluster.certFile,
  client: plane.authorities.admin,
});

const inPlace = (plane: ControlPlane): Pick<Program, 'netns' | 'env' | 'reads'> => ({
  netns: plane.netns,
  env: GO_HEAP,
  reads: plane.namespace === undefined ? [] : [plane.namespace],
});

/** The place of a program, and its kubeconfig: with a renewed certificate it must be started again. */
const inPlaceWith = (plane: ControlPlane, kubeconfigFile: string): Pick<Program, 'netns' | 'env' | 'reads'> => ({
  ...inPlace(plane),
  reads: [...(inPlace(plane).reads ?? []), fs.readFileSync(kubeconfigFile, 'utf8')],
});

/** etcd on loopback. Clients and peers must show a certificate of its own authority, for other users of the machine reach it too. */
export async function etcdProgram(plane: ControlPlane): Promise<Program> {
  const { layout, authorities, ports } = plane;
  fs.mkdirSync(layout.etcd, { recursive: true, mode: 0o700 });
  const client = `https://127.0.0.1:${ports.etcd}`;
  const peer = `https://127.0.0.1:${ports.etcdPeer}`;
  const tls = (prefix: string): string[] => [
    `--${prefix}client-cert-auth`,
    `--${prefix}trusted-ca-file=${authorities.etcdAuthority.certFile}`,
    `--${prefix}cert-file=${authorities.etcd.certFile}`,
    `--${prefix}key-file=${authorities.etcd.keyFile}`,
  ];
  return {
    name: 'etcd',
    argv: [
      await plane.resolve('etcd'),
      `--name=trellis`,
      `--data-dir=${layout.etcd}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=trellis=${peer}`,
      '--auto-compaction-retention=1',
      '--log-level=warn',
      ...tls(''),
      ...tls('peer-'),
      ...(plane.durable ? [] : ['--unsafe-no-fsync']),
    ],
    ...inPlace(plane),
    // Loopback of a namespace is out of this process's reach; the API server's readiness covers etcd there.
    ready: () =>
      plane.netns === undefined
        ? answersOk(
            { server: client, caFile: authorities.etcdAuthority.certFile, client: authorities.etcdClient },
            '/health',
          )
        : Promise.resolve(true),
  };
}

/** The API server: TLS only, no anonymous user but for the health checks' own role, Node and RBAC authorization. */
export async function apiServerProgram(plane: ControlPlane): Promise<Program> {
  const { layout, authorities, ports } = plane;
  const inNamespace = plane.netns !== undefined;
  fs.mkdirSync(layout.config, { recursive: true });
  return {
    name: 'kube-apiserver',
    argv: [
      await plane.resolve('kube-apiserver'),
      `--etcd-servers=https://127.0.0.1:${ports.etcd}`,
      `--etcd-cafile=${authorities.etcdAuthority.certFile}`,
      `--etcd-certfile=${authorities.etcdClient.certFile}`,
      `--etcd-keyfile=${authorities.etcdClient.keyFile}`,
      `--bind-address=${inNamespace ? '0.0.0.0' : '127.0.0.1'}`,
      `--advertise-address=${plane.address}`,
      // An endpoint on loopback is refused, and nothing would use it.
      ...(inNamespace ? [] : ['--endpoint-reconciler-type=none']),
      `--secure-port=${ports.api}`,
      `--tls-cert-file=${authorities.apiServer.certFile}`,
      `--tls-private-key-file=${authorities.apiServer.keyFile}`,
      `--client-ca-file=${authorities.cluster.certFile}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--allow-privileged=true',
      `--service-cluster-ip-range=${plane.serviceCidr}`,
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${authorities.serviceAccounts.publicFile}`,
      `--service-account-signing-key-file=${authorities.serviceAccounts.keyFile}`,
      `--kubelet-certificate-authority=${authorities.cluster.certFile}`,
      `--kubelet-client-certificate=${authorities.kubeletClient.certFile}`,
      `--kubelet-client-key=${authorities.kubeletClient.keyFile}`,
      '--kubelet-preferred-address-types=InternalIP',
      `--requestheader-client-ca-file=${authorities.frontProxy.certFile}`,
      '--requestheader-allowed-names=front-proxy-client',
      '--requestheader-username-headers=X-Remote-User',
      '--requestheader-group-headers=X-Remote-Group',
      '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      `--proxy-client-cert-file=${authorities.frontProxyClient.certFile}`,
      `--proxy-client-key-file=${authorities.frontProxyClient.keyFile}`,
      '--enable-aggregator-routing=true',
      '--profiling=false',
      '--shutdown-delay-duration=0s',
      ...(plane.apiServerFlags ?? []),
    ],
    ...inPlace(plane),
    ready: () => answersOk(apiTarget(plane), '/readyz'),
  };
}

/** A kubeconfig for one of the cluster's own programs. */
export function programKubeconfig(plane: ControlPlane, name: string, client: Certificate): string {
  const file = path.join(plane.layout.pki, `${name}.kubeconfig`);
  const { server, caFile } = apiTarget(plane);
  writeKubeconfig(file, { server, caFile, client });
  return file;
}

export async function controllerManagerProgram(plane: ControlPlane): Promise<Program> {
  const { authorities } = plane;
  const kubeconfig = programKubeconfig(plane, 'controller-manager', authorities.controllerManager);
  return {
    name: 'kube-controller-manager',
    argv: [
      await plane.resolve('kube-controller-manager'),
      `--kubeconfig=${kubeconfig}`,
      `--root-ca-file=${authorities.cluster.certFile}`,
      `--service-account-private-key-file=${authorities.serviceAccounts.keyFile}`,
      '--use-service-account-credentials=true',
      '--leader-elect=false', // there is one
      '--secure-port=0', // its health is seen in what it does
      '--profiling=false',
      '--node-monitor-grace-period=50s',
      ...(plane.controllerFlags ?? []),
    ],
    ...inPlaceWith(plane, kubeconfig),
    // It has no port; it is there once it has issued the service account that every pod of `default` needs.
    ready: () => answersOk(apiTarget(plane), '/api/v1/namespaces/default/serviceaccounts/default'),
  };
}

export async function schedulerProgram(plane: ControlPlane): Promise<Program> {
  const kubeconfig = programKubeconfig(plane, 'scheduler', plane.authorities.scheduler);
  return {
    name: 'kube-scheduler',
    argv: [
      await plane.resolve('kube-scheduler'),
      `--kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      '--secure-port=0',
      '--profiling=false',
    ],
    ...inPlaceWith(plane, kubeconfig),
    ready: () => Promise.resolve(true),
  };
}
