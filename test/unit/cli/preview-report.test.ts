import { planned, previewReport, type Planning } from '../../../cli/preview-report';
import type { Plan, PlannedChange } from '../../../local/engine/preview';

const change = (action: PlannedChange['action'], name: string, ...fields: PlannedChange['fields']): PlannedChange => ({
  ...{ action, fields },
  resource: `ConfigMap ${name}`,
});
const plan = (...changes: readonly PlannedChange[]): Plan => ({ changes, unchanged: 7 });
const written = (...plannings: readonly Planning[]): string => previewReport('Preview', plannings, 65_536);

describe('a report of previews', () => {
  const text = written(
    {
      stack: 'dev',
      plan: plan(
        change('create', 'fresh'),
        change('update', 'web', { field: 'data.A', left: 'a|b', right: '(secret)', forces: false }),
        change('replace', 'job', { field: 'spec.template', left: 1, right: 2, forces: true }),
        change('delete', 'old'),
      ),
    },
    { stack: 'staging', plan: plan() },
    { stack: 'prod', reason: 'no context <trellis-prod>\n```\nsecond line' },
  );

  test('begins with what happens to each stack', () => {
    expect(text.split('\n').slice(0, 7)).toEqual([
      '## Preview',
      '',
      '| stack | replaced | deleted | changed | created | unchanged |',
      '| --- | --- | --- | --- | --- | --- |',
      '| dev | 1 | 1 | 1 | 1 | 7 |',
      '| staging | 0 | 0 | 0 | 0 | 7 |',
      "| prod | can't be previewed |  |  |  |  |",
    ]);
  });

  test('names each change, what is lost first', () => {
    const titles = [...text.matchAll(/^\*\*(.+)\*\*$/gm)].map(([, title]) => title);
    expect(titles).toEqual(['Replaced: made anew', 'Deleted', 'Changed', 'Created']);
    const lines = text.split('\n');
    expect(lines).toContain('| `data.A` | `a\\|b` | `(secret)` |');
    expect(lines).toContain('| `spec.template` **forces it** | `1` | `2` |');
    expect(lines).toContain('- ConfigMap old');
    expect(lines).toContain('- ConfigMap fresh');
  });

  test('says why a stack can’t be previewed, as text that nothing ends', () => {
    expect(text).toContain("### prod can't be previewed\n\n    no context <trellis-prod>\n    ```\n    second line\n");
  });

  test('is cut to what a comment can hold, and says how to see the rest', () => {
    const many = Array.from({ length: 2000 }, (_, index) =>
      change('update', `c${index}`, { field: 'data.A', left: 'x'.repeat(80), right: 'y', forces: false }),
    );
    const long = written({ stack: 'dev', plan: plan(...many) }, { stack: 'prod', plan: plan(...many) });
    expect(long.length).toBeLessThanOrEqual(65_536);
    expect(long).toMatch(/_\d+ more are not shown here; all of them: `\.\/trellis preview -s prod --diff`_/);
  });
});

test('a plan in one line', () => {
  expect(planned(plan())).toBe('no changes, 7 resources');
  expect(planned(plan(change('delete', 'a'), change('create', 'b'), change('create', 'c')))).toBe(
    '1 to delete, 2 to create, 7 unchanged',
  );
});
