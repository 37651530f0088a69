import { App } from 'cdk8s';
import { EnvValue } from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';
import { Construct } from 'constructs';
import { AutoscaledService } from '../../../components/autoscaled-service';
import { CacheStore } from '../../../components/cache-store';
import type { IBackend, IClient } from '../../../components/connections';
import { secretKey } from '../../../components/connections';
import { LateTokens } from '../../../components/late';
import { StatefulDatabase } from '../../../components/stateful-database';
import { minimalCache, minimalDatabase } from '../../support/props';
import { IMAGE, find, freshChart, onlyContainer, problemsOf } from '../../support/service-props';

const pods = (name: string, namespace = 'shop') => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  podSelector: { matchLabels: { 'app.kubernetes.io/name': name } },
});
const dns = expect.objectContaining({ ports: [expect.objectContaining({ port: 53 }), expect.anything()] }) as object;

/** A backend outside the cluster that records who asked to come in. */
class Outside extends Construct implements IBackend {
  public readonly host = 'db.example.com';
  public readonly port = 5432;
  public readonly peer = { ipBlock: { cidr: '192.0.2.7/32' } };
  public readonly admitted: string[] = [];

  public connectionEnv(prefix = ''): Record<string, EnvValue> {
    return { [`${prefix}DATABASE_URL`]: secretKey('db-secret', 'URL') };
  }

  public allowFrom(...clients: readonly IClient[]): void {
    this.admitted.push(...clients.map((client) => client.node.path));
  }
}

// By their paths: comparing constructs would walk the whole tree.
const paths = (constructs: readonly IConstruct[]): readonly string[] => constructs.map(({ node }) => node.path);

describe('a service that connects to another', () => {
  const app = new App();
  const front = freshChart('front', app);
  const back = freshChart('back', app);
  const web = new AutoscaledService(front, 'web', { image: IMAGE });
  const api = new AutoscaledService(back, 'user-api', { image: IMAGE, port: 9000, servicePort: 8080 });
  web.connects(api);

  test('learns its address', () => {
    expect(onlyContainer(front).env).toEqual([
      { name: 'USER_API_URL', value: 'http://user-api-service.back.svc:8080' },
    ]);
  });

  test('opens exactly one edge, on both sides, to the port of the pods', () => {
    const outgoing = find(front, 'networking.k8s.io/v1/NetworkPolicy').spec;
    expect(outgoing.egress).toEqual([
      dns,
      { to: [pods('user-api', 'back')], ports: [{ protocol: 'TCP', port: 9000 }] },
    ]);
    expect(outgoing.ingress).toBeUndefined();
    const incoming = find(back, 'networking.k8s.io/v1/NetworkPolicy').spec;
    expect(incoming.ingress).toEqual([{ from: [pods('web', 'front')], ports: [{ protocol: 'TCP', port: 9000 }] }]);
    expect(incoming.egress).toEqual([dns]);
  });

  test('starts after it', () => {
    expect(paths(web.node.dependencies)).toEqual([api.node.path]);
    expect(api.node.dependencies).toHaveLength(0);
  });

  test('changes nothing when it connects again', () => {
    const before = JSON.stringify([front.toJson(), back.toJson()]);
    web.connects(api, api);
    expect(JSON.stringify([front.toJson(), back.toJson()])).toBe(before);
  });
});

describe('a service that connects to a backend of another kind', () => {
  test('takes its environment from the Secret and asks to come in', () => {
    const chart = freshChart();
    const db = new Outside(chart, 'db');
    const service = new AutoscaledService(chart, 'api', { image: IMAGE });
    expect(service.connects(db)).toBe(service);
    expect(onlyContainer(chart).env).toEqual([
      { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'db-secret', key: 'URL' } } },
    ]);
    expect(db.admitted).toEqual(['chart-shop/api']);
    expect(find(chart, 'networking.k8s.io/v1/NetworkPolicy').spec.egress).toEqual([
      dns,
      { to: [db.peer], ports: [{ protocol: 'TCP', port: 5432 }] },
    ]);
  });

  test('keeps two of them apart by a prefix', () => {
    const chart = freshChart();
    const service = new AutoscaledService(chart, 'api', { image: IMAGE });
    service.connects(new Outside(chart, 'db')).connects(new Outside(chart, 'replica'), { prefix: 'READ_' });
    expect(onlyContainer(chart).env?.map(({ name }) => name)).toEqual(['DATABASE_URL', 'READ_DATABASE_URL']);
  });

  test('refuses a variable that would be set twice', () => {
    const chart = freshChart();
    const service = new AutoscaledService(chart, 'api', { image: IMAGE, env: { DATABASE_URL: 'postgres://x' } });
    const replica = new Outside(chart, 'replica');
    expect(problemsOf(() => service.connects(replica))).toEqual([
      "environment variable 'DATABASE_URL' would be set twice; give the connection a prefix",
    ]);
    expect(replica.admitted).toEqual([]);
  });

  test('refuses a prefix that makes no variable name', () => {
    const chart = freshChart();
    const service = new AutoscaledService(chart, 'api', { image: IMAGE });
    expect(problemsOf(() => service.connects(new Outside(chart, 'db'), { prefix: 'READ-' }))).toEqual([
      expect.stringContaining("connection: 'READ-DATABASE_URL' is not a name"),
    ]);
  });
});

