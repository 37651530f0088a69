import * as pulumi from '@pulumi/pulumi';
import { checkRotations } from '../../../stacks/last-rotation';

const NOW = { store: { accepted: [1, 2], used: 2 } };
const CUT_OFF = 'invocation of pulumi:pulumi:readStackOutputs returned an error: failed to load checkpoint: EOF';

/** Answers requests for the stack's outputs in turn, the last one again and again: an error's text, or the outputs. */
async function answers(...all: readonly (string | object)[]): Promise<() => number> {
  let asked = 0;
  const mocks: pulumi.runtime.Mocks = {
    newResource: ({ name, inputs }) => ({ id: name, state: inputs as object }),
    call: () => {
      const answer = all[Math.min(asked, all.length - 1)] as string | object;
      asked += 1;
      // As gRPC has it.
      if (typeof answer === 'string') throw Object.assign(new TypeError(answer), { details: answer });
      return { outputs: answer };
    },
  };
  await pulumi.runtime.setMocks(mocks, 'trellis', 'dev', false, 'organization');
  return () => asked;
}

describe('the state of the last deployment', () => {
  test('is read again where the engine was writing it', async () => {
    const asked = await answers(CUT_OFF, CUT_OFF, { rotation: { store: { accepted: [1, 2], used: 1 } } });
    await expect(checkRotations(NOW)).resolves.toBeUndefined();
    expect(asked()).toBe(3);
  });

  test('is not taken for an empty one: what it says is refused after that too', async () => {
    await answers(CUT_OFF, { rotation: { store: { accepted: [1], used: 1 } } });
    await expect(checkRotations(NOW)).rejects.toThrow(
      'trellis:store.password.used: must be a password that servers accept',
    );
  });

  test('is an error where it stays unreadable', async () => {
    const asked = await answers(CUT_OFF);
    await expect(checkRotations(NOW)).rejects.toThrow('failed to load checkpoint: EOF');
    expect(asked()).toBe(20);
  });

  test('is asked for once where the engine refuses for another reason', async () => {
    const asked = await answers('unknown stack');
    await expect(checkRotations(NOW)).rejects.toThrow('unknown stack');
    expect(asked()).toBe(1);
  });
});
