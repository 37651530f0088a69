import type {
  CheckFailure,
  CheckRequest,
  CheckResponse,
  CreateRequest,
  CreateResponse,
  DiffKind,
  DiffRequest,
  DiffResponse,
  Provider,
  ReadRequest,
  ReadResponse,
  UpdateRequest,
} from '../shared/provider';
import { ProviderError } from '../shared/provider';
import { hasUnknown, isPropertyMap, plain, same, Secret, Unknown, unknown } from '../shared/values';
import type { PropertyMap, PropertyValue } from '../shared/values';
import type { InputSpec, Kind, Values } from './kind';
import { kinds } from './kinds';

/** The version of @pulumi/random whose resources are served. */
export const VERSION = '4.21.2';

function kindOf(type: string): Kind {
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (kind !== undefined) return kind;
  throw new ProviderError(`${type} is not served by the embedded random plugin.`, {
    fix: `install the vendor's: pulumi plugin install resource random ${VERSION}`,
  });
}

function typeProblem(spec: InputSpec, value: PropertyValue): string | undefined {
  switch (spec.type) {
    case 'whole':
      if (!Number.isSafeInteger(value)) return 'must be a whole number';
      return spec.least !== undefined && (value as number) < spec.least ? `must be at least ${spec.least}` : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'string':
      return typeof value === 'string' ? undefined : 'must be a string';
    case 'strings': {
      const items: readonly PropertyValue[] | undefined = Array.isArray(value) ? value : undefined;
      return items?.every((item) => typeof item === 'string') ? undefined : 'must be a list of strings';
    }
    case 'map':
      return isPropertyMap(value) && Object.values(value).every((item) => item === null || typeof item === 'string')
        ? undefined
        : 'must be an object whose values are strings';
  }
}

/** Everything that is wrong with the inputs, unknown ones left out. No message holds a value: it may be a secret. */
function inputProblems(kind: Kind, news: PropertyMap): readonly CheckFailure[] {
  const failures: CheckFailure[] = [];
  for (const [property, spec] of Object.entries(kind.inputs)) {
    const value = news[property] ?? null;
    if (value === null) {
      if (spec.required === true) failures.push({ property, reason: `${property} is required` });
    } else if (!hasUnknown(value)) {
      const problem = typeProblem(spec, value);
      if (problem !== undefined) failures.push({ property, reason: `${property} ${problem}` });
    }
  }
  for (const property of Object.keys(news)) {
    if (!Object.hasOwn(kind.inputs, property) && property !== '__defaults') {
      failures.push({ property, reason: `${property} is not a property of this resource` });
    }
  }
  if (failures.length > 0 || hasUnknown(news)) return failures;
  const problems = kind.problems?.(effective(kind, news) as Values) ?? [];
  return problems.map(([property, reason]) => ({
    property,
    reason: property === '' ? reason : `${property} ${reason}`,
  }));
}

/** The inputs with their defaults; what is absent and has none stays absent. */
function effective(kind: Kind, inputs: PropertyMap): Record<string, PropertyValue> {
  const result: Record<string, PropertyValue> = {};
  for (const [property, spec] of Object.entries(kind.inputs)) {
    const value = inputs[property] ?? spec.default ?? null;
    if (value !== null) result[property] = value;
  }
  const settled = kind.settle?.(result as Values) ?? result;
  return settled as Record<string, PropertyValue>;
}

/** Keepers without their empty values, which keep nothing. */
function keepersOf(value: PropertyValue | undefined): PropertyValue {
  if (!isPropertyMap(value)) return value ?? {};
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null));
}

function state(
  kind: Kind,
  inputs: PropertyMap,
  outputs: Readonly<Record<string, PropertyValue | undefined>>,
): PropertyMap {
  const result = effective(kind, inputs);
  for (const name of kind.outputs) {
    const value = outputs[name] ?? unknown;
    result[name] = kind.secretOutputs.includes(name) ? new Secret(value) : value;
  }
  if (kind.schemaVersion > 0) result['__meta'] = JSON.stringify({ schema_version: String(kind.schemaVersion) });
  return result;
}

function check(kind: Kind, { news }: CheckRequest): CheckResponse {
  return { inputs: news, failures: inputProblems(kind, news) };
}

/** Every input is part of what was drawn: a change of any draws anew. */
function diff(kind: Kind, { olds, news, ignoreChanges }: DiffRequest): DiffResponse {
  const before = effective(kind, olds);
  const after = effective(kind, news);
  const detailed: Record<string, DiffKind> = {};
  for (const property of Object.keys(kind.inputs)) {
    if (ignoreChanges.includes(property)) continue;
    const [old, now] = [before[property], after[property]];
    const equal = property === 'keepers' ? same(keepersOf(old), keepersOf(now)) : same(old ?? '', now ?? '');
    if (equal) continue;
    detailed[property] = old === undefined ? 'add-replace' : now === undefined ? 'delete-replace' : 'update-replace';
  }
  const replaces = Object.keys(detailed);
  return { changes: replaces.length > 0, replaces, detailed };
}

async function create(kind: Kind, { inputs, preview }: CreateRequest): Promise<CreateResponse> {
  if (preview || hasUnknown(inputs)) return { id: '', outputs: state(kind, inputs, {}) };
  const { id, outputs } = await kind.generate(plain(effective(kind, inputs)) as Values);
  return { id, outputs: state(kind, inputs, outputs) };
}

/** What was drawn lives in state alone, so that a refresh finds what is there; without state it is an import. */
async function read(kind: Kind, type: string, request: ReadRequest): Promise<ReadResponse> {
  const present = kind.outputs.length > 0 ? kind.outputs[0] : 'separator';
  if (present !== undefined && Object.hasOwn(request.state, present)) {
    return { id: request.id, outputs: secretly(kind, request.state), inputs: request.inputs };
  }
  if (kind.adopt === undefined) {
    throw new ProviderError(`${type} can't be imported: nothing of it can be told from an id.`);
  }
  const { id, inputs, outputs } = await kind.adopt(request.id);
  const given = inputs as PropertyMap;
  return { id, outputs: state(kind, given, outputs), inputs: given };
}

function secretly(kind: Kind, properties: PropertyMap): PropertyMap {
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [
      key,
      kind.secretOutputs.includes(key) && !(value instanceof Unknown) ? new Secret(value) : value,
    ]),
  );
}

/** The provider of random values, with the vendor's types, ids and state. */
export const randomProvider: Provider = {
  name: 'random',
  version: VERSION,
  check: (request, { type }) => check(kindOf(type), request),
  diff: (request, { type }) => diff(kindOf(type), request),
  create: (request, { type }) => create(kindOf(type), request),
  read: (request, { type }) => read(kindOf(type), type, request),
  update(request: UpdateRequest, { type }) {
    const kind = kindOf(type);
    return { outputs: state(kind, request.news, request.olds) };
  },
  // Nothing exists outside of state.
  delete: () => undefined,
  invoke({ token }) {
    throw new ProviderError(`${token} is not served by the embedded random plugin.`);
  },
};
