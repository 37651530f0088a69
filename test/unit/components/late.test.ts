import * as pulumi from '@pulumi/pulumi';
import { App, Chart } from 'cdk8s';
import * as fc from 'fast-check';
import { ValidationError } from '../../../components/errors';
import type { Late } from '../../../components/late';
import { LateTokens } from '../../../components/late';
import { newChart } from '../../support/synth';

const setup = () => {
  const chart = newChart();
  return { chart, tokens: LateTokens.of(chart) };
};

test('a literal stays as it is, and is no token', () => {
  const { chart, tokens } = setup();
  expect(tokens.asString(chart, 'plain')).toBe('plain');
  expect(LateTokens.isToken('plain')).toBe(false);
});

test('the same late value has the same token, another one another', () => {
  const { chart, tokens } = setup();
  const [a, b] = [pulumi.output('x'), pulumi.output('x')];
  expect(tokens.asString(chart, a)).toBe(tokens.asString(chart, a));
  expect(tokens.asString(chart, b)).not.toBe(tokens.asString(chart, a));
});

test.each<[string, Late]>([
  ['an Output', pulumi.output('x')],
  ['a Promise', Promise.resolve('x')],
  ['anything with apply', { apply: (transform) => transform('x') }],
])('%s may be late', (_what, value) => {
  const { chart, tokens } = setup();
  const token = tokens.asString(chart, value);
  expect(LateTokens.isToken(token)).toBe(true);
  expect(tokens.lookup(token)).toEqual({ value, secret: false, origin: 'test' });
});

test.each([undefined, null, 5, true, {}])('%p may not be late', (value) => {
  const { chart, tokens } = setup();
  expect(() => tokens.asString(chart, value as never)).toThrow(ValidationError);
});

test('a token survives template literals, host names and JSON', () => {
  const { chart, tokens } = setup();
  const token = tokens.asString(chart, pulumi.output('x'));
  expect(token).toMatch(/^[a-z]([a-z0-9]*[a-z0-9])?$/);
  const text = `https://${token}.example.com/${token}`;
  expect(LateTokens.isToken(text)).toBe(true);
  expect(LateTokens.split(JSON.parse(JSON.stringify(text)) as string).filter((part) => part.token)).toHaveLength(2);
});

describe('secrets', () => {
  test('a literal gets a token, so that it is in no manifest', () => {
    const { chart, tokens } = setup();
    const token = tokens.asSecret(chart, 'canary');
    expect(token).not.toContain('canary');
    expect(tokens.lookup(token)).toMatchObject({ value: 'canary', secret: true });
  });

  test('a value that was plain before is secret from then on', () => {
    const { chart, tokens } = setup();
    const value = pulumi.output('x');
    const token = tokens.asString(chart, value);
    expect(tokens.asSecret(chart, value)).toBe(token);
    expect(tokens.asString(chart, value)).toBe(token);
    expect(tokens.lookup(token)?.secret).toBe(true);
  });

  test('a text with tokens stays, and what stands behind them becomes secret', () => {
    const { chart, tokens } = setup();
    const token = tokens.asString(chart, pulumi.output('x'));
    expect(tokens.asSecret(chart, `user:${token}`)).toBe(`user:${token}`);
    expect(tokens.lookup(token)?.secret).toBe(true);
  });
});

test('one registry an App: charts share it, Apps do not', () => {
  const app = new App();
  const [one, two] = [new Chart(app, 'one'), new Chart(app, 'two')];
  expect(LateTokens.of(one)).toBe(LateTokens.of(two));
  expect(LateTokens.of(one)).not.toBe(LateTokens.of(newChart()));
});

test('the origin is the construct that brought the value in first', () => {
  const app = new App();
  const [one, two] = [new Chart(app, 'one'), new Chart(app, 'two')];
  const value = pulumi.output('x');
  LateTokens.of(one).asString(one, value);
  expect(LateTokens.of(app).lookup(LateTokens.of(two).asString(two, value))?.origin).toBe('one');
});

test('splitting loses nothing and finds every token', () => {
  const part = fc.oneof(
    fc.record({ text: fc.constantFrom('xlate000001x', 'xlate123456x'), token: fc.constant(true) }),
    fc.record({ text: fc.stringMatching(/^[^x]{1,9}$/), token: fc.constant(false) }),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const text = parts.map((one) => one.text).join('');
      const found = LateTokens.split(text);
      expect(found.map((one) => one.text).join('')).toBe(text);
      expect(found.filter((one) => one.token)).toEqual(parts.filter((one) => one.token));
      expect(LateTokens.isToken(text)).toBe(parts.some((one) => one.token));
    }),
  );
});
