import { first } from '../../../cli/suites/base';
import type { Step } from '../../../cli/steps';

const said: string[] = [];
const ui = { report: (line: string) => void said.push(line), progress: (line: string) => void said.push(line) };

test('what several suites rest on is made one after the other, and a failure is only that suite’s', async () => {
  const events: string[] = [];
  const step = (title: string, fails = false): Step => ({
    title,
    run: async ({ report }) => {
      events.push(`${title} begins`);
      report('works');
      await new Promise((resolve) => setTimeout(resolve, 5));
      events.push(`${title} ends`);
      if (fails) throw new RangeError(title);
    },
  });
  const ended = await Promise.allSettled([
    first(ui, [step('a'), step('b', true), step('never')]),
    first(ui, [step('c'), step('d')]),
  ]);
  expect(ended.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(events).toEqual(['a', 'b', 'c', 'd'].flatMap((title) => [`${title} begins`, `${title} ends`]));
  expect(said).toEqual(['a', 'b', 'c', 'd'].flatMap((title) => [title, `${title}: works`]));
});
