import { CliError } from '../exit';

/** A Kubernetes object as it is rendered, as far as Compose needs it. */
export interface KubeObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** A key of a ConfigMap or Secret as a file. */
export interface KeyToPath {
  readonly key: string;
  readonly path: string;
}

export interface KubeVolume {
  readonly name: string;
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string };
  readonly configMap?: { readonly name: string; readonly items?: readonly KeyToPath[] };
  readonly secret?: { readonly secretName: string; readonly items?: readonly KeyToPath[]; readonly optional?: boolean };
  readonly persistentVolumeClaim?: { readonly claimName: string };
}

export interface KubeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

export interface KubeEnv {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
    readonly configMapKeyRef?: { readonly name: string; readonly key: string };
    readonly fieldRef?: { readonly fieldPath: string };
  };
}

export interface KubeProbe {
  readonly exec?: { readonly command: readonly string[] };
  readonly httpGet?: { readonly path: string; readonly port: number | string };
  readonly tcpSocket?: { readonly port: number | string };
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
}

interface SecurityContext {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly fsGroup?: number;
}

export interface KubeContainer {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly KubeEnv[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number; readonly protocol?: string }[];
  readonly volumeMounts?: readonly KubeMount[];
  readonly securityContext?: SecurityContext;
  readonly resources?: { readonly limits?: { readonly cpu?: string; readonly memory?: string } };
  readonly startupProbe?: KubeProbe;
  readonly readinessProbe?: KubeProbe;
}

export interface KubePod {
  readonly containers: readonly KubeContainer[];
  readonly initContainers?: readonly KubeContainer[];
  readonly volumes?: readonly KubeVolume[];
  readonly securityContext?: SecurityContext;
  readonly terminationGracePeriodSeconds?: number;
}

/** A Deployment or StatefulSet: one pod of it. */
export interface Workload {
  /** Name of the Compose service, such as `noodle-core-postgres`. */
  readonly service: string;
  /** System that it is part of, such as `noodle-core`. */
  readonly system: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: KubePod;
  /** Claims of its own. */
  readonly claims: readonly string[];
}

/** A service of a Compose file, in the field names of the Compose Specification. */
export type ComposeService = Readonly<Record<string, unknown>>;

/** A Compose file. */
export interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, object>>;
  readonly volumes: Readonly<Record<string, object>>;
}

/** A file whose content is secret: made in memory when Compose is started, never beside the Compose file. */
export interface SecretFile {
  readonly path: string;
  /** Text in which `${NAME:?}` stands for a secret. */
  readonly template: string;
  readonly group: number;
}

/** A folder that several containers of a pod share. */
export interface SharedFolder {
  readonly path: string;
  readonly group: number;
}

/** All that one environment is under Compose. */
export interface Composition {
  readonly file: ComposeFile;
  /** Files without a secret in them: path beside the Compose file → content. */
  readonly configs: ReadonlyMap<string, string>;
  /** Below the folder of secrets. */
  readonly secretFiles: readonly SecretFile[];
  readonly sharedFolders: readonly SharedFolder[];
  /** Environment variable → name of the secret in the definition. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Host names that need a certificate. */
  readonly hosts: readonly string[];
  /** Port on loopback of each public host name. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** Environment variable in a Compose file that names the folder of secrets. */
export const RUN_FOLDER = 'TRELLIS_COMPOSE_RUN';

/** What of the definition Compose can't do. */
export class ComposeError extends CliError {
  public constructor(problems: readonly string[]) {
    super(`The definition can't be written for Compose:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ComposeError';
  }
}
