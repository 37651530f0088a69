import * as fs from 'node:fs';
import * as path from 'node:path';
import { healthChecksPage, probeTable } from '../../../cli/docs/health-checks';

test('docs/health-checks.md has the probes of the definition; to mend it: npm run docs:health', async () => {
  const page = fs.readFileSync(path.resolve(__dirname, '../../../docs/health-checks.md'), 'utf8');
  expect(await healthChecksPage(page)).toBe(page);
  expect(page).toContain('| noodle-runtime ');
}, 120_000);

test('a probe is told with its numbers, those that Kubernetes assumes among them', () => {
  const containers = [
    { name: 'web', startupProbe: { httpGet: { path: '/up', port: 'http' }, failureThreshold: 30 } },
    { name: 'side', livenessProbe: { exec: { command: ['sh', '-c', 'a | b'] }, periodSeconds: 5, timeoutSeconds: 2 } },
  ];
  const manifest = {
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'x' },
    spec: { template: { spec: { containers } } },
  };
  const rows = probeTable([{ path: 'shop/web/Deployment', manifest }])
    .split('\n')
    .slice(2);
  expect(
    rows.map((row) =>
      row
        .split(/ +\| +|^\| |(?<= ) *\|$/)
        .filter(Boolean)
        .map((text) => text.trim()),
    ),
  ).toEqual([
    ['shop', 'web', 'startup', '`GET /up` on http', '10 s', '1 s', '30', '300 s'],
    ['shop', 'web, side', 'liveness', '`sh -c a \\| b`', '5 s', '2 s', '3', '15 s'],
  ]);
});
