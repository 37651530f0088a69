import * as fs from 'node:fs';
import * as path from 'node:path';

import type { CheckFailure } from '../shared/provider';
import { hasUnknown, isPropertyMap, plain, Secret, secretStrings } from '../shared/values';
import type { PlainMap, PlainValue, PropertyMap, PropertyValue } from '../shared/values';
import { contextDigest } from './context';
import { parseReference } from './reference';

/** What an Image is made from, defaults in place. Paths are as given: relative to the program's directory. */
export interface ImageSpec {
  readonly imageName: string;
  readonly skipPush: boolean;
  readonly registry: { readonly server: string; readonly username: string; readonly password: string };
  readonly context: string;
  readonly dockerfile: string;
  readonly args: Readonly<Record<string, string>>;
  readonly target: string | undefined;
  /** As given, or the host's. */
  readonly platform: string;
  readonly builder: 'BuilderV1' | 'BuilderBuildKit';
  readonly cacheFrom: readonly string[];
  readonly addHosts: readonly string[];
  readonly network: string;
  /** Texts that no line may show: secret inputs and the registry's password. */
  readonly secrets: readonly string[];
  /** Names of build arguments whose values are secret. */
  readonly secretArgs: readonly string[];
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
/** The platform that a build without one is for. */
export const hostPlatform = `linux/${architectures[process.arch] ?? process.arch}`;

const map = (value: PlainValue | undefined): PlainMap =>
  typeof value === 'object' && value !== null && isPropertyMap(value) ? value : {};
const string = (value: PlainValue | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
const strings = (value: PlainValue | undefined): readonly string[] =>
  Array.isArray(value) ? (value as readonly PlainValue[]).filter((item) => typeof item === 'string') : [];
const reveal = (value: PropertyValue | undefined): PropertyValue =>
  value instanceof Secret ? reveal(value.reveal()) : (value ?? null);

/** Reads checked inputs. */
export function imageSpec(inputs: PropertyMap): ImageSpec {
  const values = plain(inputs);
  const build = map(values['build']);
  const registry = map(values['registry']);
  const context = string(build['context']) ?? '.';
  const args = Object.entries(map(build['args'])).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const revealedBuild = reveal(inputs['build']);
  const rawArgs = isPropertyMap(revealedBuild) ? reveal(revealedBuild['args']) : null;
  const password = string(registry['password']) ?? '';
  return {
    imageName: string(values['imageName']) ?? '',
    skipPush: values['skipPush'] === true,
    registry: { server: string(registry['server']) ?? '', username: string(registry['username']) ?? '', password },
    context,
    dockerfile: string(build['dockerfile']) ?? path.join(context, 'Dockerfile'),
    args: Object.fromEntries(args),
    target: string(build['target']),
    platform: string(build['platform']) ?? hostPlatform,
    builder: build['builderVersion'] === 'BuilderBuildKit' ? 'BuilderBuildKit' : 'BuilderV1',
    cacheFrom: strings(map(build['cacheFrom'])['images']),
    addHosts: strings(build['addHosts']),
    network: string(build['network']) ?? 'host',
    secrets: [...secretStrings(inputs), ...(password === '' ? [] : [password])],
    secretArgs: isPropertyMap(rawArgs) ? Object.keys(rawArgs).filter((key) => rawArgs[key] instanceof Secret) : [],
  };
}

/** A Dockerfile's path as seen from its context, as the vendor records it. */
export const relativeDockerfile = (context: string, dockerfile: string): string =>
  path.relative(path.resolve(context), path.resolve(dockerfile));

type Test = (value: PlainValue) => string | undefined;
const isText: Test = (value) => (typeof value === 'string' ? undefined : 'must be a string');
const isFlag: Test = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');
const isTexts: Test = (value) =>
  Array.isArray(value) && strings(value).length === value.length ? undefined : 'must be a list of strings';
const isTextMap: Test = (value) =>
  isPropertyMap(value) && Object.values(map(value)).every((item) => typeof item === 'string')
    ? undefined
    : 'must be an object whose values are strings';
const isBuilder: Test = (value) =>
  value === 'BuilderV1' || value === 'BuilderBuildKit' ? undefined : 'must be BuilderV1 or BuilderBuildKit';
const isPlatform: Test = (value) =>
  typeof value === 'string' && /^[a-z0-9]+\/[a-z0-9]+(\/[a-z0-9]+)?$/.test(value)
    ? undefined
    : 'must be like linux/amd64';

/** Nested tests mirror the vendor's input types; a property that is in none is unknown. */
type Shape = { readonly [property: string]: Test | Shape };
const shape: Shape = {
  build: {
    addHosts: isTexts,
    args: isTextMap,
    builderVersion: isBuilder,
    cacheFrom: { images: isTexts },
    context: isText,
    contextDigest: isText,
    dockerfile: isText,
    network: isText,
    platform: isPlatform,
    target: isText,
  },
  buildOnPreview: isFlag,
  imageName: isText,
  registry: { password: isText, server: isText, username: isText },
  skipPush: isFlag,
};

/** Problems of type, by path; unknown values pass. */
function shapeProblems(expected: Shape, given: PlainMap, prefix = ''): readonly CheckFailure[] {
  return Object.entries(given).flatMap(([key, value]): readonly CheckFailure[] => {
    const property = `${prefix}${key}`;
    const test = Object.hasOwn(expected, key) ? expected[key] : undefined;
    if (test === undefined) return [{ property, reason: `${property} is not a property of an Image` }];
    if (value === null || hasUnknown(value)) return [];
    if (typeof test !== 'function') {
      return isPropertyMap(value)
        ? shapeProblems(test, map(value), `${property}.`)
        : [{ property, reason: `${property} must be an object` }];
    }
    const reason = test(value);
    return reason === undefined ? [] : [{ property, reason: `${property} ${reason}` }];
  });
}

function nameProblems(spec: ImageSpec): readonly CheckFailure[] {
  const property = 'imageName';
  const reference = parseReference(spec.imageName);
  if (reference === undefined) return [{ property, reason: 'imageName must be like registry.example/team/app:tag' }];
  if (reference.digest !== undefined)
    return [{ property, reason: 'imageName must have no digest: the build decides it' }];
  if (reference.registry === '' && !spec.skipPush) {
    return [
      { property, reason: 'imageName must begin with its registry, as in docker.io/team/app:tag, or skipPush be true' },
    ];
  }
  return [];
}

/** Variables that the docker command reads itself: build arguments reach it through its environment. */
const RESERVED = /^(PATH|HOME|LD_\w+|DOCKER_\w+|BUILDKIT_\w+|BUILDX_\w+)$/;

const argumentProblems = (spec: ImageSpec): readonly CheckFailure[] =>
  Object.keys(spec.args)
    .filter((name) => RESERVED.test(name) || !/^\w+$/.test(name))
    .map((name) => ({
      property: `build.args.${name}`,
      reason: `build.args.${name} ${RESERVED.test(name) ? 'is read by docker itself; choose another name' : 'must be a name'}`,
    }));

function pathProblems(spec: ImageSpec): readonly CheckFailure[] {
  if (!fs.statSync(spec.context, { throwIfNoEntry: false })?.isDirectory()) {
    return [{ property: 'build.context', reason: `build.context ${spec.context} is no directory` }];
  }
  if (fs.statSync(spec.dockerfile, { throwIfNoEntry: false })?.isFile()) return [];
  const inContext = path.join(spec.context, spec.dockerfile);
  const hint = fs.existsSync(inContext) ? `; it counts from the program's directory: ${inContext}` : '';
  return [{ property: 'build.dockerfile', reason: `build.dockerfile ${spec.dockerfile} does not exist${hint}` }];
}

/** Checks everything at once and adds what the vendor's plugin adds to `build`: the context's digest and the platform. */
export async function checkInputs(
  news: PropertyMap,
): Promise<{ inputs: PropertyMap; failures: readonly CheckFailure[] }> {
  const failures = [...shapeProblems(shape, plain(news))];
  if ((news['imageName'] ?? null) === null) failures.push({ property: 'imageName', reason: 'imageName is required' });
  if (failures.length > 0) return { inputs: news, failures };
  const spec = imageSpec(news);
  if (!hasUnknown(news['imageName'] ?? null)) failures.push(...nameProblems(spec));
  failures.push(...argumentProblems(spec));
  const build = reveal(news['build']);
  const known =
    !isPropertyMap(build) || !(hasUnknown(build['context'] ?? null) || hasUnknown(build['dockerfile'] ?? null));
  if (known) failures.push(...pathProblems(spec));
  if (failures.length > 0 || hasUnknown(build)) return { inputs: news, failures };
  const completed = {
    ...(isPropertyMap(build) ? build : {}),
    contextDigest: await contextDigest(spec.context, spec.dockerfile),
    platform: spec.platform,
  };
  return { inputs: { ...news, build: news['build'] instanceof Secret ? new Secret(completed) : completed }, failures };
}
