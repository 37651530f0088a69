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
