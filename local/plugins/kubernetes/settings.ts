import type { PropertyMap } from '../shared/values';
import { plain, Unknown } from '../shared/values';
import type { Mutability } from './force-new';
import type { KubeconfigChoice } from './kubeconfig';

/** The provider's configuration, after program, stack configuration and environment. */
export interface Settings extends KubeconfigChoice {
  /** Namespace for objects that name none. @default - the context's, else `default` */
  readonly namespace?: string;
  readonly mutability: Mutability;
  /** Forget objects of a cluster that can't be reached, instead of failing. */
  readonly deleteUnreachable: boolean;
  /** Keep objects as they are while their cluster can't be reached, instead of failing. */
  readonly skipUpdateUnreachable: boolean;
  readonly suppressDeprecationWarnings: boolean;
  /** Overrule other field managers everywhere. */
  readonly patchForce: boolean;
  /** Take over objects that exist and that this stack did not make, instead of failing. */
  readonly upsert: boolean;
}

/** Inputs that the vendor's provider has and this one accepts without doing anything. */
const WITHOUT_EFFECT = new Set([
  'alwaysRender',
  'suppressHelmHookWarnings',
  'helmReleaseSettings',
  'kubeClientSettings',
  'clusterIdentifier',
  'strictMode',
  'pulumiVersion',
  'version',
]);
const KNOWN = new Set([
  'kubeconfig',
  'context',
  'cluster',
  'namespace',
  'enableServerSideApply',
  'enableConfigMapMutable',
  'enableSecretMutable',
  'deleteUnreachable',
  'skipUpdateUnreachable',
  'suppressDeprecationWarnings',
  'enablePatchForce',
  'upsertExistingObjects',
]);

/** The SDK sends booleans as JSON text. */
const asBoolean = (value: unknown): boolean | undefined =>
  value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined;

/** What is wrong with provider inputs: by property. */
export function problems(args: PropertyMap): readonly { readonly property: string; readonly reason: string }[] {
  const found: { property: string; reason: string }[] = [];
  const inputs = plain(args);
  if (asBoolean(inputs['enableServerSideApply']) === false) {
    found.push({
      property: 'enableServerSideApply',
      reason: "the embedded Kubernetes plugin applies on the server only; client-side apply needs the vendor's plugin",
    });
  }
  if (typeof inputs['renderYamlToDirectory'] === 'string') {
    found.push({
      property: 'renderYamlToDirectory',
      reason: "needs the vendor's plugin; `./trellis render` writes manifests without secrets",
    });
  }
  return found;
}

/** Provider inputs that nobody knows: most likely misspelled. */
export const unknownKeys = (args: PropertyMap): readonly string[] =>
  Object.keys(args).filter((key) => !KNOWN.has(key) && !WITHOUT_EFFECT.has(key) && key !== 'renderYamlToDirectory');

export function readSettings(args: PropertyMap, variables: ReadonlyMap<string, string>): Settings {
  const inputs = plain(args);
  const raw = (key: string): unknown => {
    const value = inputs[key];
    return value === undefined || value === null || value instanceof Unknown
      ? variables.get(`kubernetes:config:${key}`)
      : value;
  };
  const str = (key: string): string | undefined => {
    const value = raw(key);
    if (typeof value === 'object' && value !== null) return JSON.stringify(value);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const flag = (key: string, variable: string): boolean =>
    asBoolean(raw(key)) ?? asBoolean(process.env[`PULUMI_K8S_${variable}`]) ?? false;
  const [kubeconfig, context, cluster, namespace] = [
    str('kubeconfig'),
    str('context'),
    str('cluster'),
    str('namespace'),
  ];
  return {
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(namespace === undefined ? {} : { namespace }),
    mutability: {
      configMaps: flag('enableConfigMapMutable', 'ENABLE_CONFIGMAP_MUTABLE'),
      secrets: flag('enableSecretMutable', 'ENABLE_SECRET_MUTABLE'),
    },
    deleteUnreachable: flag('deleteUnreachable', 'DELETE_UNREACHABLE'),
    skipUpdateUnreachable: flag('skipUpdateUnreachable', 'SKIP_UPDATE_UNREACHABLE'),
    suppressDeprecationWarnings: flag('suppressDeprecationWarnings', 'SUPPRESS_DEPRECATION_WARNINGS'),
    patchForce: flag('enablePatchForce', 'ENABLE_PATCH_FORCE'),
    upsert: flag('upsertExistingObjects', 'UPSERT_EXISTING_OBJECTS'),
  };
}
