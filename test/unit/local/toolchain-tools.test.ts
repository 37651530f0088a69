import * as fs from 'node:fs';
import * as path from 'node:path';
import { compareVersions, fits, TOOLS, versionIn } from '../../../local/toolchain/tools';
import type { Tool, ToolName } from '../../../local/toolchain/tools';

const all = [...TOOLS.values()];
const tool = (name: ToolName): Tool => TOOLS.get(name) as Tool;

test.each([
  ['Kubernetes v1.34.4', '1.34.4'],
  ['v3.250.0\n', '3.250.0'],
  ['CoreDNS-1.12.4\nlinux/amd64, go1.26.8, ', '1.12.4'],
  ['Version:      3.5.4\nCodename:     chabichou\nGo version:   go1.24.3', '3.5.4'],
  ['kube-score version: 1.20.0, commit: x, built: y', '1.20.0'],
  ['v0.0.0-master+$Format:%H$', '0.0.0'],
  ['development', undefined],
])('the version in %j is %s', (text, version) => expect(versionIn(text)).toBe(version));

test('versions compare by number, not by text', () => {
  expect(compareVersions('3.99.0', '3.250.0')).toBeLessThan(0);
  expect(compareVersions('1.34.4', '1.34.4')).toBe(0);
  expect(compareVersions('4.0.0', '3.999.999')).toBeGreaterThan(0);
});

test.each<[ToolName, string, boolean]>([
  ['pulumi', '3.244.9', false],
  ['pulumi', '3.245.0', true],
  ['pulumi', '3.300.1', true],
  ['pulumi', '4.0.0', false],
  ['kubelet', '1.34.9', true],
  ['kubelet', '1.35.0', false],
  ['kube-apiserver', '1.33.4', false],
  ['coredns', '1.12.0', true],
  ['psa-check', '0.34.4', false],
])('a %s %s on PATH is taken: %s', (name, version, taken) => expect(fits(tool(name), version)).toBe(taken));

describe('each tool', () => {
  test.each(all.map((each) => [each.name, each] as const))('%s has its module, its sums and its version', (_, each) => {
    const directory = path.join('local', 'toolchain', each.module.directory);
    expect(each.buildMinutes).toBeGreaterThan(0);
    const mod = fs.readFileSync(path.join(directory, 'go.mod'), 'utf8');
    // What needs nothing but Go has nothing to pin.
    if (!mod.includes('require')) return;
    const sum = fs.readFileSync(path.join(directory, 'go.sum'), 'utf8');
    expect(mod).toContain(`v${each.version}`);
    expect(sum.match(/^\S+ v\S+ h1:\S+=$/gm)?.length).toBeGreaterThan(5);
    if (each.module.package === '.') expect(fs.existsSync(path.join(directory, 'main.go'))).toBe(true);
    else expect(mod).toContain(each.module.package.replace(/\/cmd(\/.*)?$/, ''));
  });

  test('is released by its vendor only with a whole checksum, over TLS', () => {
    const releases = all.flatMap((each) => Object.values(each.releases ?? {}));
    expect(releases.length).toBeGreaterThan(0);
    for (const release of releases) {
      expect(release.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(release.url).toMatch(/^https:\/\//);
    }
  });
});
