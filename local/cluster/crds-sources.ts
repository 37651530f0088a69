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
];
