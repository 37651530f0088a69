import { ArchiveKeys } from '../../components/database-archive-keys';
import { DatabaseRecovery } from '../../components/database-recovery';
import { Cluster, until } from '../support/cluster';
import { imageOf, registryOf } from '../cluster/support/images';
import { ObjectStorage } from '../cluster/support/object-storage';
import { promote, Region } from '../cluster/support/recovery';

jest.setTimeout(300_000);

const USER = { id: 'canary-of-the-id', secret: 'canary-of-the-access' };
const PASSPHRASE = 'canary-of-the-passphrase';
const PASSWORDS = { first: 'canary-password-first', second: 'canary-password-second' };
const NAMES = { store: 'trellis-test-store', first: 'trellis-test-first', second: 'trellis-test-second' };

/** Two namespaces stand for two regions: they share the object storage, which is in a third, and nothing else. */
describe('a region that is lost, with a standby in another that knows its archive alone', () => {
  let cluster: Cluster;
  let first: Region;
  let second: Region;
  let moment: Date;

  const measured = (what: string, since: number): void => {
    process.stderr.write(`      ${what}: ${((Date.now() - since) / 1000).toFixed(1)} s\n`);
  };
  /** The server is killed without a word of farewell, and then everything else of the region goes. */
  const lose = async (): Promise<void> => {
    await cluster.remove(`/apis/apps/v1/namespaces/${NAMES.first}/statefulsets/postgres`, 'Orphan');
    const path = `/api/v1/namespaces/${NAMES.first}/pods/postgres-0`;
    await cluster.send({ method: 'DELETE', path, body: { gracePeriodSeconds: 0 } });
    await cluster.remove(`/api/v1/namespaces/${NAMES.first}`);
  };
  const rows = (region: Region, name: string): Promise<string> =>
    region.look(name, "select string_agg(what, ',' order by id) from proof");

  beforeAll(async () => {
    cluster = new Cluster();
    const image = await imageOf(cluster, 'apps/v1/statefulsets/postgres');
    const store = await ObjectStorage.start(cluster, NAMES.store, registryOf(image), USER);
    first = new Region(cluster, NAMES.first, image, store);
    second = new Region(cluster, NAMES.second, image, store);
    const authority = { 'ca.crt': store.authority };
    await first.create({ 'store-ca': authority });
    const keys = { PASSPHRASE, ACCESS_KEY_ID: USER.id, SECRET_ACCESS_KEY: USER.secret };
    await second.create({ 'store-ca': authority, 'archive-keys': keys });
    await store.ready();
  });
  afterAll(async () => {
    for (const name of Object.values(NAMES)) await cluster.remove(`/api/v1/namespaces/${name}`);
  });

  test('the primary archives its log and makes a base backup', async () => {
    const keys = ArchiveKeys.of({ passphrase: PASSPHRASE, access: USER });
    await first.apply('postgres', { password: PASSWORDS.first, archive: first.archive('/first', keys) });
    await first.ready('postgres');
    const since = Date.now();
    await first.sql('postgres', "create table proof (id serial, what text); insert into proof (what) values ('one')");
    await until('a base backup', async () =>
      /full backup: /.test(await first.run('postgres', 'pgbackrest-repository', 'archive', 'info')),
    );
    measured('from an empty database to its first base backup', since);
  });

  test('the standby fills itself from the archive, follows it, and writes nothing', async () => {
    moment = new Date(await first.look('postgres', 'select now()'));
    await first.sql('postgres', "insert into proof (what) values ('two')");
    const since = Date.now();
    const recovery = DatabaseRecovery.standby(second.archive('/first'));
    const own = { password: PASSWORDS.second, archive: second.archive('/second') };
    await second.apply('postgres', { ...own, recovery });
    await second.ready('postgres');
    await until('the second row', async () => (await rows(second, 'postgres')) === 'one,two');
    measured('from nothing to a standby that is current', since);
    await expect(second.look('postgres', "insert into proof (what) values ('no')")).rejects.toThrow('read-only');

    const written = Date.now();
    await first.sql('postgres', "insert into proof (what) values ('three')");
    await until('the third row', async () => (await rows(second, 'postgres')) === 'one,two,three');
    measured('from a commit to the standby, which is what can be lost', written);
  });

  test('the standby is promoted by one command when the first region is gone with its volume', async () => {
    const since = Date.now();
    await lose();
    const said = await promote(NAMES.second, 'postgres');
    // The file of the log begins with the timeline: the old primary's was the first.
    expect(said).toMatch(/^promoted: the log goes on at 00000002[0-9A-F]{16}$/);
    await until('a row with the password of this region', () =>
      second.sql('postgres', "insert into proof (what) values ('four') returning what"),
    );
    measured('from the loss to the first write', since);
    expect(await rows(second, 'postgres')).toBe('one,two,three,four');
    expect(await promote(NAMES.second, 'postgres')).toMatch(/is a primary already/);
  });

  test('it archives to its own place from then on, and what the lost one wrote is as it was', async () => {
    const info = (repository: string): Promise<string> =>
      second.run('postgres', 'pgbackrest-repository', repository, 'info');
    // The first lines say whether a backup runs on this server, to whichever place.
    const archived = async (): Promise<string> => (await info('source')).replace(/^.*?db \(current\)/s, '');
    const before = await archived();
    const own = await until('a base backup of the promoted server', async () => {
      const found = await info('archive');
      return /full backup: /.test(found) && found;
    });
    expect(own).toMatch(/wal archive min\/max \(15\): 00000002[0-9A-F]{16}/);
    expect(before).toMatch(/wal archive min\/max \(15\): 00000001[0-9A-F]{16}\/00000001/);
    expect(await archived()).toBe(before);
  });

  test('a moment of the lost server is brought back beside it', async () => {
    const since = Date.now();
    const recovery = DatabaseRecovery.primary(second.archive('/first'), { to: moment });
    await second.apply('rewound', { password: PASSWORDS.second, recovery });
    await second.ready('rewound');
    await until('writes', () => second.sql('rewound', "insert into proof (what) values ('else') returning what"));
    measured('from nothing to the moment that was asked for', since);
    expect(await rows(second, 'rewound')).toBe('one,else');
  });

  test('no secret is in a pod, or in what it says', async () => {
    const shown = `${JSON.stringify(await second.pods())}${await second.logs()}`;
    expect(shown).toContain('restoring from the repository');
    expect(shown).not.toMatch(/canary/);
  });
});
