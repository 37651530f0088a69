import type { CertificateSpec, ClusterIssuerSpec, IssuerSpec } from './imports/cert-manager.io';
import type { ClusterSecretStoreSpec, ExternalSecretSpec, SecretStoreSpec } from './imports/external-secrets.io';
import type {
  GatewayClassSpec,
  GatewaySpec,
  GrpcRouteSpec,
  HttpRouteSpec,
  ReferenceGrantSpec,
} from './imports/gateway.networking.k8s.io';
import type { PodMonitorSpec, PrometheusRuleSpec, ServiceMonitorSpec } from './imports/monitoring.coreos.com';
import type {
  BackupSpec,
  ClusterSpec,
  DatabaseSpec,
  PoolerSpec,
  ScheduledBackupSpec,
} from './imports/postgresql.cnpg.io';

/**
 * A type of `imports/` as YAML has it: enumerations as their values, quantities and int-or-strings plain, lists read-only.
 * Types alone are taken from there: those files are large, and a program that never needs their constructs should not load them.
 */
export type Wire<T> = 0 extends 1 & T
  ? unknown
  : T extends string
    ? `${T}`
    : T extends number | boolean | Date | undefined
      ? T
      : T extends readonly (infer U)[]
        ? readonly Wire<U>[]
        : IsScalar<T> extends true
          ? string | number
          : { readonly [K in keyof T]: Wire<T[K]> };
// The generated classes for int-or-strings hold just this; an interface with a field of that name has a type of its own.
interface Scalar {
  readonly value: number | string;
}
type IsScalar<T> = [keyof T] extends ['value'] ? ([Scalar] extends [T] ? true : false) : false;

interface Spec<T> {
  readonly spec: Wire<T>;
}

/** Custom resources that the library writes, with the type of what stands beside `metadata`. */
export interface CustomKinds {
  'cert-manager.io/v1/Certificate': Spec<CertificateSpec>;
  'cert-manager.io/v1/Issuer': Spec<IssuerSpec>;
  'cert-manager.io/v1/ClusterIssuer': Spec<ClusterIssuerSpec>;
  'external-secrets.io/v1/ExternalSecret': Spec<ExternalSecretSpec>;
  'external-secrets.io/v1/SecretStore': Spec<SecretStoreSpec>;
  'external-secrets.io/v1/ClusterSecretStore': Spec<ClusterSecretStoreSpec>;
  'gateway.networking.k8s.io/v1/GatewayClass': Spec<GatewayClassSpec>;
  'gateway.networking.k8s.io/v1/Gateway': Spec<GatewaySpec>;
  'gateway.networking.k8s.io/v1/HTTPRoute': Spec<HttpRouteSpec>;
  'gateway.networking.k8s.io/v1/GRPCRoute': Spec<GrpcRouteSpec>;
  'gateway.networking.k8s.io/v1beta1/ReferenceGrant': Spec<ReferenceGrantSpec>;
  'monitoring.coreos.com/v1/PodMonitor': Spec<PodMonitorSpec>;
  'monitoring.coreos.com/v1/PrometheusRule': Spec<PrometheusRuleSpec>;
  'monitoring.coreos.com/v1/ServiceMonitor': Spec<ServiceMonitorSpec>;
  'postgresql.cnpg.io/v1/Backup': Spec<BackupSpec>;
  'postgresql.cnpg.io/v1/Cluster': Spec<ClusterSpec>;
  'postgresql.cnpg.io/v1/Database': Spec<DatabaseSpec>;
  'postgresql.cnpg.io/v1/Pooler': Spec<PoolerSpec>;
  'postgresql.cnpg.io/v1/ScheduledBackup': Spec<ScheduledBackupSpec>;
}
