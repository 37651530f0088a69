import type { RenderedObject } from '../render';

type Json = Readonly<Record<string, unknown>>;

/** Name of the Secret that an operator makes of one of these; the operators are in the cluster. */
const MAKERS: Readonly<Record<string, (name: string, spec: Json) => unknown>> = {
  Certificate: (_, spec) => spec.secretName,
  ExternalSecret: (name, spec) => (spec.target as Json | undefined)?.name ?? name,
  SealedSecret: (name, spec) => ((spec.template as Json | undefined)?.metadata as Json | undefined)?.name ?? name,
};

/** The Secrets that operators make of what is defined, as `namespace/name`; their keys are not known here. */
export const operatorSecrets = (objects: readonly RenderedObject[]): ReadonlySet<string> =>
  new Set(
    objects.flatMap(({ apiVersion, kind, name, namespace, manifest }) => {
      const maker = apiVersion.includes('/') ? MAKERS[kind] : undefined;
      const secret = maker?.(name, (manifest.spec ?? {}) as Json);
      return typeof secret === 'string' ? [`${namespace ?? ''}/${secret}`] : [];
    }),
  );

/** Pods that operators make: how each object's are labelled, and how many run at least. */
const POD_MAKERS: Readonly<
  Record<string, (name: string, spec: Json) => { readonly labels: Json; readonly least: number }>
> = {
  'postgresql.cnpg.io/v1/Cluster': (name, { instances }) => ({
    labels: { 'cnpg.io/cluster': name, 'cnpg.io/podRole': 'instance' },
    least: Number(instances ?? 1),
  }),
  'postgresql.cnpg.io/v1/Pooler': (name, { cluster, instances }) => ({
    labels: {
      'cnpg.io/cluster': (cluster as Json | undefined)?.name,
      'cnpg.io/podRole': 'pooler',
      'cnpg.io/poolerName': name,
    },
    least: Number(instances ?? 1),
  }),
};

/** The pods that an operator makes of this object; nothing for kinds without. */
export const operatorPods = ({
  apiVersion,
  kind,
  name,
  manifest,
}: RenderedObject): { readonly labels: Json; readonly least: number } | undefined => {
  const key = `${apiVersion}/${kind}`;
  return Object.hasOwn(POD_MAKERS, key) ? POD_MAKERS[key]?.(name, (manifest.spec ?? {}) as Json) : undefined;
};
