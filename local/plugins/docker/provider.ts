import type {
  ConfigureRequest,
  Context,
  DiffKind,
  DiffRequest,
  DiffResponse,
  Provider,
  ReadRequest,
  ReadResponse,
} from '../shared/provider';
import { ProviderError } from '../shared/provider';
import { formatPath, isPropertyMap, plain, same, Secret, Unknown, unknown } from '../shared/values';
import type { Path, PropertyMap, PropertyValue } from '../shared/values';
import { hostName } from './alias';
import { buildAndPush, hasLocalImage } from './build';
import type { DockerEnvironment } from './cli';
import { checkInputs, imageSpec, relativeDockerfile } from './inputs';
import { parseReference, repository } from './reference';
import { manifestPresence } from './registry';

/** The version of @pulumi/docker whose Image is served. */
export const VERSION = '5.2.0';
const IMAGE = 'docker:index/image:Image';

function expectImage(type: string): void {
  if (type === IMAGE) return;
  throw new ProviderError(`${type} is not served by the embedded docker plugin, which knows ${IMAGE} alone.`, {
    fix: `install the vendor's: pulumi plugin install resource docker ${VERSION}`,
  });
}

/** What the provider's own configuration says of the engine. Registry credentials belong to each Image. */
function environmentOf({ args, variables }: ConfigureRequest): DockerEnvironment {
  const values = plain(args);
  const setting = (name: string): string | undefined => {
    const value = values[name] ?? variables.get(`docker:config:${name}`);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  for (const name of ['registryAuth', 'sshOpts', 'caMaterial', 'certMaterial', 'keyMaterial']) {
    if (setting(name) === undefined && (values[name] ?? null) === null) continue;
    throw new ProviderError(`docker:${name} is not served by the embedded docker plugin.`, {
      fix:
        name === 'registryAuth'
          ? 'set registry on the Image instead'
          : `pulumi plugin install resource docker ${VERSION}`,
    });
  }
  return { host: setting('host'), certPath: setting('certPath') };
}

/** Inputs whose change builds nothing: credentials may rotate, and a preview never builds. */
const IGNORED: ReadonlySet<string> = new Set([
  'registry.username',
  'registry.password',
  'buildOnPreview',
  '__defaults',
]);

/** Paths at which two input maps differ. The SDK fills in `false` where a program says nothing. */
function differences(
  old: PropertyValue,
  now: PropertyValue,
  path: Path = [],
): readonly (readonly [string, DiffKind])[] {
  const name = formatPath(path);
  if (IGNORED.has(name)) return [];
  const settle = (value: PropertyValue): PropertyValue =>
    value instanceof Secret ? settle(value.reveal()) : value || null;
  const [before, after] = [settle(old), settle(now)];
  if (isPropertyMap(before) || isPropertyMap(after)) {
    const [a, b] = [isPropertyMap(before) ? before : {}, isPropertyMap(after) ? after : {}];
    if (after instanceof Unknown) return [[name, 'update']];
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    return keys.flatMap((key) => differences(a[key] ?? null, b[key] ?? null, [...path, key]));
  }
  if (same(before, after)) return [];
  return [[name, before === null ? 'add' : after === null ? 'delete' : 'update']];
}

function diff({ olds, oldInputs, news, ignoreChanges }: DiffRequest): DiffResponse {
  const recorded = olds['__inputs'];
  const kept = recorded instanceof Secret ? recorded.reveal() : recorded;
  const before = isPropertyMap(kept) ? kept : oldInputs;
  const detailed = Object.fromEntries(
    differences(before, news).filter(
      ([path]) => !ignoreChanges.some((ignored) => path === ignored || path.startsWith(`${ignored}.`)),
    ),
  );
  return { changes: Object.keys(detailed).length > 0, detailed };
}

/** The vendor's state: the outputs, and beside them the inputs, secret as a whole. */
function stateOf(inputs: PropertyMap, repoDigest: PropertyValue): PropertyMap {
  const spec = imageSpec(inputs);
  return {
    baseImageName: spec.imageName,
    context: spec.context,
    dockerfile: relativeDockerfile(spec.context, spec.dockerfile),
    imageName: inputs['imageName'] ?? null,
    platform: spec.platform,
    registryServer: spec.registry.server,
    repoDigest,
    __inputs: new Secret(inputs),
  };
}

/** A preview knows everything but the digest, which only a build tells. */
const previewOf = (inputs: PropertyMap): PropertyMap => ({
  ...stateOf(inputs, unknown),
  baseImageName: inputs['imageName'] ?? null,
});

const gone: ReadResponse = { id: '', outputs: {}, inputs: {} };

/** Takes an image that is in a registry already. */
async function adopt(id: string): Promise<ReadResponse> {
  const reference = parseReference(hostName(id));
  if (reference === undefined) throw new ProviderError(`${id} is no image name; an Image is imported by it.`);
  const presence = await manifestPresence(reference, { username: '', password: '' });
  if (presence.state === 'absent') return gone;
  if (presence.state === 'unknown' || presence.digest === undefined) {
    throw new ProviderError(
      `The registry of ${id} could not be asked: ${presence.state === 'unknown' ? presence.reason : 'no digest'}.`,
    );
  }
  const inputs = { imageName: id };
  const named = parseReference(id) ?? reference;
  return { id, inputs, outputs: stateOf(inputs, `${repository(named)}@${presence.digest}`) };
}

/** Looks whether what was built is still where it was put. What can't be asked counts as there. */
async function read(request: ReadRequest, context: Context, environment: DockerEnvironment): Promise<ReadResponse> {
  const { id, state, inputs } = request;
  const digest = plain(state)['repoDigest'];
  if (typeof digest !== 'string') return adopt(id);
  const present = { id, outputs: state, inputs };
  if (digest.startsWith('sha256:')) {
    return (await hasLocalImage(digest, context, environment)) === false ? gone : present;
  }
  const reference = parseReference(hostName(digest));
  if (reference === undefined) return present;
  const presence = await manifestPresence(reference, imageSpec(inputs).registry);
  if (presence.state === 'unknown') {
    context.log('warning', `could not ask the registry for ${digest}: ${presence.reason}; taken to be there`);
  }
  return presence.state === 'absent' ? gone : present;
}

/** The provider of built images, with the vendor's type, id and state. */
export function dockerProvider(): Provider {
  let environment: DockerEnvironment = {};
  return {
    name: 'docker',
    version: VERSION,
    acceptSecrets: true,
    configure(request) {
      environment = environmentOf(request);
    },
    async check({ news }, context) {
      expectImage(context.type);
      if (news['buildOnPreview'] === true) context.log('warning', 'buildOnPreview is ignored: a preview never builds');
      return checkInputs(news);
    },
    diff(request, { type }) {
      expectImage(type);
      return diff(request);
    },
    async create({ inputs, preview, timeout }, context) {
      expectImage(context.type);
      if (preview) return { id: '', outputs: previewOf(inputs) };
      const digest = await buildAndPush(imageSpec(inputs), context, environment, timeout);
      return { id: imageSpec(inputs).imageName, outputs: stateOf(inputs, digest) };
    },
    async update({ news, preview, timeout }, context) {
      expectImage(context.type);
      if (preview) return { outputs: previewOf(news) };
      return { outputs: stateOf(news, await buildAndPush(imageSpec(news), context, environment, timeout)) };
    },
    read(request, context) {
      expectImage(context.type);
      return read(request, context, environment);
    },
    // A registry keeps what was pushed: running pods still pull it, and another stack may have the same digest.
    delete: () => undefined,
    invoke({ token }) {
      throw new ProviderError(`${token} is not served by the embedded docker plugin.`);
    },
  };
}
