/** The component library: what a chart is made of. Everything not named here may change without notice. */
export { AutoscaledService } from './autoscaled-service';
export type { AutoscaledServiceProps } from './autoscaled-service';
export { AppendSync, CachePersistence, EvictionPolicy } from './cache-options';
export type { AppendOnlyOptions } from './cache-options';
export { CacheStore } from './cache-store';
export type { CacheStoreProps } from './cache-store';
export type { CacheMetrics } from './cache-metrics';
export { CacheTopology } from './cache-topology';
export type { ClusterOptions, SentinelOptions } from './cache-topology';
export { CachePermission, CacheUser } from './cache-users';
export type { CacheUserOptions } from './cache-users';
export {
  BURN_WINDOWS,
  burnAlerts,
  burnGate,
  burnRate,
  burnRecordings,
  errorBudget,
  errorRatio,
  recorded,
  restrictedTo,
} from './burn-rate';
export type { BurnWindow } from './burn-rate';
export { Canary } from './canary';
export type { CanaryOptions, CanaryRoute } from './canary';
export { Certificate, IssuerKind } from './certificate';
export type { IssuedCertificateOptions, PemPair, SecretOptions } from './certificate';
export { secretKey } from './connections';
export type { ConnectOptions, EnvMap, IBackend, IClient } from './connections';
export { DatabaseBackend } from './database-backend';
export type { DatabaseBackupOptions } from './database-backup';
export { CloudNativePgBackup, PrimaryUpdate } from './database-cloud-native-pg-options';
export type {
  CloudNativePgOptions,
  PluginBackupOptions,
  SnapshotBackupOptions,
} from './database-cloud-native-pg-options';
export type { DatabaseConfiguration, DatabaseSettings } from './database-configuration';
export type { ExternalDatabaseAttributes, IStatefulDatabase } from './database-connection';
export { DatabaseEngine } from './database-engine';
export type { PostgresOptions } from './database-engine';
export type { DatabaseMetrics } from './database-metrics';
export { PoolMode } from './database-pooler';
export type { DatabasePoolerOptions } from './database-pooler';
export { DatabaseTls, SslMode } from './database-tls';
export { ValidationError } from './errors';
export { declareExternal, externalObjects } from './external';
export type { ExternalObject } from './external';
export type { SecretReference } from './gateway-objects';
export { GpuInferenceDeployment } from './gpu-inference-deployment';
export type { GpuInferenceDeploymentProps } from './gpu-inference-deployment';
export { GpuRequest } from './gpu-request';
export type { GpuDevice, SharedGpu } from './gpu-request';
export { ServiceType } from './http-props';
export type { ConfigFiles, HttpProbes, HttpWorkloadProps } from './http-props';
export { HttpWorkload } from './http-workload';
export type { IHttpService } from './http-workload';
export { IngressBackend } from './ingress-backend';
export type {
  GatewayExtension,
  GatewayOptions,
  GatewayRouteOptions,
  IngressController,
  NginxOptions,
  SharedGatewayOptions,
} from './ingress-backend';
export { Hsts, IngressFeature, LossPolicy, RateLimit, SecurityHeaders } from './ingress-options';
export type { HstsOptions, IngressLoss, RateLimitOptions } from './ingress-options';
export { KvCacheType } from './inference-llama-cpp';
export type { LlamaCppOptions } from './inference-llama-cpp';
export type { ServerOptions } from './inference-options';
export type { InferencePlan } from './inference-plan';
export { InferenceServer } from './inference-server';
export type { VllmOptions } from './inference-vllm';
export { kubeObject } from './kube';
export type { Kinds, Labels, Metadata, NetworkPolicyPeer } from './kube';
export { LateTokens } from './late';
export type { Deferred, Late, LateSecret, LateValue } from './late';
export { Lifecycle } from './lifecycle';
export type { LifecycleProps } from './lifecycle';
export { ModelDescription } from './model-description';
export type { HuggingFaceConfig, ModelShape } from './model-description';
export type { DownloadOptions, ModelFile } from './model-files';
export { ModelSource } from './model-source';
export type { ModelFiles, ModelUri } from './model-source';
export { DashboardTopic, isMonitored, PanelUnit, Severity } from './monitoring';
export type {
  AlertRule,
  DashboardPanel,
  IMonitored,
  Monitoring,
  RecordingRule,
  ScrapeTarget,
  ServiceLevelObjective,
} from './monitoring';
export { alertsOf, collectMonitoring, prometheusRules, recordingsOf } from './monitoring-rules';
export type {
  CollectedMonitoring,
  MonitoredComponent,
  PrometheusRule,
  PrometheusRuleFile,
  PrometheusRuleGroup,
} from './monitoring-rules';
export { NamespaceAccess } from './namespace-access';
export type { NamespaceAccessProps } from './namespace-access';
export { NamespaceBaseline } from './namespace-baseline';
export type { NamespaceBaselineProps } from './namespace-baseline';
export type { NodeCapacity } from './namespace-capacity';
export { totalsOf } from './namespace-quota';
export type { NamespaceQuota, Totals } from './namespace-quota';
export { compute } from './pod';
export { RemovalPolicy, movedFrom, releaseOptionsOf, setReleaseOptions } from './release-options';
export type { ReleaseOptions } from './release-options';
export { ScalingSignal } from './scaling-signal';
export type { DescribedObject } from './scaling-signal';
export { AccessRule, ServiceRole, Verb } from './service-role';
export type { AccessRuleOptions, ServiceRoleOptions } from './service-role';
export { ServiceMetrics } from './service-metrics';
export type { ServiceMetricsOptions } from './service-metrics';
export { ServiceVolume } from './service-volume';
export type { ServiceVolumeOptions, SharedVolumeOptions } from './service-volume';
export { StatefulDatabase } from './stateful-database';
export type { StatefulDatabaseProps } from './stateful-database';
export { TlsIngress } from './tls-ingress';
export type { IngressRoute, TlsIngressProps } from './tls-ingress';
export { parseCpu, parseSize } from './units';
