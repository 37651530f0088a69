import type { Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import type { Certificate } from '../../components/certificate';
import type { ServiceType } from '../../components/http-props';
import type { Late, LateSecret } from '../../components/late';
import type { RemovalPolicy } from '../../components/release-options';

/** All that differs between two NoodleCores: plain data, images and secrets. Nothing in the chart reads anything else. */
export interface NoodleCoreValues {
  readonly namespace: string;
  /** Public host name of the runtime. */
  readonly host: string;
  readonly environment: 'development' | 'staging' | 'production';
  readonly certificate: Certificate;
  /** Secret that an issued certificate is put into; nothing for certificates that have their own place. */
  readonly tlsSecretName: string | undefined;
  /** Namespace of the ingress controller. */
  readonly ingressNamespace: string;
  readonly removalPolicy: RemovalPolicy;
  readonly images: { readonly runtime: Late; readonly postgres: Late; readonly redis: Late };
  readonly secrets: {
    readonly postgresPassword: LateSecret;
    readonly redisPassword: LateSecret;
    /** Key that the runtime signs its tokens with. */
    readonly secretKey: LateSecret;
  };
  readonly runtime: RuntimeValues;
  readonly postgres: StoreValues & {
    readonly backup: { readonly schedule: string; readonly keep: number; readonly storage: Size };
  };
  readonly redis: StoreValues;
}

/** Size and behaviour of the runtime. */
export interface RuntimeValues {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly resources: ContainerResources;
  /** CPU use, in percent of the request, that pods are added above. */
  readonly cpuTarget: number;
  readonly logLevel: 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';
  readonly serviceType: ServiceType;
}

/** Size of a data store. */
export interface StoreValues {
  readonly resources: ContainerResources;
  readonly storage: Size;
  /** Nothing for the cluster's default class. */
  readonly storageClass: string | undefined;
}
