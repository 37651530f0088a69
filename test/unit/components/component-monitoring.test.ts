import type { Chart } from 'cdk8s';
import { Size } from 'cdk8s';
import { Construct } from 'constructs';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { CachePersistence, EvictionPolicy } from '../../../components/cache-options';
import type { CacheStoreProps } from '../../../components/cache-store';
import { CacheStore } from '../../../components/cache-store';
import { CacheTopology } from '../../../components/cache-topology';
import type { IClient } from '../../../components/connections';
import { DatabaseEngine } from '../../../components/database-engine';
import type { GpuInferenceDeploymentProps } from '../../../components/gpu-inference-deployment';
import { GpuInferenceDeployment } from '../../../components/gpu-inference-deployment';
import { GpuRequest } from '../../../components/gpu-request';
import { ModelSource } from '../../../components/model-source';
import type { Monitoring } from '../../../components/monitoring';
import { isMonitored } from '../../../components/monitoring';
import { NO_MONITORING } from '../../../components/monitoring-parts';
import { alertsOf, collectMonitoring } from '../../../components/monitoring-rules';
import { podsPeer } from '../../../components/network';
import type { StatefulDatabaseProps } from '../../../components/stateful-database';
import { StatefulDatabase } from '../../../components/stateful-database';
import { build as buildOperated, instances } from '../../support/cloud-native-pg';
import { expressionsOf, selectorsOf } from '../../support/promql';
import { IMAGE } from '../../support/service-props';
import { find, newChart, problemsOf } from '../../support/synth';

class Client extends Construct implements IClient {
  public readonly peer = podsPeer(this, { 'app.kubernetes.io/name': this.node.id });
}

const metrics = { image: IMAGE };
const password = 'a-password-of-the-tests';
const database = (chart: Chart, props: Partial<StatefulDatabaseProps> = {}): StatefulDatabase =>
  new StatefulDatabase(chart, 'postgres', {
    engine: DatabaseEngine.postgres('15', { image: IMAGE }),
    password,
    ...props,
  });
const cache = (chart: Chart, props: Partial<CacheStoreProps> = {}): CacheStore =>
  new CacheStore(chart, 'redis', { image: IMAGE, password, ...props });
const inference = (chart: Chart, props: Partial<GpuInferenceDeploymentProps> = {}): GpuInferenceDeployment =>
  new GpuInferenceDeployment(chart, 'llama', {
    ...{ image: IMAGE, gpu: GpuRequest.nvidia(1), model: ModelSource.baked(), modelSize: Size.gibibytes(4) },
    ...props,
  });

const alertNames = (monitoring: Monitoring): readonly string[] => alertsOf(monitoring).map(({ alert }) => alert);
const ports = (chart: Chart, name: string) =>
  (find(chart, 'networking.k8s.io/v1/NetworkPolicy', name).spec.ingress ?? []).map((rule) => rule.ports?.[0]?.port);

describe('every component', () => {
  const chart = newChart('shop');
  const all = [
    database(chart, { metrics }),
    cache(chart, { metrics }),
    new AutoscaledService(chart, 'api', { image: IMAGE }),
    inference(chart),
  ];

  test.each(all)('tells how it is watched, in its own namespace: $name', (component) => {
    expect(isMonitored(component)).toBe(true);
    const { targets, alerts, panels } = component.monitoring();
    expect(targets).toEqual([expect.objectContaining({ job: component.name, namespace: 'shop' })]);
    expect([alerts.length > 2, panels.length > 1]).toEqual([true, true]);
  });

  test('may be in a chart without a namespace; every expression says so', () => {
    const open = newChart();
    for (const one of [database(open, { metrics }), cache(open, { metrics }), inference(open)]) {
      const { targets } = one.monitoring();
      expect(targets[0]).not.toHaveProperty('namespace');
      for (const [, expr] of expressionsOf(one.monitoring())) {
        for (const { labels } of selectorsOf(expr))
          expect(labels).toEqual(expect.arrayContaining(['namespace', 'job']));
        expect(expr).toContain('namespace=~".+"');
      }
    }
  });

  test('may be twice in a namespace under another name', () => {
    const two = newChart('shop');
    for (const id of ['one', 'two']) new CacheStore(two, id, { image: IMAGE, password, metrics });
    expect(problemsOf(() => collectMonitoring(two))).toEqual([]);
  });
});

