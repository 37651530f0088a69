import { readSettings } from '../../../stacks/render';
import { pick, renderSettings } from './platform';

const SYSTEMS = ['noodle-core', 'noa-server'] as const;

test.each(['dev', 'staging', 'prod'])('%s without backups has nothing of them, and all else', async (environment) => {
  const settings = await readSettings(environment);
  const { noodleCore, noaServer } = settings;
  const off = <T extends { readonly backup: object }>(own: T): T => ({
    ...own,
    backup: { ...own.backup, enabled: false },
  });
  const of = (all: ReturnType<typeof renderSettings>) =>
    all.filter(({ path }) => SYSTEMS.some((system) => path.startsWith(`${system}/`)));
  const whole = of(renderSettings(settings)).map(({ path }) => path);
  const without = of(renderSettings({ ...settings, noodleCore: off(noodleCore), noaServer: off(noaServer) }));
  const gone = whole.filter((path) => !without.some((one) => one.path === path));
  expect(gone.filter((path) => /\/(Backup|Drill)|backup-status/.test(path))).toEqual(gone);
  for (const system of SYSTEMS) expect(gone.filter((path) => path.startsWith(system)).length).toBeGreaterThan(5);
  expect(without.map(({ path }) => path).filter((path) => !whole.includes(path))).toEqual([]);
  expect(without.filter(({ kind }) => kind === 'CronJob').map(({ path }) => path)).toEqual([]);
});

test('a bucket may have an authority of its own', async () => {
  const settings = await readSettings('prod');
  const { noodleCore } = settings;
  const target = { ...noodleCore.backup.target, authoritySecretName: 'own' };
  const objects = renderSettings({
    ...settings,
    noodleCore: { ...noodleCore, backup: { ...noodleCore.backup, target } },
  });
  const own = objects.filter(({ namespace }) => namespace === 'noodle-core');
  const { volumes } = pick(own, 'batch/v1/CronJob', 'postgres-backup').spec.jobTemplate.spec.template.spec;
  expect(volumes?.find(({ name }) => name === 'authority')?.secret).toMatchObject({
    secretName: 'own',
    items: [{ key: 'ca.crt', path: 'ca.crt' }],
  });
});
