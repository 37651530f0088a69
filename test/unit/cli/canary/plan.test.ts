import { canaryPlan, canarySteps, objectiveShare } from '../../../../cli/canary/plan';
import { EXIT, exitCodeOf } from '../../../../cli/exit';
import { milliseconds } from '../../../../cli/time';

const config = (source = 'image:r/app:2') => ({
  'trellis:environment': 'development',
  'trellis:noodleCore': {
    namespace: 'noodle-core-dev',
    runtime: { source: 'build:images/app', canary: { source, weight: 0 } },
    ide: { source: 'build:images/app' },
  },
});
const codeOf = (act: () => unknown): number => {
  try {
    act();
    return EXIT.ok;
  } catch (error) {
    return exitCodeOf(error);
  }
};

test('a plan has the keys, the second version and the namespace', () => {
  expect(canaryPlan('noodleCore.runtime', 'dev', config())).toEqual({
    ...{ system: 'noodleCore', service: 'runtime', source: 'image:r/app:2', weight: 0, namespace: 'noodle-core-dev' },
    weightKey: 'noodleCore.runtime.canary.weight',
  });
});

test.each(['noodleCore.ide', 'noodleCore.web', 'shop.runtime', 'runtime', 'noodleCore.runtime.canary', ''])(
  'a service without a canary is refused with those that have one: %j',
  (name) => {
    const act = (): unknown => canaryPlan(name, 'dev', config());
    expect(act).toThrow(`There is no service '${name}' with a canary. There are: noodleCore.runtime.`);
    expect(codeOf(act)).toBe(EXIT.usage);
  },
);

test('the image that the service has is no second version', () => {
  expect(() => canaryPlan('noodleCore.runtime', 'prod', config('build:images/app'))).toThrow(
    /has no second version to try: noodleCore.runtime.canary.source in Pulumi.prod.yaml .*\n {2}To mend it: pulumi config set --path trellis:noodleCore.runtime.canary.source/,
  );
});

test('weights rise, in whole percents', () => {
  expect(canarySteps('10, 25,50')).toEqual([10, 25, 50]);
  expect(canarySteps('100')).toEqual([100]);
});

test.each(['50,10', '10,10', '0,10', '10,101', '10,,20', '5.5', 'ten', ''])('%j are no weights', (text) => {
  expect(() => canarySteps(text)).toThrow('whole percents from 1 to 100, each above the one before');
  expect(codeOf(() => canarySteps(text))).toBe(EXIT.usage);
});

test.each([
  ['30s', 30_000],
  ['5m', 300_000],
  ['2h', 7_200_000],
])('%s is a time', (text, expected) => expect(milliseconds('--step-time', text)).toBe(expected));

test.each(['5', '0m', '-5m', '5 m', '1d', ''])('%j is no time', (text) =>
  expect(() => milliseconds('--step-time', text)).toThrow('--step-time takes a time such as 30s, 5m or 1h'),
);

test('an objective is a share of which an alert can be made', () => {
  expect(objectiveShare('0.999')).toBe(0.999);
  for (const text of ['1', '0.93', '99.9', '-0.99', 'NaN', ''])
    expect(() => objectiveShare(text)).toThrow('--objective takes the share of good requests, from 0.931 to below 1');
});
