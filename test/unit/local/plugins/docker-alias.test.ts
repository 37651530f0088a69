import { calls, create, DIGEST, inputs, withFakeDocker } from './docker-support';

withFakeDocker();

describe('a registry that this host reaches under another name', () => {
  beforeEach(() => {
    process.env['TRELLIS_REGISTRY_ALIAS'] = 'localhost:5000=localhost:5001';
  });

  test('is built and pushed to under that name, bases included, while the state keeps the program’s', async () => {
    const args = { TOKEN: `localhost:5000/trellis/base@${DIGEST}` };
    const { id, outputs } = await create(inputs({}, { args }));
    const [build, push] = calls();
    expect(id).toBe('localhost:5000/team/app:dev');
    expect(outputs).toMatchObject({ repoDigest: `localhost:5000/team/app@${DIGEST}`, imageName: id });
    expect(build?.args.slice(0, 3)).toEqual(['build', '--tag', 'localhost:5001/team/app:dev']);
    expect(build?.TOKEN).toBe(`localhost:5001/trellis/base@${DIGEST}`);
    expect(push?.args).toEqual(['push', 'localhost:5001/team/app:dev']);
  });

  test('leaves other registries alone', async () => {
    await create(inputs({ imageName: 'registry.example.com/app:v1' }, { args: { TOKEN: 'localhost:50001/x' } }));
    const [build, push] = calls();
    expect([build?.TOKEN, push?.args]).toEqual(['localhost:50001/x', ['push', 'registry.example.com/app:v1']]);
  });
});
