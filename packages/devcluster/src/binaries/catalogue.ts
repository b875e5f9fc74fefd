import {
  defaultKubernetesVersion,
  type KubernetesModule,
  kubernetesModules,
  type KubernetesVersion,
} from '../kubernetes-version.ts';

/** Which programs a cluster needs, which version of each, and where they come from. Data and pure functions only. */

export type ModuleName =
  | KubernetesModule
  | 'etcd'
  | 'coredns'
  | 'registry'
  | 'pause'
  | 'kwok'
  | 'virtual-kubelet'
  | 'e2e'
  | 'kubectl-1.35'
  | 'metrics-server'
  | 'promtool'
  | 'helm';

export type BinaryName =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubectl'
  | 'kubectl-1.36'
  | 'kubectl-1.35'
  | 'kubelet'
  | 'kube-proxy'
  | 'coredns'
  | 'metrics-server'
  | 'promtool'
  | 'helm'
  | 'registry'
  | 'agnhost'
  | 'pause'
  | 'kwok'
  | 'virtual-kubelet'
  | 'e2e.test'
  | 'ginkgo'
  | 'nonewprivs'
  | 'sample-apiserver';

/** The version that Kubernetes' own tree gives the image of this agnhost. */
export const agnhostVersion = '2.63.0';

export interface Binary {
  readonly name: BinaryName;
  /** Folder under tools/ whose go.mod pins the sources. */
  readonly module: ModuleName;
  readonly version: string;
  readonly goPackage: string;
  /** Build tags. */
  readonly tags?: string;
  /** The package's tests are the program. */
  readonly tests?: boolean;
  readonly ldflags: string;
  readonly download?: (os: string, arch: string) => Download;
  /** Needed only where containers run. */
  readonly containersOnly: boolean;
}

export interface Download {
  readonly url: string;
  /** A file with the SHA-256 in hex: alone, or in `sha256sum` lines of which the one with the file's name counts. */
  readonly checksumUrl: string;
  /** Path inside a .tar.gz; absent when the download is the program itself. */
  readonly member?: string;
}

/** What the benchmarks compare with. No cluster needs it. */
export const kwokVersion = '0.8.0';

/** Runs the tests of Kubernetes, and is of the version with which they were written. */
const ginkgoVersion = '2.32.0';

const versionPackage = 'k8s.io/component-base/version';
/** Without these kubectl and others cannot parse their own version. */
function kubernetesLdflags(version: string): string {
  const [major = '', minor = ''] = version.split('.');
  return [
    '-s -w',
    `-X ${versionPackage}.gitVersion=v${version}`,
    `-X ${versionPackage}.gitMajor=${major}`,
    `-X ${versionPackage}.gitMinor=${minor}`,
    `-X ${versionPackage}.gitTreeState=clean`,
  ].join(' ');
}

/** Of Kubernetes' own programs, whether only clusters with containers need them. */
const kubernetesPrograms: Partial<Record<BinaryName, { readonly containersOnly: boolean }>> = {
  'kube-apiserver': { containersOnly: false },
  'kube-controller-manager': { containersOnly: false },
  'kube-scheduler': { containersOnly: false },
  kubectl: { containersOnly: false },
  kubelet: { containersOnly: true },
  'kube-proxy': { containersOnly: true },
};

function kubernetes(name: BinaryName, version: KubernetesVersion, containersOnly: boolean): Binary {
  return {
    name,
    module: kubernetesModules[version],
    version,
    goPackage: `k8s.io/kubernetes/cmd/${name}`,
    ldflags: kubernetesLdflags(version),
    containersOnly,
    download: released(name, version),
  };
}

function released(name: string, version: string): NonNullable<Binary['download']> {
  return (os, arch) => {
    const url = `https://dl.k8s.io/v${version}/bin/${os}/${arch}/${name}`;
    return { url, checksumUrl: `${url}.sha256` };
  };
}

/** What users of the two minors before have. Of no cluster, but of tests that ask what they get. */
export const olderKubectls = ['kubectl-1.36', 'kubectl-1.35'] as const;

/** Only kubectl is built of it. */
const olderKubectlVersion = '1.35.4';

