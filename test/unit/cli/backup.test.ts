import type * as Client from '@kubernetes/client-node';
import { archivesIn, jobFrom, outcomeOf, sizeOf, waitingFor } from '../../../cli/backup/job';
import { chosen, sourcesIn, theOne } from '../../../cli/backup/sources';
import type { CliError } from '../../../cli/exit';
import { checkFrom, warning } from '../../../cli/verbs/restore';

const cron = (namespace: string, name: string, role = 'backup', of = name, kind = 'postgres'): Client.V1CronJob => ({
  metadata: {
    name: `${name}-${role}`,
    namespace,
    uid: 'uid-1',
    labels: {
      'app.kubernetes.io/part-of': namespace.replace('-dev', ''),
      'trellis.dev/backup-of': of,
      'trellis.dev/backup-role': role,
    },
  },
  spec: {
    schedule: '@daily',
    jobTemplate: {
      metadata: { labels: { 'app.kubernetes.io/name': `${name}-${role}` } },
      spec: {
        backoffLimit: 2,
        activeDeadlineSeconds: 60,
        template: {
          spec: {
            restartPolicy: 'Never',
            containers: [
              {
                name: role,
                image: 'backup',
                env: [
                  { name: 'BACKUP_KIND', value: kind },
                  { name: 'BACKUP_NAME', value: name },
                  { name: 'BACKUP_TASK', value: role },
                ],
                volumeMounts: [
                  { name: 'data', mountPath: '/data', readOnly: true },
                  { name: 'key', mountPath: '/key', readOnly: true },
                  { name: 'archives', mountPath: '/backup' },
                ],
              },
            ],
          },
        },
      },
    },
  },
});

const all = sourcesIn([
  cron('shop-dev', 'postgres'),
  cron('shop-dev', 'postgres', 'drill'),
  cron('shop-dev', 'files-0', 'backup', 'files', 'volume'),
  cron('shop-dev', 'files-1', 'backup', 'files', 'volume'),
  cron('blog-dev', 'postgres'),
]);
const names = (sources: typeof all): readonly string[] => sources.map(({ namespace, name }) => `${namespace}/${name}`);

describe('what a stack backs up', () => {
  test('is each backup, with its own drill where there is one', () => {
    expect(names(all)).toEqual(['shop-dev/postgres', 'shop-dev/files-0', 'shop-dev/files-1', 'blog-dev/postgres']);
    expect(all.map(({ drill }) => drill?.metadata?.name)).toEqual(['postgres-drill', undefined, undefined, undefined]);
  });

  test.each([
    [[], ['shop-dev/postgres', 'shop-dev/files-0', 'shop-dev/files-1', 'blog-dev/postgres']],
    [['shop'], ['shop-dev/postgres', 'shop-dev/files-0', 'shop-dev/files-1']],
    [['postgres'], ['shop-dev/postgres', 'blog-dev/postgres']],
    [['shop/postgres'], ['shop-dev/postgres']],
    [
      ['blog-dev/postgres', 'files-1'],
      ['shop-dev/files-1', 'blog-dev/postgres'],
    ],
    [['shop/files'], ['shop-dev/files-0', 'shop-dev/files-1']],
  ])('%j means %j', (asked, expected) => {
    expect(names(chosen(all, asked))).toEqual(expected);
  });

  test('a name that means nothing is answered with those that there are', () => {
    expect(() => chosen(all, ['postgres', 'mysql'])).toThrow(
      "Nothing that is backed up is called 'mysql'. There are: shop/postgres, shop/files-0, shop/files-1, blog/postgres.",
    );
    expect(() => chosen([], ['x'])).toThrow('There are: none.');
  });

  test('a restore is of one thing', () => {
    expect(theOne(all, 'blog/postgres').namespace).toBe('blog-dev');
    expect(() => theOne(all, 'postgres')).toThrow("'postgres' may mean any of: shop/postgres, blog/postgres.");
  });
});

