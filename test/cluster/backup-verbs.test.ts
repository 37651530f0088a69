import { startTrellis, trellis } from '../support/cluster';

jest.setTimeout(300_000);

describe('backup and restore of a database of the dev stack', () => {
  test('back a database up, restore it for practice, and show its archives', async () => {
    const { stdout } = await trellis('backup', 'noa-server/postgres', '--drill');
    const [, archive = 'none'] =
      /^ {2}noa-server-dev\/postgres +(postgres-[0-9TZ]+) +[0-9.]+ [KM]?i?B +sha256:[0-9a-f]{64} +proved$/m.exec(
        stdout,
      ) ?? [];
    expect(archive).not.toBe('none');
    expect((await trellis('restore', 'noa-server/postgres', '--list')).stdout).toContain(archive);
  });

  test('refuse what would overwrite data, and say what they would do', async () => {
    const asked = await startTrellis(['restore', 'noa-server/postgres', '--from', 'latest']).exited;
    expect(asked).toMatchObject({ code: 2 });
    expect(asked.output).toContain('Nothing is scaled down');
    const refused = await startTrellis(['restore', 'noa-server/postgres', '--from', 'latest', '--yes']).exited;
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.output).toContain('there is data in postgres already: nothing was changed');
  });
});
