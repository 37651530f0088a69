import { Cluster, NAMESPACE, until } from '../support/cluster';

jest.setTimeout(120_000);

const STACK = 'observability-dev';
/** What is stopped, and the alert that says so. */
const DATABASE = 'postgres';
const ALERT = 'PostgresDown';

interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly scrapePool: string;
  readonly health: string;
  readonly lastError: string;
}
interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly status: { readonly state: string };
}

describe('the real Prometheus and Alertmanager on the local cluster', () => {
  const cluster = new Cluster();
  const service = (name: string, port: number): string =>
    `/api/v1/namespaces/${STACK}/services/http:${name}-service:${port}/proxy`;
  const prometheus = async <T>(path: string): Promise<T> =>
    (await cluster.get<{ readonly data: T }>(`${service('prometheus', 9090)}/api/v1/${path}`)).data;
  const targets = async (): Promise<readonly Target[]> =>
    (await prometheus<{ readonly activeTargets: readonly Target[] }>('targets?state=active')).activeTargets;
  const firing = async (): Promise<readonly Alert[]> => {
    const all = await cluster.get<readonly Alert[]>(`${service('alertmanager', 9093)}/api/v2/alerts?active=true`);
    return all.filter(({ labels }) => labels.alertname === ALERT && labels.namespace === NAMESPACE);
  };

  // Not by its scale, which would have another owner afterwards: a pod that no node takes stays away.
  const schedulable = (yes: boolean): Promise<unknown> =>
    cluster.edit('/api/v1/nodes/trellis', { spec: { unschedulable: !yes } });

  beforeAll(() => cluster.healthy());

  test('every job of the configuration has targets, all of them up', async () => {
    const config = await prometheus<{ readonly yaml: string }>('status/config');
    const jobs = [...config.yaml.matchAll(/^- job_name: (\S+)$/gm)].map(([, job = '']) => job);
    expect(jobs).toEqual(expect.arrayContaining([`${NAMESPACE}/${DATABASE}`, `${STACK}/prometheus`]));
    const found = await until('all targets up', async () => {
      const now = await targets();
      const pools = new Set(now.map(({ scrapePool }) => scrapePool));
      const down = now.filter(({ health }) => health !== 'up').map((one) => `${one.scrapePool}: ${one.lastError}`);
      if (down.length > 0) throw new TypeError(down.join('; '));
      return jobs.every((job) => pools.has(job)) && now;
    });
    // Pods have their own names, whoever finds them.
    const database = found.find(({ scrapePool }) => scrapePool === `${NAMESPACE}/${DATABASE}`);
    expect(database?.labels).toMatchObject({ namespace: NAMESPACE, job: DATABASE, pod: `${DATABASE}-0` });
  });

  test('every rule can be evaluated', async () => {
    interface Rules {
      readonly groups: readonly { readonly rules: readonly { readonly name: string; readonly health: string }[] }[];
    }
    const rules = await until('all rules evaluated', async () => {
      const { groups } = await prometheus<Rules>('rules');
      const all = groups.flatMap((group) => group.rules);
      return all.every(({ health }) => health !== 'unknown') && all;
    });
    expect(rules.length).toBeGreaterThan(10);
    expect(rules.filter(({ health }) => health !== 'ok').map(({ name }) => name)).toEqual([]);
  });

  test('an alert fires while the database is stopped, reaches Alertmanager, and is resolved once it runs again', async () => {
    await until(`no ${ALERT}`, async () => (await firing()).length === 0);
    try {
      await schedulable(false);
      await cluster.remove(`/api/v1/namespaces/${NAMESPACE}/pods/${DATABASE}-0`);
      const [alert] = await until(
        `${ALERT} at Alertmanager`,
        async () => {
          const found = await firing();
          return found.length > 0 && found;
        },
        90,
      );
      expect(alert).toMatchObject({
        labels: { severity: 'page', job: DATABASE },
        status: { state: 'active' },
        annotations: { runbook: expect.stringContaining('trellis') as string },
      });
    } finally {
      await schedulable(true);
    }
    await until(`${ALERT} resolved`, async () => (await firing()).length === 0, 90);
    await cluster.healthy();
  });
});
