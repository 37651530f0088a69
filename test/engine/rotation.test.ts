import { root } from '../../local/paths';
import type { Rotations } from '../../stacks/rotation';
import { Engine } from '../support/engine';

jest.setTimeout(180_000);

describe('the steps of a rotation under the real engine', () => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await Engine.create();
  });
  afterAll(() => engine.dispose());

  const deploy = (rotation: Rotations): ReturnType<Engine['run']> => {
    engine.program(`
      require('${root}/local/register-typescript');
      const { checkRotations } = require('${root}/stacks/last-rotation');
      const rotation = ${JSON.stringify(rotation)};
      await checkRotations(rotation);
      return { rotation };
    `);
    return engine.run('up', '--yes', '--skip-preview');
  };
  const step = (accepted: readonly number[], used: number) => deploy({ store: { accepted: [...accepted], used } });
  const accepted = async (...numbers: Parameters<typeof step>): Promise<void> => {
    const { code, output } = await step(...numbers);
    expect([code, code === 0 ? '' : output]).toEqual([0, '']);
  };

  test('are compared with what the deployment before left, and a refused one leaves nothing', async () => {
    await accepted([2], 2);
    const early = await step([2, 3], 3);
    expect(early.code).not.toBe(0);
    expect(early.output).toContain('trellis:store.password.used: must be a password that servers accept');
    await accepted([2, 3], 2);
    const hasty = await step([3], 3);
    expect(hasty.code).not.toBe(0);
    expect(hasty.output).toContain('trellis:store.password.accepted: must hold 2 as long as clients use it');
    expect((await engine.resources()).filter(({ type }) => !type.startsWith('pulumi:'))).toEqual([]);
  });
});
