import { type KubeObject, nameOf, type Node, type Pod } from '@spillway/kube';
import { leaderOf } from '../addon/installation/leader-of.ts';
import type { Config } from '../config/config.ts';
import { type HibernationTarget, nodeRecordOf, workloadRecordOf } from '../podspec/hibernation.ts';
import { isReady, type RolloutView, rolloutVerdict } from './rollout.ts';

/** How an installation is. */
export interface StatusReport {
  readonly installation: string;
  readonly namespace: string;
  readonly image: string;
  readonly healthy: boolean;
  /** Why it is not. */
  readonly problems: readonly string[];
  /** Absent: nothing hibernates. */
  readonly hibernation?: {
    /** RFC 3339, of what has hibernated first. */
    readonly since: string;
    /** Absent: only some workloads hibernate, and the virtual nodes take pods. */
    readonly to?: HibernationTarget;
    /** As many have something to be given back. */
    readonly workloads: number;
  };
  readonly replicas: { readonly wanted: number; readonly ready: number };
  readonly pods: readonly {
    readonly name: string;
    readonly node: string | undefined;
    readonly ready: boolean;
    readonly restarts: number;
    /** Pools that it leads. */
    readonly leads: readonly string[];
  }[];
  readonly pools: readonly {
    readonly name: string;
    readonly node: string;
    readonly leader: string | undefined;
    readonly ready: boolean;
    /** As the virtual node reports it. */
    readonly version: string | undefined;
    readonly burstPods: Readonly<Record<string, number>>;
  }[];
}

export interface StatusView {
  readonly config: Config;
  readonly namespace: string;
  readonly rollout: RolloutView;
  /** Bound to the virtual nodes. */
  readonly burstPods: readonly Pod[];
  /** Workloads that hibernate. */
  readonly hibernating: readonly KubeObject[];
}

export function statusReport({ config, namespace, rollout, burstPods, hibernating }: StatusView): StatusReport {
  const { deployment, pods, pools } = rollout;
  const verdict = rolloutVerdict(rollout);
  const problems = [
    ...(verdict.kind === 'waiting' ? verdict.reasons : []),
    ...(verdict.kind === 'failed' ? [verdict.reason] : []),
    ...pools.flatMap(({ name, node }) => nodeProblems(name, node)),
  ];
  const led = pools.map(({ name, lease }) => ({ name, leader: leaderOf(lease) }));
  return {
    installation: config.name,
    namespace,
    image: deployment?.spec?.template.spec?.containers[0]?.image ?? '',
    healthy: problems.length === 0,
    problems,
    ...hibernationOf(
      pools.flatMap(({ node }) => node ?? []),
      hibernating,
    ),
    replicas: { wanted: deployment?.spec?.replicas ?? 0, ready: deployment?.status?.readyReplicas ?? 0 },
    pods: pods.map((pod) => ({
      name: nameOf(pod),
      node: pod.spec?.nodeName,
      ready: isReady(pod),
      restarts: pod.status?.containerStatuses?.[0]?.restartCount ?? 0,
      leads: led.filter(({ leader }) => leader === nameOf(pod)).map(({ name }) => name),
    })),
    pools: pools.map(({ name, nodeName, lease, node }) => ({
      name,
      node: nodeName,
      leader: leaderOf(lease),
      ready: node !== undefined && isReady(node),
      version: node?.status?.nodeInfo?.kubeletVersion,
      burstPods: countedByPhase(burstPods.filter(({ spec }) => spec?.nodeName === nodeName)),
    })),
  };
}

const troubles = new Set(['BackendReachable', 'BackendPrepared', 'HeartbeatRenewed']);

function hibernationOf(nodes: readonly Node[], workloads: readonly KubeObject[]): Pick<StatusReport, 'hibernation'> {
  const ofNodes = nodes.flatMap((node) => nodeRecordOf(node) ?? []);
  const ofWorkloads = workloads.flatMap((object) => workloadRecordOf(object) ?? []);
  const [since] = [...ofNodes, ...ofWorkloads].map((record) => record.since).toSorted();
  if (since === undefined) return {};
  const [first] = ofNodes;
  return { hibernation: { since, ...(first && { to: first.to }), workloads: workloads.length } };
}

/** A node stays Ready for its pods while its backend has trouble. */
function nodeProblems(pool: string, node: Node | undefined): string[] {
  return (node?.status?.conditions ?? [])
    .filter(({ type, status }) => troubles.has(type) && status === 'False')
    .map(({ type, reason, message }) => `pool ${pool}: ${type}=False, ${reason ?? ''}: ${message ?? ''}`);
}

function countedByPhase(pods: readonly Pod[]): Readonly<Record<string, number>> {
  const phases = Map.groupBy(pods, ({ status }) => status?.phase ?? 'Pending');
  return Object.fromEntries(Array.from(phases, ([phase, same]) => [phase, same.length]));
}
