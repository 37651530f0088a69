import { atMost, isBusy, summary, table } from '../../../bench/statistics';

test.each([
  [[3, 1, 2], { minimum: 1, median: 2, maximum: 3 }],
  [[4, 1, 3, 2], { minimum: 1, median: 2.5, maximum: 4 }],
  [[7], { minimum: 7, median: 7, maximum: 7 }],
])('the summary of %j is %j', (figures, expected) => expect(summary(figures)).toEqual(expected));

test('no run has no summary', () => expect(() => summary([])).toThrow(RangeError));

test('a bar is met up to and with its own figure', () => {
  expect(atMost(0.35, 0.35, 's')).toEqual({ text: '≤ 0.35 s', met: true });
  expect(atMost(6.1, 6)).toEqual({ text: '≤ 6', met: false });
});

test('a machine is busy from a load above half of its cores on', () => {
  expect([isBusy(1, 2), isBusy(1.1, 2)]).toEqual([false, true]);
});

test('a table is one that Markdown shows', () => {
  const rows = [
    ['what', 'median'],
    ['a', '1.25'],
  ];
  expect(table(rows)).toBe('| what | median |\n| ---- | -----: |\n| a    |   1.25 |');
});
