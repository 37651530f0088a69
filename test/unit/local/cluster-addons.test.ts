import { ADDON_NAMES, parseAddon, readAddon } from '../../../local/cluster/addons';
import { checkMachine } from '../../../local/cluster/preflight';

const VALUES: Record<string, string> = {
  'image.coredns': 'trellis.local/coredns:1',
  'image.metrics-server': 'trellis.local/metrics-server:1',
  'image.local-path-provisioner': 'trellis.local/local-path-provisioner:1',
  'image.nominal-resizer': 'trellis.local/nominal-resizer:1',
  'image.busybox': 'trellis.local/busybox:1',
  'image.traefik': 'trellis.local/traefik:1',
  'metricsServer.cert': 'Y2VydA==',
  'metricsServer.key': 'a2V5',
  'metricsServer.digest': '00',
  'ingress.cert': 'Y2VydA==',
  'ingress.key': 'a2V5',
  'ingress.digest': '00',
  ca: 'Y2E=',
  dnsAddress: '10.96.0.10',
  volumes: '/volumes',
  'volumes.json': '"/volumes"',
  'nodePort.web': '30080',
  'nodePort.websecure': '30443',
  'redirect.to': '',
  'redirect.scheme': '',
};

interface PodSpec {
  readonly securityContext: { readonly runAsNonRoot: boolean };
  readonly containers: readonly {
    readonly image: string;
    readonly imagePullPolicy: string;
    readonly args?: readonly string[];
    readonly resources: { readonly requests: unknown; readonly limits: unknown };
    readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
  }[];
}

const podsOf = (name: (typeof ADDON_NAMES)[number], values = VALUES): readonly PodSpec[] =>
  readAddon(name, values)
    .filter(({ kind }) => kind === 'Deployment')
    .map(({ spec }) => (spec as { template: { spec: PodSpec } }).template.spec);

describe.each(ADDON_NAMES)('addon %s', (name) => {
  test('is objects with a kind and a name, and no value left open', () => {
    const manifests = readAddon(name, VALUES);
    expect(manifests.length).toBeGreaterThan(3);
    for (const { apiVersion, kind, metadata } of manifests)
      expect([apiVersion, kind, metadata.name].every((text) => typeof text === 'string' && text !== '')).toBe(true);
    expect(JSON.stringify(manifests)).not.toContain('${');
  });

  test('runs without root on a read-only file system, from images that are never pulled', () => {
    const pods = podsOf(name);
    expect(pods).toHaveLength(name === 'local-path' ? 2 : 1);
    for (const { securityContext, containers } of pods) {
      expect(securityContext.runAsNonRoot).toBe(true);
      for (const container of containers) {
        expect(container.image).toMatch(/^trellis\.local\//);
        expect(container.imagePullPolicy).toBe('Never');
        expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
        expect(container.resources.requests).toHaveProperty('memory');
        expect(container.resources.limits).toHaveProperty('memory');
      }
    }
  });
});

describe('parseAddon', () => {
  test('names each unknown value', () => {
    expect(() => parseAddon('a: ${one}\nb: ${two} ${one}', {})).toThrow('unknown values: one, two');
  });

  test('leaves out a list item that comes out empty, and only that', () => {
    expect(parseAddon("list: ['', a, '${gone}']", { gone: '' })).toEqual([{ list: ['', 'a'] }]);
  });

  test('redirects to the port of HTTPS where it is not 443', () => {
    const redirect = { 'redirect.to': '--x.to=:8443', 'redirect.scheme': '--x.scheme=https' };
    const args = (values: Record<string, string>): readonly string[] =>
      podsOf('traefik', values)[0]?.containers[0]?.args ?? [];
    expect(args({ ...VALUES, ...redirect })).toEqual(expect.arrayContaining(['--x.to=:8443', '--x.scheme=https']));
    expect(args(VALUES)).not.toContain('');
  });
});

describe('checkMachine', () => {
  const machine = { platform: 'linux', uid: 0 } as const;

  test.each([
    [
      'another system',
      { ...machine, platform: 'darwin' as const },
      /needs Linux; this machine runs darwin.*kind create cluster/s,
    ],
    ['another user', { ...machine, uid: 1000 }, /needs root.*simulated nodes/s],
  ])('refuses %s and says what can be used', (_, given, message) => {
    expect(() => checkMachine(given)).toThrow(message);
  });

  test('takes root on Linux', () => {
    expect(() => checkMachine(machine)).not.toThrow();
  });
});

test('there are two classes: the default one expands, the other never does', () => {
  const classes = readAddon('local-path', VALUES).filter(({ kind }) => kind === 'StorageClass');
  const told = classes.map(({ metadata, allowVolumeExpansion }) => ({
    name: metadata.name,
    standard: (metadata as { annotations?: Record<string, string> }).annotations?.[
      'storageclass.kubernetes.io/is-default-class'
    ],
    allowVolumeExpansion,
  }));
  expect(told).toEqual([
    { name: 'local-path', standard: 'true', allowVolumeExpansion: true },
    { name: 'local-path-fixed', standard: undefined, allowVolumeExpansion: false },
  ]);
});
