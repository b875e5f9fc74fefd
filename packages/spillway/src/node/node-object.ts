import type { Node, NodeCondition, NodeStatus, Taint } from '@spillway/kube';
import type { PreparationState, UsageState } from '../backends/backend.ts';
import {
  backendAnnotation,
  claimsAnnotation,
  manyClaims,
  blockedTaint,
  burstTaint,
  preferTaint,
  sizingAnnotation,
  virtualNodeLabels,
} from '../podspec/contract.ts';

/** What the virtual node is; the parts that never change while the process runs, and those that do. */
export interface NodeFacts {
  readonly name: string;
  readonly clusterId: string;
  /** Labels from the configuration; they win over the defaults. */
  readonly labels: Readonly<Record<string, string>>;
  /** Taints from the configuration. */
  readonly taints: readonly Taint[];
  /** Name of the rule set by which pods are sized. */
  readonly sizing: string;
  /** Name of what the backend supports. */
  readonly backend: string;
  /** The only claims that the backend mounts. Absent: it depends on their storage. */
  readonly claims?: ReadonlySet<string> | undefined;
  readonly address: string;
  readonly kubeletPort: number;
  /** As the API server reports it, e.g. `v1.36.3`. */
  readonly serverVersion: string;
  readonly ownVersion: string;
  /** E.g. `containerd://1.6.20`. */
  readonly runtimeVersion: string;
  /** As Kubernetes names it, e.g. `amd64`. */
  readonly architecture: string;
  /** Kubernetes quantities by resource. */
  readonly capacity: Readonly<Record<string, string>>;
  readonly health: BackendHealthState;
  readonly preparation: PreparationState;
  readonly usage: UsageState;
  /** Absent: there is none. */
  readonly heartbeat?: HeartbeatState | undefined;
  /** Why the pool takes no new pods; absent: it takes them. */
  readonly blocked?: { readonly reason: string; readonly message: string } | undefined;
}

export type BackendHealthState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'reachable' }
  | { readonly kind: 'unreachable'; readonly message: string };

/** Whether what ends instances after a silence knows that there is none. */
export type HeartbeatState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'renewed' }
  | { readonly kind: 'late'; readonly message: string };

/** Which of our labels and taints are on the node, so that one that is configured no more can be taken away. */
export const labelsAnnotation = 'spillway.dev/node-labels';
const taintsAnnotation = 'spillway.dev/node-taints';

/** Keys of the taints that we own; others on the node are none of our business. */
export function ownTaintKeys({ taints }: NodeFacts, annotations: Readonly<Record<string, string>>): Set<string> {
  const before = annotations[taintsAnnotation]?.split(',') ?? [burstTaint.key, preferTaint.key];
  return new Set([...before, ...taints.map(({ key }) => key), blockedTaint.key]);
}

export function nodeLabels({ name, architecture, labels }: NodeFacts): Record<string, string> {
  return {
    ...virtualNodeLabels,
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': architecture,
    // Load balancers would take it as a backend otherwise.
    'node.kubernetes.io/exclude-from-external-load-balancers': 'true',
    ...labels,
  };
}

export function nodeTaints({ taints, health, preparation, blocked }: NodeFacts): Taint[] {
  const closed = blocked !== undefined || health.kind !== 'reachable' || preparation.kind === 'unprepared';
  return [...taints, ...(closed ? [blockedTaint] : [])];
}

const providerScheme = 'spillway://';

/** Cloud node controllers delete nodes that have none. */
export function providerId({ clusterId, name }: NodeFacts): string {
  return `${providerScheme}${clusterId}/${name}`;
}

/** Made by Spillway, whichever process or version of it. Any other node is somebody's machine, or another program's. */
export function isOwnNode({ metadata, spec }: Node): boolean {
  return (
    spec?.providerID?.startsWith(providerScheme) === true || metadata?.annotations?.[labelsAnnotation] !== undefined
  );
}

/** What to say about a node that is not ours and has the name that ours should have. */
export function foreignNodeMessage({ metadata, spec, status }: Node): string {
  const facts = [status?.nodeInfo?.kubeletVersion, spec?.providerID].filter(Boolean).join(', ');
  return `Node ${metadata?.name}${facts === '' ? '' : ` (${facts})`} was not created by Spillway, so Spillway leaves it alone and this pool serves no pods. Set nodeName of the pool to a name that no node has or, if nothing serves the node any more, delete it.`;
}

/** The node as it is registered. Its status is written apart, by another identity. */
export function newNode(facts: NodeFacts): Node {
  const labels = nodeLabels(facts);
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: facts.name, labels, annotations: nodeAnnotations(facts) },
    spec: { providerID: providerId(facts), taints: nodeTaints(facts) },
  };
}

/** All annotations of a node may have 256 KiB. */
const longestList = 100_000;

