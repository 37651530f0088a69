import { planSeal } from '../../../../cli/seal/plan';
import { randomValue, valueProblem } from '../../../../cli/seal/values';

const secret = (name: string) => ({ name, length: 32 });
const TARGETS = [
  { id: 'a/db', secrets: [secret('password'), secret('key')] },
  { id: 'a/web', secrets: [secret('password')] },
];
const none = new Set<string>();

describe('what is sealed', () => {
  it('is everything at first, each secret for all of its Secrets', () => {
    const plan = planSeal(TARGETS, {}, none);
    expect(plan.fresh).toEqual([
      { ...secret('password'), targets: ['a/db', 'a/web'] },
      { ...secret('key'), targets: ['a/db'] },
    ]);
    expect(plan).toMatchObject({ kept: { 'a/db': {}, 'a/web': {} }, dropped: [], problems: [] });
  });

  it('is what is missing and what is named later; the rest stays as it is, and what nobody needs goes', () => {
    const existing = { 'a/db': { password: '1', old: '2' }, 'a/web': { password: '3' }, 'b/db': { password: '4' } };
    const plan = planSeal(TARGETS, existing, none);
    expect(plan.fresh.map(({ name }) => name)).toEqual(['key']);
    expect(plan.kept).toEqual({ 'a/db': { password: '1' }, 'a/web': { password: '3' } });
    expect(plan.dropped).toEqual(['a/db.old', 'b/db.password']);
    const renewed = planSeal(TARGETS, existing, new Set(['password']));
    expect(renewed.fresh.map(({ name }) => name)).toEqual(['password', 'key']);
    expect(renewed.kept).toEqual({ 'a/db': {}, 'a/web': {} });
  });

  it('is refused where a second Secret needs a value that only the cluster knows, and where a name is wrong', () => {
    const { problems } = planSeal(TARGETS, { 'a/db': { password: '1', key: '2' } }, new Set(['nope']));
    expect(problems).toEqual([
      "there is no secret 'nope'; there are: key, password",
      'password is sealed for a/db alone, and a/web needs it too: its value is known to the cluster only; give it a new one with --rotate password',
    ]);
  });
});

describe('values', () => {
  it('are letters and digits of the length that was asked for, and never the same', () => {
    const values = Array.from({ length: 50 }, () => randomValue(48));
    for (const value of values) expect(value).toMatch(/^[A-Za-z0-9]{48}$/);
    expect(new Set(values).size).toBe(50);
  });

  it.each([
    ['short', 'the value has fewer than 8 characters'],
    ['canary value', expect.stringContaining('which a URL would need escaped')],
    ['canary-value', undefined],
  ])('that are brought in are checked and not shown: %s', (value, problem) =>
    expect(valueProblem(value)).toEqual(problem),
  );
});
