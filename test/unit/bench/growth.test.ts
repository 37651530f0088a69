import type { App } from 'cdk8s';
import { ApiObject } from 'cdk8s';
import { benchObjects, benchPlatform, layeredApp } from '../../../bench/platform';
import { render } from '../../../bridge/render';

jest.setTimeout(120_000);

/** Processor time of the fastest of several runs: the clock would count what else the machine does. */
function fastest(runs: number, work: () => void): number {
  const times = Array.from({ length: runs }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  return Math.min(...times);
}

/** How often objects were synthesized while an App was rendered. */
function synthesesOf(app: App): number {
  const spy = jest.spyOn(ApiObject.prototype, 'toJson');
  try {
    render(app);
    return spy.mock.calls.length;
  } finally {
    spy.mockRestore();
  }
}

describe('what is rendered', () => {
  test.each([100, 1000])(
    'has exactly the %d objects that were asked for, in small namespaces and in one',
    (objects) => {
      expect(benchObjects({ objects })).toHaveLength(objects);
      expect(benchObjects({ objects, perNamespace: objects })).toHaveLength(objects);
    },
  );

  test.each([
    ['namespaces of 100', 100],
    ['one namespace', 1000],
  ])('is synthesized once an object in %s, quotas and checks included', (_, perNamespace) => {
    expect(synthesesOf(benchPlatform({ objects: 1000, perNamespace }))).toBe(1000);
  });

  // What grows with the square of the objects takes 25 times as long; a larger heap alone costs some.
  test.each<[string, number, (objects: number) => number]>([
    ['more namespaces', 6, () => 100],
    ['a larger namespace', 9, (objects) => objects],
  ])('five times the objects in %s take at most %d times as long', (_, most, perNamespace) => {
    const work = (objects: number) => () => void benchObjects({ objects, perNamespace: perNamespace(objects) });
    // Warm first: a compiler that still works would make the small one slow and hide growth.
    work(1000)();
    let ratio = Infinity;
    for (let attempt = 0; attempt < 4 && ratio > most; attempt += 1) {
      const small = fastest(3, work(1000));
      ratio = Math.min(ratio, fastest(2, work(5000)) / small);
    }
    expect(ratio).toBeLessThanOrEqual(most);
  });

  test('ten layers of twenty objects end, each after all of the layer below', () => {
    const objects = render(layeredApp(10, 20));
    const place = new Map(objects.map(({ path }, index) => [path, index]));
    expect(objects).toHaveLength(200);
    expect(objects.flatMap(({ dependsOn }) => dependsOn)).toHaveLength(9 * 20 * 20);
    for (const { path, dependsOn } of objects) {
      for (const other of dependsOn) expect(place.get(other)).toBeLessThan(place.get(path) ?? 0);
    }
  });
});