describe('a database', () => {
  test('without an exporter tells nothing and lets nobody in', () => {
    const chart = newChart();
    const one = database(chart);
    one.allowScraping(new Client(chart, 'prometheus'));
    expect(one.monitoring()).toEqual(NO_MONITORING);
    expect(ports(chart, 'postgres')).toEqual([]);
  });

  test('opens the port of the metrics alone', () => {
    const chart = newChart();
    database(chart, { metrics }).allowScraping(new Client(chart, 'prometheus'));
    expect(ports(chart, 'postgres')).toEqual([9187]);
  });

  test('is scraped where its exporter is', () => {
    const [target] = database(newChart(), { metrics }).monitoring().targets;
    expect(target).toEqual({
      ...{ job: 'postgres', port: 9187, exporter: 'postgres-exporter' },
      labels: { 'app.kubernetes.io/name': 'postgres' },
    });
  });

  test('has a job and alerts of its replicas where there are some', () => {
    const alone = database(newChart(), { metrics }).monitoring();
    const chart = newChart();
    const followed = database(chart, { metrics, readReplicas: 2, replicationPassword: `${password}-2` });
    followed.allowScraping(new Client(chart, 'prometheus'));
    const { targets, alerts } = followed.monitoring();
    expect(targets.map(({ job }) => job)).toEqual(['postgres', 'postgres-replica']);
    expect(ports(chart, 'postgres-replica')).toEqual([9187]);
    const more = alertNames(followed.monitoring()).filter((name) => !alertNames(alone).includes(name));
    expect(more).toEqual(
      ['ReplicaDown', 'ReplicaNotFollowing', 'ReplicaLag', 'ReplicaNearlyLost'].map((one) => `Postgres${one}`),
    );
    expect(alerts.find(({ alert }) => alert === 'PostgresConnectionsNearMax')?.expr).toContain(
      'job=~"postgres|postgres-replica"',
    );
    expect(alone.alerts.find(({ alert }) => alert === 'PostgresConnectionsNearMax')?.expr).not.toContain('replica');
  });

  test('of CloudNativePG has the operator’s own names, and no exporter to ask for', () => {
    const { chart, database: operated } = buildOperated();
    const { targets, alerts } = operated.monitoring();
    expect(targets).toMatchObject([
      { job: 'postgres', port: 9187, exporter: 'cloudnative-pg', labels: instances.podSelector.matchLabels },
    ]);
    expect(alerts.map(({ alert }) => alert)).toContain('PostgresArchiveFailing');
    operated.allowScraping(new Client(chart, 'prometheus'));
    expect(ports(chart, 'postgres')).toContain(9187);
  });
});

describe('a cache', () => {
  const told = (props: Partial<CacheStoreProps>) => alertNames(cache(newChart(), { metrics, ...props }).monitoring());
  const severity = (eviction: EvictionPolicy) =>
    cache(newChart(), { metrics, eviction })
      .monitoring()
      .alerts.find(({ alert }) => alert === 'RedisMemoryNearlyFull')?.severity;

  test('without an exporter tells nothing and lets nobody in', () => {
    const chart = newChart();
    const one = cache(chart);
    one.allowScraping(new Client(chart, 'prometheus'));
    expect(one.monitoring()).toEqual(NO_MONITORING);
    expect(ports(chart, 'redis')).toEqual([]);
  });

  test('may be full where every key can be made again, and must not be elsewhere', () => {
    expect(severity(EvictionPolicy.ALL_KEYS_LFU)).toBeUndefined();
    expect(severity(EvictionPolicy.VOLATILE_TTL)).toBe('ticket');
    expect(severity(EvictionPolicy.NONE)).toBe('page');
  });

  test('has alerts on its file where it has one', () => {
    const file = ['RedisSnapshotFailed', 'RedisAppendFailed', 'RedisAppendRewriteFailed', 'RedisDiskSlow'];
    expect(told({}).filter((name) => file.includes(name))).toEqual([]);
    const persistence = CachePersistence.appendOnly(Size.gibibytes(1));
    expect(told({ persistence }).filter((name) => file.includes(name))).toEqual(file);
  });

  test('has alerts on its members by how they belong together', () => {
    const systemPassword = `${password}-2`;
    const members = (topology: CacheTopology) =>
      told({ topology, systemPassword }).filter((name) => !told({}).includes(name));
    expect(members(CacheTopology.sentinel())).toEqual([
      ...['RedisSnapshotFailed', 'RedisMemberDown', 'RedisReplicaDisconnected'],
      ...['RedisWritesRefused', 'RedisNoPrimary', 'RedisTwoPrimaries'],
    ]);
    expect(members(CacheTopology.sentinel({ minReplicasToWrite: 0 }))).not.toContain('RedisWritesRefused');
    expect(members(CacheTopology.cluster())).toEqual([
      ...['RedisSnapshotFailed', 'RedisMemberDown', 'RedisReplicaDisconnected'],
      ...['RedisShardDown', 'RedisClusterBroken'],
    ]);
  });
});
