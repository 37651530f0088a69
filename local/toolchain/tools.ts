/**
 * What the platform is run with, each tool pinned. A tool comes from PATH where a version that fits is there, else
 * from its vendor's release, else from its Go module, whose `go.mod` and `go.sum` lie in the folder of `module.directory`.
 */
import { LAZY_WORD_LISTS, type SourceEdit } from './edits';

export type ToolName =
  | 'pulumi'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'kube-proxy'
  | 'network-policies'
  | 'coredns'
  | 'traefik'
  | 'metrics-server'
  | 'local-path-provisioner'
  | 'nominal-resizer'
  | 'kubeconform'
  | 'kube-score'
  | 'psa-check'
  | 'unseal'
  | 'actionlint'
  | 'kwok'
  | 'versitygw'
  | 'docker-compose'
  | 'helm'
  | 'kustomize'
  | 'jsonnet';

/** `<process.platform>-<process.arch>`, as Node names them. */
export type Platform = 'linux-x64' | 'linux-arm64';

/** A file that the vendor publishes. */
export interface Release {
  readonly url: string;
  /** 64 hexadecimal digits, of the file at `url` and not of what it holds. */
  readonly sha256: string;
  /** Path inside a .tar.gz. @default - the file is the program itself */
  readonly member?: string;
}

export interface GoModule {
  /** Folder under `local/toolchain` that holds go.mod and go.sum. */
  readonly directory: string;
  /** Import path of the command; `.` for one that is written here. */
  readonly package: string;
  /** Values for `-ldflags -X`: variable → value. @default - none */
  readonly variables?: Readonly<Record<string, string>>;
  /** What is changed in the source of its modules. @default - nothing */
  readonly edits?: readonly SourceEdit[];
}

export interface Tool {
  readonly name: ToolName;
  readonly version: string;
  /**
   * How a program of that name on PATH tells its version, and which one will do: `minor` is the same minor version as
   * ours, `[from, below]` a range. @default - a program on PATH is never taken
   */
  readonly onPath?: {
    readonly argv: readonly string[];
    readonly fits: 'minor' | readonly [from: string, below: string];
  };
  /** @default - none whose checksum is known from public material; no checksum is ever guessed */
  readonly releases?: Partial<Record<Platform, Release>>;
  readonly module: GoModule;
  /** How long the build took, in minutes: all of them once, one after the other, on two cores that had other work too. */
  readonly buildMinutes: number;
}

const KUBERNETES = '1.34.4';

/** One of the five programs of Kubernetes; they share a module, so the second is built much faster than the first. */
function kubernetes(name: ToolName, buildMinutes: number, kubelet?: Readonly<Record<Platform, string>>): Tool {
  const release = (architecture: string, sha256: string): Release => ({
    url: `https://dl.k8s.io/release/v${KUBERNETES}/bin/linux/${architecture}/${name}`,
    sha256,
  });
  const [major = '', minor = ''] = KUBERNETES.split('.');
  const version = 'k8s.io/component-base/version';
  return {
    name,
    version: KUBERNETES,
    onPath: { argv: ['--version'], fits: 'minor' },
    ...(kubelet === undefined
      ? {}
      : {
          releases: {
            'linux-x64': release('amd64', kubelet['linux-x64']),
            'linux-arm64': release('arm64', kubelet['linux-arm64']),
          },
        }),
    module: {
      directory: 'kubernetes',
      package: `k8s.io/kubernetes/cmd/${name}`,
      variables: {
        [`${version}.gitVersion`]: `v${KUBERNETES}`,
        [`${version}.gitMajor`]: major,
        [`${version}.gitMinor`]: minor,
      },
    },
    buildMinutes,
  };
}

