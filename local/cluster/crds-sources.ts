/** The projects whose custom resources the definition uses, each pinned as a Go module, with where its definitions lie. */
export interface CrdSource {
  /** Go module and version. */
  readonly module: string;
  /** The checksum that Go's checksum database has for it. */
  readonly sum: string;
  /** Folder inside the module. */
  readonly folder: string;
  /** Files of that folder, without `.yaml`. */
  readonly files: readonly string[];
  /** Names of the definitions in them. @default - as the files are called, `GROUP_PLURAL` */
  readonly names?: readonly string[];
}

const inGroup = (group: string, plurals: readonly string[]): readonly string[] =>
  plurals.map((plural) => `${group}_${plural}`);

/** All of them under the Apache License 2.0. */
export const CRD_SOURCES: readonly CrdSource[] = [
  {
    module: 'github.com/cloudnative-pg/cloudnative-pg@v1.28.1',
    sum: 'h1:HdOUWgFhta558uHfXeO/199qCApxaj5yi05x6nWNmgs=',
    folder: 'config/crd/bases',
    files: inGroup('postgresql.cnpg.io', ['backups', 'clusters', 'databases', 'poolers', 'scheduledbackups']),
  },
  {
    module: 'github.com/cert-manager/cert-manager@v1.21.2',
    sum: 'h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=',
    folder: 'deploy/crds',
    files: inGroup('cert-manager.io', ['certificates', 'clusterissuers', 'issuers']),
  },
  {
    // The version that Traefik 3.5 is made for.
    module: 'sigs.k8s.io/gateway-api@v1.3.0',
    sum: 'h1:q6okN+/UKDATola4JY7zXzx40WO4VISk7i9DIfOvr9M=',
    folder: 'config/crd/standard',
    files: inGroup('gateway.networking.k8s.io', [
      'gatewayclasses',
      'gateways',
      'grpcroutes',
      'httproutes',
      'referencegrants',
    ]),
  },
  {
    module: 'github.com/external-secrets/external-secrets@v1.3.2',
    sum: 'h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=',
    folder: 'config/crds/bases',
    files: inGroup('external-secrets.io', ['clustersecretstores', 'externalsecrets', 'secretstores']),
  },
  {
    module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    sum: 'h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=',
    folder: 'example/prometheus-operator-crd',
    files: inGroup('monitoring.coreos.com', ['podmonitors', 'prometheusrules', 'servicemonitors']),
  },
  {
    module: 'github.com/bitnami-labs/sealed-secrets@v0.27.1',
    sum: 'h1:oSq/rCGYz0pk7RP4RacIorG/VCWA6c4D8wIEpRkZAUg=',
    folder: 'helm/sealed-secrets/crds',
    files: inGroup('bitnami.com', ['sealedsecrets']),
  },
  {
    module: 'github.com/argoproj/argo-cd/v3@v3.4.13',
    sum: 'h1:kmnF4nE5SQ83OhtdX6DMmLSpH0eRIa1gNYdCLNHqB+A=',
    folder: 'manifests/crds',
    files: ['application-crd'],
    names: ['applications.argoproj.io'],
  },
  {
    module: 'github.com/fluxcd/kustomize-controller@v1.9.6',
    sum: 'h1:XB+G3A0mky0j5uVHZWv4oSlS2RvZBoNIUhstIvY0JKE=',
    folder: 'config/crd/bases',
    files: inGroup('kustomize.toolkit.fluxcd.io', ['kustomizations']),
  },
  {
    module: 'github.com/fluxcd/source-controller@v1.9.6',
    sum: 'h1:nG534/bI6nVpyHra7ONAk6xDB3xPsVT+EOLHZHXPrrc=',
    folder: 'config/crd/bases',
    files: inGroup('source.toolkit.fluxcd.io', ['gitrepositories']),
  },
];