test('a service with database and cache has exactly these two edges, and each of them exactly this client', () => {
  const chart = freshChart();
  const db = new StatefulDatabase(chart, 'postgres', minimalDatabase);
  const cache = new CacheStore(chart, 'redis', { ...minimalCache, password: 'battery-staple' });
  const api = new AutoscaledService(chart, 'api', { image: IMAGE }).connects(db, cache);
  const policy = (name: string) => find(chart, 'networking.k8s.io/v1/NetworkPolicy', name).spec;
  const port = (number: number) => [{ protocol: 'TCP', port: number }];
  expect(policy('api').egress).toEqual([
    dns,
    { to: [pods('postgres')], ports: port(5432) },
    { to: [pods('redis')], ports: port(6379) },
  ]);
  expect(policy('postgres').ingress).toEqual([{ from: [pods('api')], ports: port(5432) }]);
  expect(policy('redis').ingress).toEqual([{ from: [pods('api')], ports: port(6379) }]);
  const { env = [] } = onlyContainer(chart, 'api');
  expect(env.map(({ name, value }) => [name, value])).toEqual([
    ['DATABASE_URL', undefined],
    ['REDIS_URL', undefined],
  ]);
  expect(env.every(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined)).toBe(true);
  const before = paths(api.node.dependencies);
  expect([...new Set(before.map((each) => each.split('/')[1]))]).toEqual(['postgres', 'redis']);
  expect(before).toContain(`${db.node.path}/StatefulSet`);
});

describe('order', () => {
  test('services that wait for each other are refused, through a third one too', () => {
    const chart = freshChart();
    const [a, b, c] = ['a', 'b', 'c'].map((id) => new AutoscaledService(chart, id, { image: IMAGE })) as [
      AutoscaledService,
      AutoscaledService,
      AutoscaledService,
    ];
    a.connects(b);
    b.connects(c);
    expect(problemsOf(() => c.connects(a))).toEqual([
      'cannot connect to chart-shop/a, which starts after this workload already: each would wait for the other',
    ]);
    expect(problemsOf(() => a.connects(a))).toHaveLength(1);
  });
});

describe('environment added later', () => {
  const late = { apply: (transform: (value: string) => unknown): unknown => transform('secret') };

  test('counts, in the order of names, with late values as tokens', () => {
    const chart = freshChart();
    const service = new AutoscaledService(chart, 'api', { image: late, env: { ZONE: 'z' } });
    service.addEnv('GREETING', `hello`).addEnv('TOKEN', late).addEnv('FIELD', EnvValue.fromValue('1'));
    const { env, image } = onlyContainer(chart);
    expect(env?.map(({ name }) => name)).toEqual(['FIELD', 'GREETING', 'TOKEN', 'ZONE']);
    expect(LateTokens.of(chart).lookup(image ?? '')?.value).toBe(late);
    expect(env?.[2]?.value).toBe(image);
  });

  test('is refused twice or with a bad name', () => {
    const service = new AutoscaledService(freshChart(), 'api', { image: IMAGE, env: { A: '1' } });
    expect(problemsOf(() => service.addEnv('A', '2'))).toEqual([expect.stringContaining("'A' would be set twice")]);
    expect(problemsOf(() => service.addEnv('A B', '2'))).toEqual([expect.stringContaining("'A B' is not a name")]);
    expect(problemsOf(() => service.addEnv('A', '1'))).toEqual([]);
  });
});
