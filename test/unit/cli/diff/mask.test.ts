import { masked } from '../../../../cli/diff/mask';

const sealed = (value: string) =>
  masked({ kind: 'SealedSecret', spec: { encryptedData: { PASSWORD: value }, template: { type: 'Opaque' } } });

test('values of a Secret are gone, its keys are not', () => {
  const made = masked({ kind: 'Secret', type: 'Opaque', data: { A: 'eA==' }, stringData: { B: 'x' } });
  expect(made).toEqual({ kind: 'Secret', type: 'Opaque', data: { A: '(secret)' }, stringData: { B: '(secret)' } });
});

test('of a ciphertext is shown that it is another one, and nothing else', () => {
  expect(sealed('AgB4long')).toEqual({
    kind: 'SealedSecret',
    spec: {
      encryptedData: { PASSWORD: expect.stringMatching(/^\(sealed [0-9a-f]{8}\)$/) as string },
      template: { type: 'Opaque' },
    },
  });
  expect(sealed('AgB4long')).toEqual(sealed('AgB4long'));
  expect(sealed('AgB4long')).not.toEqual(sealed('AgB5long'));
});

test('anything else is as it was', () => {
  const map = { kind: 'ConfigMap', data: { A: 'x' } };
  expect(masked(map)).toBe(map);
  expect(masked({ kind: 'SealedSecret' })).toEqual({ kind: 'SealedSecret' });
});
