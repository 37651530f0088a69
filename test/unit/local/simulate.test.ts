import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { customResourceDefinitions } from '../../../local/cluster/crds';
import { ownKubeconfigs } from '../../../local/engine';
import { CAPACITY, nodesOf, rehearsalOf, REHEARSED } from '../../../local/simulate';
import { configuration } from '../../../local/simulate/engine';
import { allStages, kwokConfiguration } from '../../../local/simulate/stages';

const sum = (environment: 'staging' | 'prod', field: 'cpu' | 'memory' | 'disk' | 'gpus'): number =>
  CAPACITY[environment].reduce((total, pool) => total + (pool[field] ?? 0) * pool.zones.length, 0);

describe('the capacity of an environment', () => {
  it('is at least what Noa Server asks of prod: 16 vCPU, 32 GB, 200 GB of disk, one GPU', () => {
    expect(sum('prod', 'cpu')).toBeGreaterThanOrEqual(16);
    expect(sum('prod', 'memory')).toBeGreaterThanOrEqual(32);
    expect(sum('prod', 'disk')).toBeGreaterThanOrEqual(200);
    expect(sum('prod', 'gpus')).toBe(1);
  });

  it('is smaller in staging', () => {
    for (const field of ['cpu', 'memory', 'disk'] as const)
      expect(sum('staging', field)).toBeLessThan(sum('prod', field));
  });

  it.each(REHEARSED)('spreads the nodes of %s over three zones, whose names volumes are placed by', (environment) => {
    const nodes = nodesOf(environment);
    const zones = nodes.map(({ metadata }) => metadata.labels?.['topology.kubernetes.io/zone']);
    expect(new Set(zones).size).toBe(3);
    expect(nodes.map(({ metadata }) => /zone-[a-z]/.exec(metadata.name)?.[0])).toEqual(zones);
    expect(new Set(nodes.map(({ metadata }) => metadata.name)).size).toBe(nodes.length);
  });

  it.each(REHEARSED)('taints the node of %s that has a GPU, and no other', (environment) => {
    for (const { spec, status } of nodesOf(environment)) {
      const { taints } = spec as { readonly taints?: readonly { readonly key: string }[] };
      const has = 'nvidia.com/gpu' in (status?.allocatable as Record<string, string>);
      expect(taints?.map(({ key }) => key) ?? []).toEqual(has ? ['nvidia.com/gpu'] : []);
    }
  });
});

describe('the stages', () => {
  it('have names of their own', () => {
    const names = allStages().map(({ metadata }) => metadata.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('are played only for kinds that are served: kwok ends where one is not', () => {
    const none = kwokConfiguration([]);
    expect(none).toContain('kind: Pod');
    expect(none).not.toContain('kind: Certificate');
    const one = kwokConfiguration([{ group: 'cert-manager.io', kind: 'Certificate' }]);
    expect(one).toContain('kind: Certificate');
    expect(one).not.toContain('kind: HTTPRoute');
  });

  it('are all played on a new machine, which knows the custom resources', () => {
    const custom = customResourceDefinitions().map(({ spec }) => ({ group: spec.group, kind: spec.names.kind }));
    const played = kwokConfiguration(custom);
    for (const { metadata } of allStages()) expect(played).toContain(`name: ${metadata.name}\n`);
  });
});

describe('a rehearsal’s configuration', () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-rehearsal-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));
  const written = (text: string): ReturnType<typeof configuration> => {
    fs.writeFileSync(path.join(folder, 'Pulumi.prod.yaml'), text);
    return configuration('prod', folder);
  };

  it('is the environment’s, secrets under a passphrase included', () => {
    const text = 'config:\n  trellis:key:\n    secure: v1:abc\nencryptionsalt: v1:def\n';
    expect(written(text).text).toBe(text);
  });

  it.each([
    ['no passphrase', 'config:\n  trellis:key:\n    secure: v1:abc\n'],
    ['a key service', 'secretsprovider: awskms://alias/x\nencryptedkey: abc\nconfig: {}\n'],
  ])('is refused where its secrets are under %s', (_, text) => {
    expect(() => written(text)).toThrow('Pulumi.prod.yaml holds values that only its own back end can decrypt');
  });

  it('lies apart from the environment’s own, and its kubeconfig never counts as the user’s', () => {
    const { kubeconfig, backend } = rehearsalOf('prod');
    expect(backend).toMatch(/\/\.trellis\/simulate\/prod\/state$/);
    expect(ownKubeconfigs({ KUBECONFIG: kubeconfig, HOME: folder })).toEqual([]);
  });
});
