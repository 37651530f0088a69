import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { SYSTEMS } from '../../../charts/environment-variables';
import { settingProblems, settingsOf, variablesPage, VariableType } from '../../../charts/variables';
import { NOA_SERVER_VARIABLES } from '../../../charts/noa-server';
import { environmentOf, podsOf, renderSystem } from './platform';

const all = NOA_SERVER_VARIABLES.flatMap(({ variables }) => variables);

describe('docs/environment-variables.md', () => {
  it('is what the tables say; to mend it: npm run docs:variables', () => {
    const page = readFileSync(path.resolve(__dirname, '../../../docs/environment-variables.md'), 'utf8');
    expect(page).toBe(variablesPage(SYSTEMS));
  });
});

describe('the variables of Noa Server', () => {
  it('are more than fifty in seven categories, each named once', () => {
    expect(NOA_SERVER_VARIABLES).toHaveLength(7);
    expect(all.length).toBeGreaterThanOrEqual(50);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  });

  it.each(all.filter(({ origin }) => origin === 'setting').map((one) => [one.name, one] as const))(
    '%s has a default that its own type takes',
    (_name, { type, default: value }) => expect(type.problem(value ?? 'none')).toBeUndefined(),
  );

  it('are refused where a name or a value is wrong, and where the chart has the say', () => {
    expect(
      settingProblems(NOA_SERVER_VARIABLES, { LOG_LEVEL: 'warn', TZ: 'mars', PORT: '1', DATABASE_URL: 'x', NONE: '' }),
    ).toEqual({
      TZ: 'must be a time zone such as UTC or Europe/Berlin',
      PORT: 'cannot be set, since it comes from the chart',
      DATABASE_URL: 'cannot be set, since it comes from a connection',
      NONE: 'is not a known variable',
    });
  });

  it('go to the services that have them', () => {
    const given = { LOG_LEVEL: 'warn', UI_TITLE: 'Mine' };
    expect(settingsOf(NOA_SERVER_VARIABLES, 'ui', given)).toMatchObject(given);
    expect(settingsOf(NOA_SERVER_VARIABLES, 'mcp', given)).not.toHaveProperty('UI_TITLE');
  });
});

describe.each(['dev', 'staging', 'prod'])('pods of %s have exactly the variables of the tables', (environment) => {
  it.each(SYSTEMS.flatMap((system) => system.services.map((service) => [service, system] as const)))(
    '%s',
    async (service, { title, categories }) => {
      const objects = await renderSystem(title === 'NoodleCore' ? 'noodle-core' : 'noa-server', environment);
      const pod = podsOf(objects).get(service);
      // What an environment leaves out, such as Nginx, has no variables there.
      if (pod === undefined) {
        expect([service, environment]).toEqual(['nginx', expect.not.stringMatching('staging')]);
        return;
      }
      const found = environmentOf(pod);
      const known = categories
        .flatMap(({ variables }) => variables)
        .filter(({ services }) => services.includes(service));
      const optional = known.filter(({ default: value }) => value === '').map(({ name }) => name);
      expect(Object.keys(found).sort()).toEqual(
        known
          .map(({ name }) => name)
          .filter((name) => !optional.includes(name) || name in found)
          .sort(),
      );
      for (const { name, type, secret } of known) {
        const value = found[name];
        if (value === undefined) continue;
        expect([name, value.startsWith('secret:')]).toEqual([name, secret]);
        if (!secret) expect([name, type.problem(value)]).toEqual([name, undefined]);
      }
    },
  );
});

describe('types of variables', () => {
  it.each([
    ['integer', VariableType.integer(-5, 10), ['-5', '10'], ['11', '1.5', '1e1', '', ' 1']],
    ['number', VariableType.number(0, 2), ['0', '1.25', '2'], ['2.01', '.5', 'NaN']],
    ['flag', VariableType.flag(), ['true', 'false'], ['yes', 'TRUE', '1']],
    ['choice', VariableType.choice('a', 'b'), ['a', 'b'], ['c', 'A', '']],
    ['line', VariableType.line(2, 3), ['ab', 'abc'], ['a', 'abcd', 'a\nb']],
    ['list', VariableType.list(/^[a-z]+$/, 'words'), ['', 'a', 'a,b'], ['a,', 'A', 'a, b']],
    ['url', VariableType.url('https'), ['https://a.example/x'], ['http://a', 'https://', 'a.example']],
    ['path', VariableType.path(), ['/a/b.c'], ['a', '/', '/a/../b', '/a b']],
  ] as const)('%s', (_name, type, good, bad) => {
    expect(good.filter((text) => type.problem(text) !== undefined)).toEqual([]);
    expect(bad.filter((text) => type.problem(text) === undefined)).toEqual([]);
  });
});