const ALL: readonly Tool[] = [
  {
    name: 'pulumi',
    version: '3.250.0',
    // The SDK in package.json is 3.245; the engine must not be older than it.
    onPath: { argv: ['version'], fits: ['3.245.0', '4.0.0'] },
    // No release: the newest one whose checksums are public in a second place (nixpkgs' pulumi-bin) is 3.221.0.
    module: {
      directory: 'pulumi',
      package: 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi',
      variables: { 'github.com/pulumi/pulumi/sdk/v3/go/common/version.Version': 'v3.250.0' },
      edits: LAZY_WORD_LISTS,
    },
    buildMinutes: 5,
  },
  kubernetes('kube-apiserver', 5),
  kubernetes('kube-controller-manager', 1.5),
  kubernetes('kube-scheduler', 0.2),
  // Checksums: kubespray's table, roles/kubespray_defaults/vars/main/checksums.yml. It has none of the other four,
  // since those are published there as images.
  kubernetes('kubelet', 0.5, {
    'linux-x64': '03b8fea715a7ef82eeaf518dee34c72670c57cc7bc40dc1320c04fbf4f15172f',
    'linux-arm64': 'c78845473c434ee85a2444eeab87f8b20f524e3ab6854a078f79468f44aad8f5',
  }),
  kubernetes('kube-proxy', 0.2),
  {
    // A command of our own around kube-router's policy controller; the version is the controller's.
    name: 'network-policies',
    version: '2.2.1',
    module: { directory: 'network-policies', package: '.' },
    buildMinutes: 1,
  },
  {
    name: 'coredns',
    version: '1.12.4',
    onPath: { argv: ['-version'], fits: 'minor' },
    module: { directory: 'coredns', package: 'github.com/coredns/coredns' },
    buildMinutes: 2.5,
  },
  {
    name: 'traefik',
    version: '3.5.4',
    onPath: { argv: ['version'], fits: 'minor' },
    module: {
      directory: 'traefik',
      package: 'github.com/traefik/traefik/v3/cmd/traefik',
      variables: { 'github.com/traefik/traefik/v3/pkg/version.Version': '3.5.4' },
    },
    buildMinutes: 12,
  },
  {
    name: 'metrics-server',
    version: '0.9.0',
    onPath: { argv: ['--version'], fits: 'minor' },
    module: { directory: 'metrics-server', package: 'sigs.k8s.io/metrics-server/cmd/metrics-server' },
    buildMinutes: 4,
  },
  {
    // Tells no usable version when built from its module, so only ours is taken.
    name: 'local-path-provisioner',
    version: '0.0.30',
    module: { directory: 'local-path-provisioner', package: 'github.com/rancher/local-path-provisioner' },
    buildMinutes: 2,
  },
  {
    // A command of our own, of nothing but Go's standard library.
    name: 'nominal-resizer',
    version: '1.0.0',
    module: { directory: 'nominal-resizer', package: '.' },
    buildMinutes: 0.2,
  },
  {
    name: 'kubeconform',
    version: '0.8.0',
    onPath: { argv: ['-v'], fits: 'minor' },
    module: { directory: 'kubeconform', package: 'github.com/yannh/kubeconform/cmd/kubeconform' },
    buildMinutes: 0.2,
  },
  {
    name: 'kube-score',
    version: '1.20.0',
    onPath: { argv: ['version'], fits: 'minor' },
    module: { directory: 'kube-score', package: 'github.com/zegl/kube-score/cmd/kube-score' },
    buildMinutes: 0.8,
  },
  {
    name: 'psa-check',
    version: '0.34.4',
    module: { directory: 'psa-check', package: '.' },
    buildMinutes: 0.4,
  },
  {
    // A command of our own around the controller's code, for the tests; the version is the controller's.
    name: 'unseal',
    version: '0.27.1',
    module: { directory: 'unseal', package: '.' },
    buildMinutes: 1,
  },
  {
    name: 'actionlint',
    version: '1.7.12',
    onPath: { argv: ['-version'], fits: 'minor' },
    module: { directory: 'actionlint', package: 'github.com/rhysd/actionlint/cmd/actionlint' },
    buildMinutes: 0.3,
  },
  {
    name: 'kwok',
    version: '0.8.0',
    onPath: { argv: ['--version'], fits: 'minor' },
    module: { directory: 'kwok', package: 'sigs.k8s.io/kwok/cmd/kwok' },
    buildMinutes: 2.7,
  },
  {
    // Object storage over a folder, for the tests of the cluster alone. Tells no version when built from its module.
    name: 'versitygw',
    version: '1.8.0',
    module: { directory: 'versitygw', package: 'github.com/versity/versitygw/cmd/versitygw' },
    buildMinutes: 2,
  },
  {
    name: 'docker-compose',
    version: '2.40.3',
    // `develop` came with 2.22.
    onPath: { argv: ['version', '--short'], fits: ['2.22.0', '6.0.0'] },
    module: {
      directory: 'docker-compose',
      package: 'github.com/docker/compose/v2/cmd',
      variables: { 'github.com/docker/compose/v2/internal.Version': 'v2.40.3' },
    },
    buildMinutes: 2.5,
  },
  // The last three only stand beside ours in bench/.
  {
    name: 'helm',
    version: '3.22.0',
    onPath: { argv: ['version', '--short'], fits: 'minor' },
    module: {
      directory: 'helm',
      package: 'helm.sh/helm/v3/cmd/helm',
      variables: { 'helm.sh/helm/v3/internal/version.version': 'v3.22.0' },
    },
    buildMinutes: 2.5,
  },
  {
    name: 'kustomize',
    // Not 5.8.3, which asks for a Go newer than the one that the others are built with.
    version: '5.8.1',
    onPath: { argv: ['version'], fits: 'minor' },
    module: { directory: 'kustomize', package: 'sigs.k8s.io/kustomize/kustomize/v5' },
    buildMinutes: 0.5,
  },
  {
    name: 'jsonnet',
    version: '0.22.0',
    onPath: { argv: ['--version'], fits: 'minor' },
    module: { directory: 'jsonnet', package: 'github.com/google/go-jsonnet/cmd/jsonnet' },
    buildMinutes: 0.5,
  },
];

export const TOOLS: ReadonlyMap<ToolName, Tool> = new Map(ALL.map((tool) => [tool.name, tool]));

/** The first `x.y.z` in what a program says of itself. */
export function versionIn(text: string): string | undefined {
  return /(?<![\d.])v?(\d+\.\d+\.\d+)/.exec(text)?.[1];
}

const numbers = (version: string): readonly number[] => version.split('.').map(Number);

/** Negative, zero or positive, as `a` is older than, the same as or newer than `b`; both are `x.y.z`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)];
  const at = left.findIndex((value, index) => value !== right[index]);
  return at === -1 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
}

/** Whether a program on PATH that tells this version does instead of ours. */
export function fits(tool: Tool, version: string): boolean {
  if (tool.onPath === undefined) return false;
  if (tool.onPath.fits === 'minor') {
    return numbers(version).slice(0, 2).join('.') === numbers(tool.version).slice(0, 2).join('.');
  }
  const [from, below] = tool.onPath.fits;
  return compareVersions(version, from) >= 0 && compareVersions(version, below) < 0;
}