describe('a Job by hand', () => {
  const files = cron('shop-dev', 'files-0', 'backup', 'files', 'volume');

  test('is the template’s, with its task, tried once, and owned by the CronJob', () => {
    const job = jobFrom(files, { task: 'restore', env: { RESTORE_ARCHIVE: 'latest' } }, 36_000);
    expect(job.metadata).toMatchObject({
      name: 'files-0-backup-10',
      ownerReferences: [{ kind: 'CronJob', name: 'files-0-backup', uid: 'uid-1', controller: true }],
    });
    expect(job.spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 60 });
    expect(job.spec?.template.spec?.containers[0]?.env).toEqual([
      { name: 'BACKUP_KIND', value: 'volume' },
      { name: 'BACKUP_NAME', value: 'files-0' },
      { name: 'RESTORE_ARCHIVE', value: 'latest' },
      { name: 'BACKUP_TASK', value: 'restore' },
    ]);
  });

  test.each([
    ['restore', [undefined, true, undefined]],
    ['backup', [true, true, undefined]],
    ['list', [true, true, undefined]],
  ] as const)('of %s may write to what it has to, and to nothing else', (task, expected) => {
    const mounts = jobFrom(files, { task }).spec?.template.spec?.containers[0]?.volumeMounts;
    expect(mounts?.map(({ readOnly }) => readOnly)).toEqual(expected);
  });

  test('leaves the template as it was', () => {
    const before = JSON.stringify(files);
    jobFrom(files, { task: 'restore', env: { A: 'b' } });
    expect(JSON.stringify(files)).toBe(before);
  });

  test.each([
    [undefined, undefined],
    [[{ type: 'Complete', status: 'True' }], 'complete'],
    [[{ type: 'Failed', status: 'True' }], 'failed'],
    [[{ type: 'Failed', status: 'False' }], undefined],
  ])('with %j has ended: %s', (conditions, expected) => {
    expect(outcomeOf({ status: { conditions } } as Client.V1Job)).toBe(expected);
  });

  test.each([
    [undefined, 'no pod yet'],
    [{ phase: 'Pending' }, 'Pending'],
    [
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: 'no node fits' }] },
      'no node fits',
    ],
    [
      { containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } }] },
      'ImagePullBackOff: not found',
    ],
    [{ containerStatuses: [{ state: { terminated: { reason: 'Error', exitCode: 78 } } }] }, 'Error, exit code 78'],
  ])('whose pod has the status %j waits for: %s', (status, expected) => {
    expect(waitingFor(status === undefined ? undefined : ({ status } as unknown as Client.V1Pod))).toBe(expected);
  });
});

test('archives are read from a log with lines for people between them', () => {
  const line = '{"archive":"db-20260101T000000Z","bytes":7388,"sha256":"ab"}';
  expect(archivesIn(`backup: writing\n${line}\n{"archive":"cut\nbackup: done\n`)).toEqual([
    { archive: 'db-20260101T000000Z', bytes: 7388, sha256: 'ab' },
  ]);
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [7388, '7.2 KiB'],
  [5 * 1024 ** 3, '5.0 GiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(sizeOf(bytes)).toBe(text);
});

describe('what a restore is asked for', () => {
  test.each(['latest', 'postgres-20260101T000000Z'])('%s is taken', (from) => {
    expect(checkFrom(from, 'postgres')).toBe(from);
  });

  test.each([
    [undefined, /^Say which archive: --from latest/],
    ['2026-01-01T12:00:00Z', /is a point in time, and these archives are of single moments/],
    ['newest', /'newest' is not the name of an archive/],
    ['x;rm -rf-20260101T000000Z', /is not the name of an archive/],
  ])('%s is refused as wrong usage', (from, expected) => {
    const check = (): string => checkFrom(from, 'postgres');
    expect(check).toThrow(expected);
    expect(check).toThrow(expect.objectContaining({ code: 2 }) as CliError);
  });

  test('is said before it is done: what is deleted, and that nothing is scaled down', () => {
    const [postgres, files] = all;
    expect(warning(postgres as (typeof all)[number], 'latest', true)).toMatch(
      /DELETES everything that is there now, and restores the newest archive into shop-dev\/postgres[^]*Nothing is scaled down[^]*one transaction/,
    );
    const gentle = warning(files as (typeof all)[number], 'files-0-20260101T000000Z', false);
    expect(gentle).toContain('This restores files-0-20260101T000000Z into shop-dev/files-0.');
    expect(gentle).not.toContain('DELETES');
  });
});
