import { ensureAuthority, ensureCertificate, ensureKeyPair, type Certificate } from './pki';

/** Every certificate of a control plane. Three authorities, so that no client of one can pass for a client of another. */
export interface Authorities {
  /** The cluster's authority: servers, kubelets, users, the ingress' default certificate. */
  readonly cluster: Certificate;
  /** Signs what may speak for other users to aggregated API servers. */
  readonly frontProxy: Certificate;
  readonly etcdAuthority: Certificate;
  readonly etcd: Certificate;
  readonly etcdClient: Certificate;
  readonly apiServer: Certificate;
  readonly kubeletClient: Certificate;
  readonly frontProxyClient: Certificate;
  readonly admin: Certificate;
  readonly controllerManager: Certificate;
  readonly scheduler: Certificate;
  readonly serviceAccounts: { readonly publicFile: string; readonly keyFile: string };
}

export interface AuthorityOptions {
  /** Addresses by which the API server is called, beside loopback. */
  readonly apiAddresses: readonly string[];
}

const API_NAMES = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
];

/** Makes what is missing in `dir`, and only that. */
export async function ensureAuthorities(dir: string, options: AuthorityOptions): Promise<Authorities> {
  const [cluster, frontProxy, etcdAuthority] = await Promise.all([
    ensureAuthority(dir, 'ca', 'Trellis local cluster'),
    ensureAuthority(dir, 'front-proxy-ca', 'Trellis local front proxy'),
    ensureAuthority(dir, 'etcd-ca', 'Trellis local etcd'),
  ]);
  const user = (name: string, commonName: string, organization?: string): Promise<Certificate> =>
    ensureCertificate(dir, cluster, { name, commonName, ...(organization === undefined ? {} : { organization }) });
  const loopback = { dns: ['localhost'], ips: ['127.0.0.1'] };
  const [etcd, etcdClient, apiServer, kubeletClient, frontProxyClient, admin, controllerManager, scheduler] =
    await Promise.all([
      ensureCertificate(dir, etcdAuthority, { name: 'etcd', commonName: 'etcd', usage: 'both', ...loopback }),
      ensureCertificate(dir, etcdAuthority, { name: 'etcd-client', commonName: 'kube-apiserver' }),
      ensureCertificate(dir, cluster, {
        name: 'apiserver',
        commonName: 'kube-apiserver',
        dns: ['localhost', ...API_NAMES],
        ips: ['127.0.0.1', ...options.apiAddresses],
      }),
      user('apiserver-kubelet-client', 'kube-apiserver-kubelet-client', 'system:masters'),
      ensureCertificate(dir, frontProxy, { name: 'front-proxy-client', commonName: 'front-proxy-client' }),
      user('admin', 'trellis-admin', 'system:masters'),
      user('controller-manager', 'system:kube-controller-manager'),
      user('scheduler', 'system:kube-scheduler'),
    ]);
  return {
    ...{ cluster, frontProxy, etcdAuthority, etcd, etcdClient, apiServer, kubeletClient, frontProxyClient },
    ...{ admin, controllerManager, scheduler, serviceAccounts: ensureKeyPair(dir, 'service-accounts') },
  };
}
