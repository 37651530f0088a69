import { readSettings } from '../../../stacks/render';
import { environmentOf, pick, podsOf, renderSettings } from './platform';

const SERVICES = ['noodle-runtime', 'noodle-ide', 'ui', 'mcp', 'claude-flow', 'agentic-os'];
const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';

async function platform(traceCollector: { host: string; port: number; namespace: string }) {
  const settings = await readSettings('staging');
  return renderSettings({ ...settings, cluster: { ...settings.cluster, traceCollector } });
}
const opensPort = (objects: Awaited<ReturnType<typeof platform>>, name: string, port: number): boolean => {
  const { egress = [] } = pick(objects, 'networking.k8s.io/v1/NetworkPolicy', name).spec ?? {};
  return egress.some(({ ports = [] }) => ports.some((each) => each.port === port));
};

test('without a collector no service is told of one, and no policy opens for it', async () => {
  const objects = await platform({ host: '', port: 4318, namespace: '' });
  for (const [name, container] of podsOf(objects))
    expect([name, ENDPOINT in environmentOf(container)]).toEqual([name, false]);
  for (const name of SERVICES) expect([name, opensPort(objects, name, 4318)]).toEqual([name, false]);
});

test('with one the services of both systems, and no store, may send their spans there', async () => {
  const objects = await platform({ host: 'collector.monitoring.svc', port: 4318, namespace: 'monitoring' });
  const told = [...podsOf(objects)].flatMap(([name, container]) =>
    environmentOf(container)[ENDPOINT] === 'http://collector.monitoring.svc:4318' ? [name] : [],
  );
  expect(told.sort()).toEqual([...SERVICES].sort());
  for (const name of SERVICES) expect([name, opensPort(objects, name, 4318)]).toEqual([name, true]);
  const policies = objects.filter(({ kind, name }) => kind === 'NetworkPolicy' && !SERVICES.includes(name));
  expect(policies.length).toBeGreaterThan(4);
  expect(policies.filter(({ manifest }) => JSON.stringify(manifest).includes('4318'))).toEqual([]);
});

test('NoodleCore is told which part of its traces is sampled', async () => {
  const { 'noodle-runtime': runtime } = Object.fromEntries(
    podsOf(await platform({ host: '', port: 1, namespace: '' })),
  );
  expect(runtime === undefined ? {} : environmentOf(runtime)).toMatchObject({ TRACING_SAMPLE_RATIO: '0.1' });
});
