import { RemovalPolicy } from '../components/release-options';
import type { RenderedObject } from './render';

/** A namespace that holds anything retained is retained too: deleting it would delete all that is in it. */
export function keepNamespaces(objects: readonly RenderedObject[]): readonly RenderedObject[] {
  const kept = new Set(objects.filter((o) => o.removalPolicy === RemovalPolicy.RETAIN).map((o) => o.namespace));
  return objects.map((object) =>
    object.kind === 'Namespace' && kept.has(object.name) ? { ...object, removalPolicy: RemovalPolicy.RETAIN } : object,
  );
}
