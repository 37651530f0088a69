import { excepted, exceptedNamespaces } from '../../../cli/manifests/exceptions';
import { monitoringFiles } from '../../../cli/manifests/monitoring';
import { renderEnvironment } from '../../../stacks/render';

const MANIFESTS = [
  'kind: ConfigMap',
  'metadata: { name: prometheus-config }',
  'data: { prometheus.yml: "global: {}" }',
  '---',
  'kind: ConfigMap',
  'metadata: { name: prometheus-rules }',
  'data: { shop.yml: "groups: []", other.yml: "groups: []" }',
  '---',
  'kind: ExternalSecret',
  'metadata: { name: alertmanager-config }',
  'spec: { target: { template: { data: { alertmanager.yml: "url: \'{{ .trellis_dev_url }}\'" } } } }',
].join('\n');

describe('configuration in rendered manifests', () => {
  test('is found, in a Secret from a store too', () => {
    expect(monitoringFiles(MANIFESTS)).toEqual({
      prometheus: 'global: {}',
      rules: { 'shop.yml': 'groups: []', 'other.yml': 'groups: []' },
      alertmanager: "url: 'https://stored.test/'",
    });
  });

  test('that is missing is an error, or nothing would have been checked', () => {
    expect(() => monitoringFiles('kind: ConfigMap\nmetadata: { name: other }\n')).toThrow('have no prometheus-config');
  });

  test('of an environment leads Prometheus to the rules that are there', async () => {
    const { prometheus, rules, alertmanager } = monitoringFiles(await renderEnvironment('prod'));
    expect(prometheus).toContain('/etc/prometheus-rules/*.yml');
    expect(Object.keys(rules).sort()).toEqual(['noa-server.yml', 'noodle-core.yml', 'observability.yml']);
    expect(alertmanager).toContain('receiver: default');
  }, 60_000);
});

describe('exceptions from Pod Security', () => {
  const finding = (namespace: string, check: string): string =>
    `DaemonSet/${namespace}/fluent-bit: ${check}: volume "x"`;
  const stated = new Set(['logs']);

  test('are stated by the Namespace, with a reason', () => {
    const namespace = (name: string, annotations: string): string =>
      `kind: Namespace\nmetadata: { name: ${name}, annotations: ${annotations} }\n`;
    const manifests = [
      namespace('logs', '{ trellis.dev/pod-security-reason: reads files }'),
      namespace('silent', '{}'),
    ].join('---\n');
    expect([...exceptedNamespaces(manifests)]).toEqual(['logs']);
  });

  test.each([
    ['a volume of the node where it is stated', finding('logs', 'hostPath volumes'), true],
    ['the same by its other name', finding('logs', 'restricted volume types'), true],
    ['a volume of the node elsewhere', finding('shop', 'hostPath volumes'), false],
    ['privileges, wherever', finding('logs', 'privileged'), false],
    ['root, wherever', finding('logs', 'runAsNonRoot != true'), false],
  ])('%s', (_, line, accepted) => {
    expect(excepted(line, stated)).toBe(accepted);
  });
});
