import type { PlainValue, PropertyMap } from '../shared/values';
import { isPropertyMap, plain } from '../shared/values';
import type { KubeObject } from './objects';
import { asObject, record, text, withoutIn } from './objects';
import { seal } from './secrets';

/** The vendor's keys in a resource's state, beside the live object. */
const INPUTS = '__inputs';
const INITIAL_API_VERSION = '__initialApiVersion';
const FIELD_MANAGER = '__fieldManager';

/** What the state of a resource holds. */
export interface Checkpoint {
  /** Inputs of the last update; empty in an import. */
  readonly inputs: KubeObject;
  /** The object as the API server last returned it. */
  readonly live: KubeObject;
  readonly fieldManager: string | undefined;
  readonly initialApiVersion: string | undefined;
}

/*
 * The SDK can't have properties with dashes; the API can't have these with underscores. They occur in
 * CustomResourceDefinitions only.
 */
const rename = (value: PlainValue, from: RegExp, to: (key: string) => string): PlainValue => {
  if (Array.isArray(value)) return (value as readonly PlainValue[]).map((item) => rename(item, from, to));
  if (!isPropertyMap(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => {
    return [from.test(key) ? to(key) : key, rename(item, from, to)] as const;
  });
  return Object.fromEntries(entries);
};
const isDefinition = (object: KubeObject): boolean => text(object, 'kind') === 'CustomResourceDefinition';

/** Spells an object as the API does. */
export const toApi = (object: KubeObject): KubeObject =>
  isDefinition(object) ? (rename(object, /^x_kubernetes_/, (key) => key.replaceAll('_', '-')) as KubeObject) : object;

/** Spells an object as the SDK does. */
export const fromApi = (object: KubeObject): KubeObject =>
  isDefinition(object) ? (rename(object, /^x-kubernetes-/, (key) => key.replaceAll('-', '_')) as KubeObject) : object;

/** What an update or read returns, secrets marked. */
export function toState(
  live: KubeObject,
  inputs: PropertyMap,
  fieldManager: string,
  initialApiVersion: string,
): PropertyMap {
  // Whose field is whose is asked of the API server when it matters; in the state it would be most of its size.
  const kept = withoutIn(fromApi(live), ['metadata', 'managedFields']) as PropertyMap;
  return {
    ...seal(kept, inputs),
    [INPUTS]: seal(inputs, inputs),
    [INITIAL_API_VERSION]: initialApiVersion,
    [FIELD_MANAGER]: fieldManager,
  };
}

export function fromState(state: PropertyMap): Checkpoint {
  const object = asObject(plain(state));
  const { [INPUTS]: inputs, [INITIAL_API_VERSION]: version, [FIELD_MANAGER]: manager, ...live } = object;
  return {
    inputs: record(inputs),
    live: toApi(live),
    fieldManager: typeof manager === 'string' ? manager : undefined,
    initialApiVersion: typeof version === 'string' ? version : undefined,
  };
}
