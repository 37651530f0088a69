import { createHash } from 'node:crypto';
import type * as pulumi from '@pulumi/pulumi';
import type { RenderedObject } from './render';
import { references, templatePath } from './references';

/** Annotation on a pod template: it changes exactly when something that the pods read changes. */
export const READS_ANNOTATION = 'trellis.dev/reads';

type Json = Readonly<Record<string, unknown>>;
/** One value that a pod reads, by `kind/name/key`, as it stands in the manifest. */
export type Content = ReadonlyMap<string, string>;

/**
 * What the pods of one object read from ConfigMaps and Secrets of the definition: a key that is not read does not count, nor
 * does one that its readers take over while they run.
 * Empty for objects that own no pods for long, such as Jobs, which are never rolled.
 */
export function contentRead(object: RenderedObject, sources: ReadonlyMap<string, RenderedObject>): Content {
  if (!['Deployment', 'StatefulSet', 'DaemonSet'].includes(object.kind)) return new Map();
  const content = new Map<string, string>();
  for (const { kind, name, key } of references(object)) {
    const source = sources.get(sourceKey(kind, object.namespace, name));
    for (const field of source === undefined ? [] : ['data', 'stringData', 'binaryData']) {
      for (const [entry, text] of Object.entries((source?.manifest[field] ?? {}) as Json)) {
        if (source?.liveKeys.includes(entry) === true) continue;
        if (key === undefined || key === entry) content.set(`${kind}/${name}/${entry}`, String(text));
      }
    }
  }
  return new Map([...content].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** ConfigMaps and Secrets by the key that `contentRead` looks them up with. */
export const readableSources = (objects: readonly RenderedObject[]): ReadonlyMap<string, RenderedObject> =>
  new Map(
    objects
      .filter((object) => object.kind === 'ConfigMap' || object.kind === 'Secret')
      .map((object) => [sourceKey(object.kind, object.namespace, object.name), object]),
  );

const sourceKey = (kind: string, namespace: string | undefined, name: string): string =>
  `${kind}/${namespace ?? ''}/${name}`;

/** A digest of content that holds no late value, or of the tokens where it does: for rendering without an engine. */
export const plainDigest = (content: Content): string =>
  createHash('sha256')
    .update(JSON.stringify([...content]))
    .digest('hex')
    .slice(0, 16);

/** The inputs of an object with the annotation on its pod template. */
export function annotateReads(kind: string, inputs: pulumi.Inputs, digest: pulumi.Input<string>): pulumi.Inputs {
  const path = templatePath(kind) ?? [];
  return setIn(inputs, [...path, 'metadata', 'annotations', READS_ANNOTATION], digest) as pulumi.Inputs;
}

function setIn(value: unknown, [first, ...rest]: readonly string[], leaf: unknown): unknown {
  if (first === undefined) return leaf;
  const object = (value ?? {}) as Record<string, unknown>;
  return { ...object, [first]: setIn(object[first], rest, leaf) };
}
