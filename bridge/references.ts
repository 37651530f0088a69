import type { Manifest, RenderedObject } from './render';

/** One thing that a pod needs: a whole object, or one key of a ConfigMap or Secret. */
export interface Reference {
  readonly kind: 'ConfigMap' | 'Secret' | 'ServiceAccount' | 'PersistentVolumeClaim';
  readonly name: string;
  /** Nothing where the whole object is read. */
  readonly key?: string;
  readonly optional: boolean;
  /** Where it is written, for messages. */
  readonly field: string;
}

type Json = Readonly<Record<string, unknown>>;

const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};

/** Path to the pod template in a manifest of this kind; nothing for kinds without pods. */
export const templatePath = (kind: string): readonly string[] | undefined =>
  Object.hasOwn(TEMPLATES, kind) ? TEMPLATES[kind] : undefined;

/** The pod template of an object that makes pods. */
export function podTemplate(object: { readonly kind: string; readonly manifest: Manifest }): Json | undefined {
  const path = templatePath(object.kind);
  if (path === undefined) return undefined;
  return path.reduce<Json | undefined>((value, key) => value?.[key] as Json | undefined, object.manifest);
}

/** Everything that the pods of one object read or need, in the order of its fields. */
export function references(object: RenderedObject): readonly Reference[] {
  const spec = podTemplate(object)?.spec as Json | undefined;
  if (spec === undefined) return [];
  const found: Reference[] = [];
  const account = spec.serviceAccountName;
  if (typeof account === 'string') {
    found.push({ kind: 'ServiceAccount', name: account, optional: account === 'default', field: 'serviceAccountName' });
  }
  for (const list of ['initContainers', 'containers']) {
    for (const container of items(spec[list]))
      found.push(...containerReferences(container, `${list}[${String(container.name)}]`));
  }
  for (const volume of items(spec.volumes)) found.push(...volumeReferences(volume, `volumes[${String(volume.name)}]`));
  for (const pull of items(spec.imagePullSecrets)) {
    found.push({ kind: 'Secret', name: String(pull.name), optional: false, field: 'imagePullSecrets' });
  }
  return found;
}

function containerReferences(container: Json, field: string): readonly Reference[] {
  const found: Reference[] = [];
  for (const variable of items(container.env)) {
    const from = variable.valueFrom as Json | undefined;
    const where = `${field}.env[${String(variable.name)}]`;
    found.push(
      ...keyReference('Secret', from?.secretKeyRef, where),
      ...keyReference('ConfigMap', from?.configMapKeyRef, where),
    );
  }
  for (const source of items(container.envFrom)) {
    found.push(...wholeReference('Secret', source.secretRef, 'name', `${field}.envFrom`));
    found.push(...wholeReference('ConfigMap', source.configMapRef, 'name', `${field}.envFrom`));
  }
  return found;
}

function volumeReferences(volume: Json, field: string): readonly Reference[] {
  const claim = volume.persistentVolumeClaim as Json | undefined;
  const projected = items((volume.projected as Json | undefined)?.sources);
  return [
    ...wholeReference('Secret', volume.secret, 'secretName', field),
    ...wholeReference('ConfigMap', volume.configMap, 'name', field),
    ...projected.flatMap((source) => [
      ...wholeReference('Secret', source.secret, 'name', field),
      ...wholeReference('ConfigMap', source.configMap, 'name', field),
    ]),
    ...(claim === undefined
      ? []
      : [{ kind: 'PersistentVolumeClaim' as const, name: String(claim.claimName), optional: false, field }]),
  ];
}

function keyReference(kind: Reference['kind'], value: unknown, field: string): readonly Reference[] {
  if (value === undefined) return [];
  const source = value as Json;
  return [{ kind, name: String(source.name), key: String(source.key), optional: source.optional === true, field }];
}

/** A source that is read whole, or key by key where `items` are listed. */
function wholeReference(kind: Reference['kind'], value: unknown, nameKey: string, field: string): readonly Reference[] {
  if (value === undefined) return [];
  const source = value as Json;
  const base = { kind, name: String(source[nameKey]), optional: source.optional === true, field };
  const listed = items(source.items);
  return listed.length === 0 ? [base] : listed.map((item) => ({ ...base, key: String(item.key) }));
}

/** The objects in a list, or none where there is no list. */
export const items = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as Json[]) : []);
