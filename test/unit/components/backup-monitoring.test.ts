import { Duration, Size } from 'cdk8s';
import { BackupStatus } from '../../../components/backup-status';
import { backupMonitoring } from '../../../components/backup-monitoring';
import { CacheStore } from '../../../components/cache-store';
import { compute } from '../../../components/pod';
import { RemovalPolicy } from '../../../components/release-options';
import { podsPeer } from '../../../components/network';
import { Construct } from 'constructs';
import { StatefulDatabase } from '../../../components/stateful-database';
import { minimalBackup, minimalCache, minimalDatabase } from '../../support/props';
import { find, newChart, problemsOf, releaseOptions } from '../../support/synth';

const image = 'registry.test/pushgateway:1';

class Scraper extends Construct {
  public readonly peer = podsPeer(this, { app: 'prometheus' });
}

const build = () => {
  const chart = newChart('shop');
  const status = new BackupStatus(chart, 'backup-status', { image });
  const backup = { ...minimalBackup, status };
  const drill = { schedule: '@weekly', overdueAfter: Duration.days(9) };
  new StatefulDatabase(chart, 'postgres', { ...minimalDatabase, backup: { ...backup, drill } });
  new CacheStore(chart, 'redis', {
    ...{ ...minimalCache, password: 'correct-horse', backup: { ...backup, overdueAfter: Duration.hours(2) } },
  });
  return { chart, status, monitoring: status.monitoring() };
};
const expression = (alert: string): string =>
  build().monitoring.alerts.find((one) => one.alert === alert)?.expr ?? 'none';

describe('what is watched', () => {
  test('is every backup that reports, each by the time of its own', () => {
    expect(expression('BackupOverdue')).toBe(
      '(time() - backup_last_success_timestamp_seconds{namespace="shop",job="backup-status",backup="postgres"} > 93600) or ' +
        '(time() - backup_last_success_timestamp_seconds{namespace="shop",job="backup-status",backup="redis"} > 7200)',
    );
  });

  test('is a drill where there is one', () => {
    expect(expression('BackupUnproved')).toBe(
      '(time() - backup_last_verified_timestamp_seconds{namespace="shop",job="backup-status",backup="postgres"} > 777600)',
    );
    expect(expression('BackupNeverProved')).not.toContain('redis');
  });

  test('is also what has never reported, after the longest of the times', () => {
    const { alerts } = build().monitoring;
    const missing = alerts.find(({ alert }) => alert === 'BackupMissing');
    expect(missing?.for?.toHours()).toBe(26);
    expect(missing?.expr).toContain(
      'absent(backup_last_success_timestamp_seconds{namespace="shop",job="backup-status",backup="redis"})',
    );
  });

  test('tells what to do in each alert, and names the backup', () => {
    const { alerts } = build().monitoring;
    expect(alerts.map(({ alert }) => alert)).toEqual([
      'BackupOverdue',
      'BackupMissing',
      'BackupUnproved',
      'BackupNeverProved',
      'BackupShrunk',
    ]);
    for (const { summary, runbook, description } of alerts) {
      expect(summary).toContain('{{ $labels.backup }}');
      expect(runbook).toMatch(/^[A-Z].*\n\n\*\*Look:\*\*\n\n- .*\*\*Mend:\*\*\n\n1\. /s);
      expect(description).not.toBe('');
    }
  });

  test('is nothing where nothing is backed up, so that no rule is empty', () => {
    const { alerts, targets } = new BackupStatus(newChart(), 'backup-status', { image }).monitoring();
    expect(alerts).toEqual([]);
    expect(targets).toHaveLength(1);
  });

  test('selects by job alone where the chart has no namespace', () => {
    const backups = [{ name: 'db', overdueAfter: Duration.hours(1), verifiedWithin: undefined }];
    const { alerts } = backupMonitoring(newChart(), { job: 'status', labels: { app: 'x' }, port: 1, backups });
    expect(alerts[0]?.expr).toBe('(time() - backup_last_success_timestamp_seconds{job="status",backup="db"} > 3600)');
    expect(alerts.map(({ alert }) => alert)).not.toContain('BackupUnproved');
  });
});

describe('the status', () => {
  test('keeps what was reported on a volume, and is read by whom it names alone', () => {
    const { chart, status } = build();
    const { spec } = find(chart, 'apps/v1/StatefulSet', 'backup-status');
    expect(spec.template.spec.containers[0]?.args).toContain('--persistence.file=/data/status');
    expect(spec.volumeClaimTemplates?.[0]?.spec?.resources).toEqual({ requests: { storage: '1Gi' } });
    status.allowScraping(new Scraper(chart, 'prometheus'));
    const { ingress } = find(chart, 'networking.k8s.io/v1/NetworkPolicy', 'backup-status').spec;
    const labels = ingress?.flatMap(({ from = [] }) => from.map(({ podSelector }) => podSelector?.matchLabels));
    expect(labels).toEqual([
      { 'app.kubernetes.io/name': 'postgres-backup' },
      { 'app.kubernetes.io/name': 'postgres-drill' },
      { 'app.kubernetes.io/name': 'redis-backup' },
      { app: 'prometheus' },
    ]);
  });

  test('takes every prop', () => {
    const chart = newChart();
    new BackupStatus(chart, 'status', {
      ...{ image, name: 'archive-status', storage: Size.gibibytes(3), storageClass: 'slow' },
      ...{ resources: compute([20, 100], [32, 128]), removalPolicy: RemovalPolicy.DESTROY },
    });
    const { spec } = find(chart, 'apps/v1/StatefulSet', 'archive-status');
    expect(spec.template.spec.containers[0]).toMatchObject({ image, resources: { limits: { memory: '128Mi' } } });
    expect(spec.volumeClaimTemplates?.[0]?.spec).toMatchObject({
      storageClassName: 'slow',
      resources: { requests: { storage: '3Gi' } },
    });
    expect(releaseOptions(chart, 'PersistentVolumeClaim', 'data-archive-status-0').removalPolicy).toBe('destroy');
  });

  test.each([
    ['a name in capitals', { name: 'Status' }, /^name must be an RFC 1123 label/],
    ['an image that is none', { image: 'A B' }, /^image must be an image reference/],
    ['no room', { storage: Size.gibibytes(0) }, /^storage must be a size/],
    ['no limit of memory', { resources: {} }, /^resources.memory.limit is required/],
  ])('%s is refused', (_what, changes, expected) => {
    const found = problemsOf(() => new BackupStatus(newChart(), 'status', { image, ...changes }));
    expect(found).toEqual([expect.stringMatching(expected)]);
  });
});
