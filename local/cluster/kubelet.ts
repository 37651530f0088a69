import * as fs from 'node:fs';
import * as path from 'node:path';
import { stringify } from 'yaml';
import { CGROUP } from './cgroups';
import { containerdSocket } from './containerd';
import { apiTarget, programKubeconfig, type ControlPlane } from './control-plane';
import { answersOk, ask, respondsOk } from './https';
import { NETNS } from './network';
import { ensureCertificate } from './pki';
import { GO_HEAP, type Program } from './supervise';

/** The one node. */
export const NODE = 'trellis';
const KUBELET_PORT = 10250;
const PROXY_HEALTH_PORT = 10256;

export interface NodeOptions {
  readonly plane: ControlPlane;
  readonly podCidr: string;
  readonly dnsAddress: string;
  /** Identity of the network namespace: in another one both programs must be started again. */
  readonly namespace: string;
}

/** A process can't lower its own without a right that even root may lack, so all keep what they have. */
const ownOomScore = (): number => Number(fs.readFileSync('/proc/self/oom_score_adj', 'utf8'));

/** Names outside the cluster lead nowhere from a pod, so this names a server that refuses at once. */
const RESOLV_CONF = 'nameserver 127.0.0.1\n';

function kubeletConfig(options: NodeOptions, serving: { readonly certFile: string; readonly keyFile: string }): object {
  const { plane } = options;
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: plane.address,
    port: KUBELET_PORT,
    readOnlyPort: 0,
    healthzBindAddress: '127.0.0.1',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: plane.authorities.cluster.certFile },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: serving.certFile,
    tlsPrivateKeyFile: serving.keyFile,
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: CGROUP,
    clusterDNS: [options.dnsAddress],
    clusterDomain: 'cluster.local',
    resolvConf: path.join(plane.layout.config, 'resolv.conf'),
    failSwapOn: false,
    oomScoreAdj: ownOomScore(),
    podLogsDir: plane.layout.podLogs,
    volumePluginDir: path.join(plane.layout.kubelet, 'volume-plugins'),
    enableSystemLogHandler: false,
    // A developer's disk is often nearly full: only what would soon fail anyway is evicted.
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '512Mi',
      'nodefs.inodesFree': '1%',
      'imagefs.available': '512Mi',
    },
    // Collecting unused images would take the imported ones, which can't be pulled again.
    imageGCHighThresholdPercent: 100,
    containerLogMaxSize: '10Mi',
    containerLogMaxFiles: 3,
  };
}

/** The kubelet, with a serving certificate of the cluster's authority, so that logs, exec and metrics are read over verified TLS. */
export async function kubeletProgram(options: NodeOptions): Promise<Program> {
  const { plane } = options;
  const { layout, authorities, address } = plane;
  const user = { commonName: `system:node:${NODE}`, organization: 'system:nodes' };
  const client = await ensureCertificate(layout.pki, authorities.cluster, { name: 'kubelet-client', ...user });
  const names = { dns: [NODE], ips: [address] };
  const serving = await ensureCertificate(layout.pki, authorities.cluster, { name: 'kubelet', ...user, ...names });
  const config = stringify(kubeletConfig(options, serving));
  const kubeconfig = programKubeconfig(plane, 'kubelet', client);
  const file = path.join(layout.config, 'kubelet.yaml');
  [layout.kubelet, layout.podLogs].forEach((dir) => fs.mkdirSync(dir, { recursive: true }));
  fs.writeFileSync(path.join(layout.config, 'resolv.conf'), RESOLV_CONF);
  fs.writeFileSync(file, config);
  return {
    name: 'kubelet',
    argv: [
      await plane.resolve('kubelet'),
      `--config=${file}`,
      `--kubeconfig=${kubeconfig}`,
      `--root-dir=${layout.kubelet}`,
      `--cert-dir=${path.join(layout.kubelet, 'pki')}`,
      `--hostname-override=${NODE}`,
      `--node-ip=${address}`,
      // Spread over zones needs the label, even with one zone.
      '--node-labels=topology.kubernetes.io/region=local,topology.kubernetes.io/zone=local',
    ],
    netns: NETNS,
    env: GO_HEAP,
    reads: [config, options.namespace, fs.readFileSync(kubeconfig, 'utf8')],
    ready: async () =>
      (await answersOk(
        {
          server: `https://${address}:${KUBELET_PORT}`,
          caFile: authorities.cluster.certFile,
          client: authorities.admin,
        },
        '/healthz',
      )) && (await nodeIsReady(plane)),
    readySeconds: 90,
  };
}

interface NodeStatus {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function nodeIsReady(plane: ControlPlane): Promise<boolean> {
  const answer = await ask(apiTarget(plane), `/api/v1/nodes/${NODE}`).catch(() => undefined);
  if (answer?.status !== 200) return false;
  const conditions = (JSON.parse(answer.body) as NodeStatus).status?.conditions ?? [];
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** kube-proxy with iptables; it writes no conntrack limit, which is the machine's. */
export async function kubeProxyProgram(options: NodeOptions): Promise<Program> {
  const { plane } = options;
  const client = await ensureCertificate(plane.layout.pki, plane.authorities.cluster, {
    name: 'kube-proxy',
    commonName: 'system:kube-proxy',
  });
  const kubeconfig = programKubeconfig(plane, 'kube-proxy', client);
  return {
    name: 'kube-proxy',
    argv: [
      await plane.resolve('kube-proxy'),
      `--kubeconfig=${kubeconfig}`,
      '--proxy-mode=iptables',
      `--cluster-cidr=${options.podCidr}`,
      `--hostname-override=${NODE}`,
      '--iptables-localhost-nodeports=false',
      '--conntrack-max-per-core=0',
      '--conntrack-tcp-timeout-established=0s',
      '--conntrack-tcp-timeout-close-wait=0s',
      `--oom-score-adj=${ownOomScore()}`,
      `--healthz-bind-address=${plane.address}:${PROXY_HEALTH_PORT}`,
      '--metrics-bind-address=127.0.0.1:10249',
    ],
    netns: NETNS,
    env: GO_HEAP,
    reads: [options.namespace, fs.readFileSync(kubeconfig, 'utf8')],
    ready: () => respondsOk(`http://${plane.address}:${PROXY_HEALTH_PORT}/healthz`),
  };
}
