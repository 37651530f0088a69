import * as fs from 'node:fs';
import * as path from 'node:path';
import { dockerProvider } from '../../../../local/plugins/docker/provider';
import { isPropertyMap, Secret, unknown } from '../../../../local/plugins/shared/values';
import type { PropertyMap } from '../../../../local/plugins/shared/values';
import {
  answer,
  calls,
  check,
  context,
  create,
  diff,
  DIGEST,
  inputs,
  lines,
  scratch,
  withFakeDocker,
} from './docker-support';

withFakeDocker();

describe('check', () => {
  test('adds the digest of the context and the platform, and keeps secrets marked', async () => {
    const { inputs: checked, failures } = await check(inputs({}, { args: { TOKEN: new Secret('canary') } }));
    const build = checked['build'];
    expect(failures).toEqual([]);
    expect(isPropertyMap(build) && build['contextDigest']).toMatch(/^[0-9a-f]{64}$/);
    expect(isPropertyMap(build) && build['platform']).toMatch(/^linux\//);
    expect(isPropertyMap(build) && isPropertyMap(build['args']) && build['args']['TOKEN']).toBeInstanceOf(Secret);
  });

  test.each<[string, () => PropertyMap, RegExp[]]>([
    ['no name', () => ({ build: {} }), [/imageName is required/]],
    ['no registry', () => inputs({ imageName: 'team/app' }), [/must begin with its registry/]],
    ['a bad name', () => inputs({ imageName: 'localhost:5000/Team/App' }), [/must be like/]],
    ['a digest', () => inputs({ imageName: `localhost:5000/a@${DIGEST}` }), [/must have no digest/]],
    [
      'several at once',
      () => inputs({ skipPush: 'no' }, { argz: {}, target: 3 }),
      [/build.argz is not/, /build.target must be a string/, /skipPush must be/],
    ],
    ['no context', () => inputs({}, { context: path.join(scratch.directory, 'nowhere') }), [/nowhere is no directory/]],
    ['no Dockerfile', () => inputs({}, { dockerfile: 'Dockerfile.other' }), [/Dockerfile.other does not exist/]],
    [
      'an argument that would change the builder',
      () => inputs({}, { args: { PATH: 'x', DOCKER_HOST: 'y' } }),
      [/DOCKER_HOST is read by docker itself/, /PATH is read by/],
    ],
    ['a bad platform', () => inputs({}, { platform: 'amd64' }), [/like linux\/amd64/]],
  ])('%s is refused', async (_, given, reasons) => {
    const { failures = [] } = await check(given());
    const text = failures.map((failure) => failure.reason).sort();
    expect(text).toHaveLength(reasons.length);
    reasons.forEach((reason, index) => expect(text[index]).toMatch(reason));
  });

  test('an unknown name or argument passes', async () => {
    expect((await check(inputs({ imageName: unknown }, { args: { BASE: unknown } }))).failures).toEqual([]);
  });

  test('another type is refused by name', () => {
    const refuse = (): unknown =>
      dockerProvider().diff?.(
        { id: '', olds: {}, oldInputs: {}, news: {}, ignoreChanges: [] },
        context('docker:index/container:Container'),
      );
    expect(refuse).toThrow(/docker:index\/container:Container.*pulumi plugin install/s);
  });
});

describe('diff', () => {
  const stateOf = async (given: PropertyMap): Promise<[PropertyMap, PropertyMap]> => {
    const { inputs: checked } = await check(given);
    return [(await create(given)).outputs, checked];
  };

  test('the same inputs are no change, nor are other credentials', async () => {
    const [state, checked] = await stateOf(
      inputs({ registry: { server: 's', username: 'u', password: new Secret('one') } }),
    );
    expect(diff(state, checked).changes).toBe(false);
    expect(
      diff(state, { ...checked, registry: { server: 's', username: 'v', password: new Secret('two') } }).changes,
    ).toBe(false);
    expect(diff(state, { ...checked, registry: { server: 't' } }).detailed).toEqual({ 'registry.server': 'update' });
  });

  test('a changed file or argument is an update, never a replacement', async () => {
    const [state] = await stateOf(inputs());
    fs.writeFileSync(path.join(scratch.app, 'new'), 'x');
    const { inputs: changed } = await check(inputs({}, { args: { A: '1' } }));
    expect(diff(state, changed)).toEqual({
      changes: true,
      detailed: { 'build.contextDigest': 'update', 'build.args.A': 'add' },
    });
  });

  test('an unknown argument is a change', async () => {
    const [state] = await stateOf(inputs({}, { args: { BASE: 'x' } }));
    const { inputs: changed } = await check(inputs({}, { args: { BASE: unknown } }));
    expect(diff(state, changed).detailed).toMatchObject({ 'build.args.BASE': 'update' });
  });
});

describe('create', () => {
  test('a preview calls no docker and knows everything but the digest', async () => {
    const { outputs } = await create(inputs(), dockerProvider(), true);
    expect(outputs['repoDigest']).toBe(unknown);
    expect(outputs['imageName']).toBe('localhost:5000/team/app:dev');
    expect(fs.existsSync(path.join(scratch.directory, 'bin', 'calls'))).toBe(false);
  });

  test('builds with the old builder, pushes, and returns the digest in the vendor’s state', async () => {
    const { id, outputs } = await create(
      inputs({}, { target: 'prod', cacheFrom: { images: ['localhost:5000/c'] }, addHosts: ['h:1.2.3.4'] }),
    );
    expect(id).toBe('localhost:5000/team/app:dev');
    expect(outputs).toMatchObject({
      repoDigest: `localhost:5000/team/app@${DIGEST}`,
      baseImageName: id,
      dockerfile: 'Dockerfile',
      context: scratch.app,
      registryServer: '',
    });
    expect(outputs['__inputs']).toBeInstanceOf(Secret);
    const [build, push] = calls();
    expect(build?.args.join(' ')).toBe(
      `build --tag ${id} --file ${path.join(scratch.app, 'Dockerfile')} --network host --target prod --cache-from localhost:5000/c --add-host h:1.2.3.4 ${scratch.app}`,
    );
    expect([build?.DOCKER_BUILDKIT, push?.args]).toEqual(['0', ['push', id]]);
  });

  test('a local image is not pushed, and its digest is its id', async () => {
    const { outputs } = await create(inputs({ skipPush: true, imageName: 'app' }));
    expect(outputs['repoDigest']).toBe(DIGEST);
    expect(calls().map(({ args }) => args[0])).toEqual(['build', 'image']);
  });

  test('credentials go to a login of its own, on its input, and nothing of them stays', async () => {
    const registry = { username: 'me', password: new Secret('canary-password') };
    await create(inputs({ registry }));
    const [, login, build, push] = calls();
    expect(login).toMatchObject({
      args: ['login', '--username', 'me', '--password-stdin', 'localhost:5000'],
      input: 'canary-password',
    });
    expect(build?.DOCKER_CONFIG).toBe(login?.DOCKER_CONFIG);
    expect(push?.DOCKER_CONFIG).toBe(login?.DOCKER_CONFIG);
    expect(fs.existsSync(login?.DOCKER_CONFIG ?? '')).toBe(false);
    expect(calls().some(({ args }) => args.join(' ').includes('canary'))).toBe(false);
  });

  test('an argument’s value is in the environment, in no command line, line or message', async () => {
    answer({
      build: { code: 1, out: 'Step 1/2 : FROM scratch\nStep 2/2 : RUN echo canary-token\ncanary-token: not found\n' },
    });
    const failed = (await create(inputs({}, { args: { TOKEN: new Secret('canary-token') } })).catch(
      (error: unknown) => error,
    )) as Error;
    expect(calls()[0]).toMatchObject({ TOKEN: 'canary-token' });
    expect(calls()[0]?.args).toContain('TOKEN');
    expect(calls()[0]?.args.join(' ') + lines.join('\n') + failed.message).not.toContain('canary');
    expect(failed.message).toMatch(/failed at step 2\/2: RUN echo \[secret\]\n(.*\n)*.*\[secret\]: not found$/);
    expect(lines[0]).toMatch(/^warning build.args.TOKEN is secret/);
  });

  test.each<[string, string, RegExp]>([
    [
      'no engine',
      'Cannot connect to the Docker daemon at unix:///x/d.sock. Is the docker daemon running?',
      /^No Docker engine answers at unix:\/\/\/x\/d.sock\.\n.*To mend it: start it/,
    ],
    [
      'no access',
      'permission denied while trying to connect to the Docker daemon socket',
      /^The Docker engine refuses this user/,
    ],
  ])('%s is one clear error', async (_, err, message) => {
    answer({ build: { code: 1, err } });
    await expect(create(inputs())).rejects.toThrow(message);
  });

  test('no docker command is one clear error', async () => {
    process.env['PATH'] = scratch.app;
    await expect(create(inputs())).rejects.toThrow(/no docker command on PATH.*To mend it: install Docker/s);
  });

  test('a registry that is not there is named', async () => {
    answer({ push: { code: 1, err: 'dial tcp 127.0.0.1:5000: connect: connection refused' } });
    await expect(create(inputs())).rejects.toThrow(
      /Pushing localhost:5000\/team\/app:dev failed.*see that the registry runs/s,
    );
  });

  test('the provider’s own host is used; its registryAuth is refused with what to do instead', async () => {
    const provider = dockerProvider();
    await provider.configure?.({ args: { host: 'tcp://engine:1' }, variables: new Map() }, context());
    await create(inputs(), provider);
    expect(calls()[0]?.DOCKER_HOST).toBe('tcp://engine:1');
    const configure = (): unknown =>
      dockerProvider().configure?.({ args: { registryAuth: [{}] }, variables: new Map() }, context());
    expect(configure).toThrow(/registryAuth.*set registry on the Image/s);
  });
});