/** Those who ask without the configuration read sizing, backend and claims. */
export function nodeAnnotations(facts: NodeFacts): Record<string, string> {
  const claims = [...(facts.claims ?? [])].toSorted().join(',');
  return {
    [labelsAnnotation]: labelList(nodeLabels(facts)),
    [taintsAnnotation]: facts.taints.map(({ key }) => key).join(','),
    [sizingAnnotation]: facts.sizing,
    [backendAnnotation]: facts.backend,
    ...(facts.claims && { [claimsAnnotation]: claims.length <= longestList ? claims : manyClaims }),
  };
}

function labelList(labels: Readonly<Record<string, string>>): string {
  return Object.keys(labels).toSorted().join(',');
}

/** Without times: those depend on what the node says already. */
export function nodeStatus(facts: NodeFacts): NodeStatus {
  const { name, address, kubeletPort, runtimeVersion, architecture, capacity } = facts;
  return {
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
    capacity: { ...capacity },
    allocatable: { ...capacity },
    conditions: nodeConditions(facts),
    daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    nodeInfo: {
      architecture,
      operatingSystem: 'linux',
      osImage: 'Spillway virtual node',
      kubeletVersion: kubeletVersion(facts),
      containerRuntimeVersion: runtimeVersion,
      kernelVersion: '',
      kubeProxyVersion: '',
      machineID: '',
      systemUUID: '',
      bootID: '',
    },
  };
}

/**
 * An unhealthy backend is not an unhealthy node: `Ready=False` would withdraw endpoints and evict pods that run. It is a
 * condition of its own, and a taint.
 */
function nodeConditions({ health, preparation, usage, heartbeat }: NodeFacts): NodeCondition[] {
  return [
    {
      type: 'MemoryPressure',
      status: 'False',
      reason: 'KubeletHasSufficientMemory',
      message: 'kubelet has sufficient memory available',
    },
    {
      type: 'DiskPressure',
      status: 'False',
      reason: 'KubeletHasNoDiskPressure',
      message: 'kubelet has no disk pressure',
    },
    {
      type: 'PIDPressure',
      status: 'False',
      reason: 'KubeletHasSufficientPID',
      message: 'kubelet has sufficient PID available',
    },
    {
      type: 'NetworkUnavailable',
      status: 'False',
      reason: 'BackendNetwork',
      message: 'the backend provides its own network',
    },
    { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'spillway serves this node' },
    backendCondition(health),
    preparationCondition(preparation),
    usageCondition(usage),
    ...(heartbeat ? [heartbeatCondition(heartbeat)] : []),
  ];
}

function backendCondition(health: BackendHealthState): NodeCondition {
  const type = 'BackendReachable';
  switch (health.kind) {
    case 'reachable':
      return { type, status: 'True', reason: 'BackendAnswers', message: 'the backend answers its health check' };
    case 'unreachable':
      return { type, status: 'False', reason: 'BackendUnreachable', message: health.message };
    default:
      return { type, status: 'Unknown', reason: 'NotCheckedYet', message: 'the backend has not been checked yet' };
  }
}

function preparationCondition(preparation: PreparationState): NodeCondition {
  const type = 'BackendPrepared';
  switch (preparation.kind) {
    case 'prepared':
      return { type, status: 'True', reason: 'BackendPrepared', message: 'everything that pods need is in place' };
    case 'unprepared':
      return { type, status: 'False', reason: preparation.reason, message: preparation.message };
    default:
      return { type, status: 'Unknown', reason: 'NotPreparedYet', message: 'the backend is being prepared' };
  }
}

/** Pods run all the same, so that nothing but this condition says so. */
function usageCondition(usage: UsageState): NodeCondition {
  const type = 'MetricsAvailable';
  switch (usage.kind) {
    case 'measured':
      return { type, status: 'True', reason: 'BackendMeasures', message: 'the backend reports what pods use' };
    case 'unmeasured':
      return { type, status: 'False', reason: usage.reason, message: usage.message };
    default:
      return { type, status: 'Unknown', reason: 'NotAskedYet', message: 'the backend has not been asked yet' };
  }
}

/** Only there as long as a heartbeat is asked for. */
export const heartbeatConditionType = 'HeartbeatRenewed';

function heartbeatCondition(heartbeat: HeartbeatState): NodeCondition {
  const type = heartbeatConditionType;
  switch (heartbeat.kind) {
    case 'renewed':
      return {
        type,
        status: 'True',
        reason: 'HeartbeatRenewed',
        message: 'the dead-man switch knows that this pool lives',
      };
    case 'late':
      return { type, status: 'False', reason: 'HeartbeatLate', message: heartbeat.message };
    default:
      return { type, status: 'Unknown', reason: 'NotRenewedYet', message: 'the heartbeat has not been renewed yet' };
  }
}

/** The server's own version, so that it is within its skew, and ours as a suffix. Vendors' suffixes are left out. */
function kubeletVersion({ serverVersion, ownVersion }: NodeFacts): string {
  const plain = /^v?(\d+\.\d+\.\d+)/.exec(serverVersion)?.[1] ?? '1.28.0';
  return `v${plain}-spillway.${ownVersion}`;
}
