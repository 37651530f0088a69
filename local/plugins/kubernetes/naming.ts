import { createHash, randomBytes } from 'node:crypto';

import type { PropertyMap } from '../shared/values';
import { isPropertyMap, Secret, Unknown } from '../shared/values';
import type { KubeObject } from './objects';
import { annotationTrue, nameOf, withIn } from './objects';

/** Marks an object whose name this plugin chose: the vendor's annotation. */
export const AUTONAMED = 'pulumi.com/autonamed';

/** Eight hexadecimal digits: the same for the same seed, so that a preview and its update agree. */
function suffix(seed: Uint8Array, salt: string): string {
  const bytes = seed.length === 0 ? randomBytes(8) : createHash('sha256').update(seed).update(salt).digest();
  return bytes.toString('hex').slice(0, 8);
}

/**
 * Who owns the applied fields, in the vendor's spelling. The vendor draws the last part by lot; here it follows from the URN,
 * so that a create that was killed before the engine could note it down is known again by the object that it left behind.
 */
export const fieldManagerFor = (urn: string): string => `pulumi-kubernetes-${suffix(Buffer.from(urn), 'manager')}`;

/** Whether the program names the object, if only with a value that is not known yet. */
export function isNamed(inputs: PropertyMap): boolean {
  const metadata = inputs['metadata'] ?? {};
  if (!isPropertyMap(metadata)) return true;
  const name = metadata['name'];
  return name instanceof Unknown || name instanceof Secret || (typeof name === 'string' && name !== '');
}

/** Gives an unnamed object the name it had, or a new one made of the resource's name. */
export function withName(inputs: PropertyMap, old: KubeObject, resourceName: string, seed: Uint8Array): PropertyMap {
  if (isNamed(inputs)) return inputs;
  const kept = annotationTrue(old, AUTONAMED) ? nameOf(old) : '';
  const name = kept === '' ? `${resourceName}-${suffix(seed, resourceName)}` : kept;
  const named = withIn(inputs, ['metadata', 'name'], name);
  const annotations = (named['metadata'] as PropertyMap)['annotations'];
  // Annotations that are not known yet can't be added to.
  const open = annotations === undefined || isPropertyMap(annotations);
  return open ? withIn(named, ['metadata', 'annotations', AUTONAMED], 'true') : named;
}
