import * as fs from 'node:fs';
import { Api, type Manifest } from './api';
import { apiTarget, programKubeconfig } from './control-plane';
import { respondsOk } from './https';
import { NODE, type NodeOptions } from './kubelet';
import { NETNS } from './network';
import { ensureCertificate } from './pki';
import { GO_HEAP, type Program } from './supervise';

const USER = 'system:network-policies';
const HEALTH_PORT = 10258;

const rule = (apiGroup: string, resources: readonly string[], verbs: readonly string[]) => ({
  apiGroups: [apiGroup],
  resources,
  verbs,
});

/** What the controller may do: look on. */
const RBAC: readonly Manifest[] = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: USER },
    rules: [
      rule('', ['pods', 'namespaces'], ['get', 'list', 'watch']),
      rule('', ['nodes'], ['get']),
      rule('networking.k8s.io', ['networkpolicies'], ['get', 'list', 'watch']),
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: USER },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: USER },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: USER }],
  },
];

/**
 * kube-router's policy controller: pods of the node talk only as NetworkPolicies say. Its rules outlive it, so a restart
 * opens nothing; they go with the network namespace.
 */
export async function networkPoliciesProgram(options: NodeOptions): Promise<Program> {
  const { plane } = options;
  const api = new Api(apiTarget(plane));
  for (const manifest of RBAC) await api.apply(manifest);
  const client = await ensureCertificate(plane.layout.pki, plane.authorities.cluster, {
    name: 'network-policies',
    commonName: USER,
  });
  const kubeconfig = programKubeconfig(plane, 'network-policies', client);
  const health = `${plane.address}:${HEALTH_PORT}`;
  return {
    name: 'network-policies',
    argv: [
      await plane.resolve('network-policies'),
      `-kubeconfig=${kubeconfig}`,
      `-node=${NODE}`,
      `-service-cidr=${plane.serviceCidr}`,
      `-health=${health}`,
    ],
    netns: NETNS,
    env: GO_HEAP,
    reads: [options.namespace, fs.readFileSync(kubeconfig, 'utf8')],
    ready: () => respondsOk(`http://${health}/healthz`),
  };
}