/** Whatever the version of Kubernetes. */
const others: readonly Binary[] = [
  {
    name: 'etcd',
    module: 'etcd',
    version: '3.7.3',
    goPackage: 'go.etcd.io/etcd/server/v3',
    ldflags: '-s -w',
    containersOnly: false,
    download: (os, arch) => {
      const release = 'https://github.com/etcd-io/etcd/releases/download/v3.7.3';
      const folder = `etcd-v3.7.3-${os}-${arch}`;
      return {
        url: `${release}/${folder}.tar.gz`,
        checksumUrl: `${release}/SHA256SUMS`,
        member: `${folder}/etcd`,
      };
    },
  },
  {
    name: 'coredns',
    module: 'coredns',
    version: '1.15.0',
    goPackage: '.',
    ldflags: '-s -w',
    containersOnly: true,
    download: (os, arch) => {
      const url = `https://github.com/coredns/coredns/releases/download/v1.15.0/coredns_1.15.0_${os}_${arch}.tgz`;
      return { url, checksumUrl: `${url}.sha256`, member: 'coredns' };
    },
  },
  {
    name: 'metrics-server',
    module: 'metrics-server',
    version: '0.9.0',
    goPackage: 'sigs.k8s.io/metrics-server/cmd/metrics-server',
    ldflags: '-s -w',
    containersOnly: true,
  },
  {
    name: 'promtool',
    module: 'promtool',
    version: '3.16.0',
    goPackage: 'github.com/prometheus/prometheus/cmd/promtool',
    // Without the client libraries of every cloud.
    tags: 'remove_all_sd',
    ldflags: '-s -w',
    containersOnly: false,
  },
  {
    name: 'helm',
    module: 'helm',
    version: '4.3.2',
    goPackage: 'helm.sh/helm/v4/cmd/helm',
    ldflags: '-s -w -X helm.sh/helm/v4/internal/version.version=v4.3.2',
    containersOnly: false,
  },
  { name: 'registry', module: 'registry', version: '3.1.2', goPackage: '.', ldflags: '-s -w', containersOnly: false },
  {
    name: 'agnhost',
    module: kubernetesModules[defaultKubernetesVersion],
    version: defaultKubernetesVersion,
    goPackage: 'k8s.io/kubernetes/test/images/agnhost',
    ldflags: kubernetesLdflags(defaultKubernetesVersion),
    containersOnly: true,
  },
  {
    name: 'kubectl-1.36',
    module: kubernetesModules['1.36.3'],
    version: '1.36.3',
    goPackage: 'k8s.io/kubernetes/cmd/kubectl',
    ldflags: kubernetesLdflags('1.36.3'),
    containersOnly: true,
    download: released('kubectl', '1.36.3'),
  },
  {
    name: 'kubectl-1.35',
    module: 'kubectl-1.35',
    version: olderKubectlVersion,
    goPackage: '.',
    ldflags: kubernetesLdflags(olderKubectlVersion),
    containersOnly: true,
    download: released('kubectl', olderKubectlVersion),
  },
  { name: 'pause', module: 'pause', version: '1', goPackage: '.', ldflags: '-s -w', containersOnly: true },
  {
    name: 'kwok',
    module: 'kwok',
    version: kwokVersion,
    goPackage: 'sigs.k8s.io/kwok/cmd/kwok',
    ldflags: '-s -w',
    containersOnly: false,
  },
  {
    name: 'virtual-kubelet',
    module: 'virtual-kubelet',
    version: '1.13.0',
    goPackage: 'github.com/virtual-kubelet/virtual-kubelet/cmd/virtual-kubelet',
    ldflags: '-s -w',
    containersOnly: false,
  },
  {
    name: 'e2e.test',
    module: 'e2e',
    version: defaultKubernetesVersion,
    goPackage: 'k8s.io/kubernetes/test/e2e',
    tests: true,
    ldflags: kubernetesLdflags(defaultKubernetesVersion),
    containersOnly: true,
  },
  {
    name: 'ginkgo',
    module: 'e2e',
    version: ginkgoVersion,
    goPackage: 'github.com/onsi/ginkgo/v2/ginkgo',
    ldflags: '-s -w',
    containersOnly: true,
  },
  {
    name: 'nonewprivs',
    module: 'e2e',
    version: defaultKubernetesVersion,
    goPackage: 'k8s.io/kubernetes/test/images/nonewprivs',
    ldflags: '-s -w',
    containersOnly: true,
  },
  {
    name: 'sample-apiserver',
    module: 'e2e',
    version: defaultKubernetesVersion,
    goPackage: 'k8s.io/sample-apiserver',
    ldflags: '-s -w',
    containersOnly: true,
  },
];

export function binary(name: BinaryName, version: KubernetesVersion = defaultKubernetesVersion): Binary {
  const program = kubernetesPrograms[name];
  if (program !== undefined) return kubernetes(name, version, program.containersOnly);
  const found = others.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no such binary: ${name}`);
  return found;
}

/** What the Go toolchain and the release archives call this platform. */
export function goPlatform(platform: NodeJS.Platform, arch: NodeJS.Architecture): { os: string; arch: string } {
  return { os: platform === 'win32' ? 'windows' : platform, arch: arch === 'x64' ? 'amd64' : arch };
}
