import { randomBytes } from 'node:crypto';
import type { BinaryPaths } from './binaries/resolve.ts';
import type { ComponentName } from './components/names.ts';
import { DevClusterError } from './errors.ts';
import { parseCidr, podCidr as nodePodCidr, serviceCidr as usualServiceCidr } from './network/addressing.ts';
import { abilitiesOf, knownKubernetesVersion, type KubernetesVersion } from './kubernetes-version.ts';

export interface NodeOptions {
  /** CPU that pods may request on the node, as a Kubernetes quantity; default '2'. At most what the machine has. */
  readonly cpu?: string;
  /** Memory that pods may request, as a Kubernetes quantity; default '4Gi'. At most what the machine has. */
  readonly memory?: string;
  /** Default 110. */
  readonly maxPods?: number;
  /** Default 'node-1'. */
  readonly name?: string;
  /** Network of the node's pods; default 10.244.0.0/16. */
  readonly podCidr?: string;
  /** Whether pods reach Services and know their names: kube-proxy and CoreDNS. Default true. */
  readonly services?: boolean;
  /** Whether there is metrics-server, for `kubectl top` and autoscalers. Default false. */
  readonly metricsServer?: boolean;
}

export interface ClusterOptions {
  /** Lower-case letters, digits and dashes, at most 20. Default: `c-` and six random digits. */
  readonly name?: string;
  /** The real node; `false` for a control plane alone. Default: a node. */
  readonly node?: false | NodeOptions;
  /**
   * 1.37.2, 1.36.3, or 1.28.15 for a control plane alone; a minor is enough. Default: `SPILLWAY_KUBERNETES_VERSION`, or else the
   * newest.
   */
  readonly kubernetesVersion?: string;
  /** Network of cluster IPs; default 10.96.0.0/16. */
  readonly serviceCidr?: string;
  /** `--feature-gates` of all Kubernetes components. */
  readonly featureGates?: Readonly<Record<string, boolean>>;
  /** Flags that are added after our own, such as `--node-monitor-period=1s`. */
  readonly extraArgs?: Partial<Record<ComponentName, readonly string[]>>;
  /** The cluster outlives this process, until it is taken down by name. Default false. */
  readonly keep?: boolean;
  /** Programs to use instead of those that would be found. */
  readonly binaries?: BinaryPaths;
  /** Told about progress, one line at a time. */
  readonly log?: (line: string) => void;
  /** Gives up and takes down what was made. */
  readonly signal?: AbortSignal;
}

export interface ResolvedNode {
  readonly name: string;
  readonly milliCpu: number;
  readonly memoryBytes: number;
  readonly maxPods: number;
  readonly podCidr: string;
  readonly services: boolean;
  readonly metricsServer: boolean;
}

/** What of the options the supervisor needs; plain data. */
export interface ResolvedOptions {
  readonly name: string;
  readonly kubernetesVersion: KubernetesVersion;
  readonly node: ResolvedNode | undefined;
  readonly serviceCidr: string;
  readonly featureGates: Readonly<Record<string, boolean>>;
  readonly extraArgs: Partial<Record<ComponentName, readonly string[]>>;
  readonly keep: boolean;
}

/** @param usualVersion of Kubernetes, when the options ask for none */
export function resolveOptions(options: ClusterOptions, usualVersion?: string): ResolvedOptions {
  const kubernetesVersion = knownKubernetesVersion(options.kubernetesVersion ?? usualVersion);
  checkContainers(options, kubernetesVersion);
  const name = options.name ?? `c-${randomBytes(3).toString('hex')}`;
  checkName(name);
  return {
    name,
    kubernetesVersion,
    node: options.node === false ? undefined : resolveNode(options.node ?? {}),
    serviceCidr: network('Services', options.serviceCidr ?? usualServiceCidr),
    featureGates: options.featureGates ?? {},
    extraArgs: options.extraArgs ?? {},
    keep: options.keep ?? false,
  };
}

/** What a running cluster has that is not as it is wanted, in words; what is left out does not matter. */
export function differences(
  running: ResolvedOptions,
  { node: wanted, kubernetesVersion }: Pick<ClusterOptions, 'node' | 'kubernetesVersion'>,
): readonly string[] {
  const { node } = running;
  const version =
    kubernetesVersion === undefined ? running.kubernetesVersion : knownKubernetesVersion(kubernetesVersion);
  const others = version === running.kubernetesVersion ? [] : [`Kubernetes ${running.kubernetesVersion}`];
  if (wanted === false) return node === undefined ? others : [...others, 'a node'];
  if (node === undefined || wanted === undefined) return others;
  const resolved = resolveNode(wanted);
  return [
    ...others,
    ...(wanted.cpu === undefined || resolved.milliCpu === node.milliCpu ? [] : [`${node.milliCpu / 1000} CPU`]),
    ...(wanted.memory === undefined || resolved.memoryBytes === node.memoryBytes
      ? []
      : [`${node.memoryBytes / 2 ** 30} GiB of memory`]),
    ...(wanted.maxPods === undefined || resolved.maxPods === node.maxPods ? [] : [`room for ${node.maxPods} pods`]),
    ...(wanted.metricsServer === undefined || resolved.metricsServer === node.metricsServer
      ? []
      : [node.metricsServer ? 'metrics-server' : 'no metrics-server']),
  ];
}

function checkContainers({ node }: ClusterOptions, version: KubernetesVersion): void {
  if (abilitiesOf(version).containers || node === false) return;
  throw new DevClusterError(
    'invalid',
    `Kubernetes ${version} comes as a control plane alone, without a node (--no-node, node: false)`,
  );
}

export function checkName(name: string): void {
  if (/^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/.test(name)) return;
  throw new DevClusterError(
    'invalid',
    `"${name}" cannot be a cluster's name: use at most 20 lower-case letters, digits and dashes, a letter first`,
  );
}

function resolveNode(node: NodeOptions): ResolvedNode {
  return {
    name: node.name ?? 'node-1',
    milliCpu: Math.round(parseQuantity(node.cpu ?? '2') * 1000),
    memoryBytes: Math.round(parseQuantity(node.memory ?? '4Gi')),
    maxPods: node.maxPods ?? 110,
    podCidr: network('pods', node.podCidr ?? nodePodCidr),
    services: node.services ?? true,
    metricsServer: node.metricsServer ?? false,
  };
}

function network(of: 'pods' | 'Services', cidr: string): string {
  if (cidr.includes('/') && parseCidr(cidr) !== undefined) return cidr;
  throw new DevClusterError('invalid', `"${cidr}" is not a network for ${of}: write for example ${nodePodCidr}`);
}

const suffixes: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** The part of Kubernetes' quantities that a node's size needs: a positive decimal with an optional suffix. */
export function parseQuantity(text: string): number {
  const [, digits, suffix = ''] = /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = suffixes[suffix];
  const value = digits === undefined || factor === undefined ? 0 : Number(digits) * factor;
  if (value > 0) return value;
  throw new DevClusterError('invalid', `"${text}" is not a quantity: write for example 2, 1500m or 4Gi`);
}
