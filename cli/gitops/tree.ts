import { stringify } from 'yaml';
import type { TreeObject } from './waves';

type Json = Readonly<Record<string, unknown>>;

/** Files by their path in the tree, with `/` between its parts. */
export type Tree = ReadonlyMap<string, string>;

// Kubernetes' own tools read YAML 1.1, where a bare off or yes is no text.
export const yaml = (value: unknown): string => stringify(value, { lineWidth: 0, compat: 'yaml-1.1' });

interface Metadata {
  readonly name?: string;
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const metadataOf = ({ manifest }: TreeObject): Metadata => manifest.metadata as Metadata;

/** The manifest with annotations of the tool, and without those of another engine, of which the tool knows nothing. */
export function annotated({ manifest }: TreeObject, annotations: Readonly<Record<string, string>>): Json {
  const { annotations: given = {}, ...metadata } = manifest.metadata as Metadata & Json;
  const own = Object.entries(given).filter(([key]) => !key.startsWith('pulumi.com/'));
  const all = { ...Object.fromEntries(own), ...annotations };
  return { ...manifest, metadata: Object.keys(all).length === 0 ? metadata : { ...metadata, annotations: all } };
}

/** Names of files for objects, each its own: kind and name, and a number where two would have the same. */
export function fileNames(objects: readonly TreeObject[]): ReadonlyMap<TreeObject, string> {
  const taken = new Map<string, number>();
  return new Map(
    objects.map((object) => {
      const kind = String(object.manifest.kind).toLowerCase();
      const base = `${kind}-${metadataOf(object).name ?? ''}`.replace(/[^a-z0-9.-]/g, '-');
      const count = (taken.get(base) ?? 0) + 1;
      taken.set(base, count);
      return [object, count === 1 ? `${base}.yaml` : `${base}-${count}.yaml`];
    }),
  );
}
