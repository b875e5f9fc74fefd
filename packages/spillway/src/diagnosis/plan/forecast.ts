import { type Node, type Pod, uidOf } from '@spillway/kube';
import { footprint, PoolCapacity } from '../../placement/binder/capacity.ts';
import { selectsNode, untoleratedTaints } from '../../placement/binder/node-match.ts';

/** Where replicas would go now. For `auto` the scheduler's scores decide, so it may send more of them to a pool. */
export interface Forecast {
  readonly local: number;
  readonly burst: number;
  /** Neither side takes them. */
  readonly waiting: number;
}

export interface Room {
  /** Real nodes. */
  readonly nodes: readonly Node[];
  /** Virtual nodes of the pools that take such a pod. */
  readonly pools: readonly Node[];
  /** All pods of the cluster, for what is taken. */
  readonly pods: readonly Pod[];
}

/** @param pod as admission leaves it: what it wrote keeps `enforce` off real nodes */
export function forecastOf(pod: Pod, replicas: number, { nodes, pools, pods }: Room): Forecast {
  const open = nodes.filter((node) => isOpenTo(node, pod));
  const local = Math.min(replicas, roomFor(pod, open, pods));
  const left = replicas - local;
  const burst = Math.min(left, roomFor(pod, pools, pods));
  return { local, burst, waiting: left - burst };
}

/** Would the scheduler consider the node for the pod? */
export function isOpenTo(node: Node, pod: Pod): boolean {
  const taints = untoleratedTaints(pod.spec?.tolerations ?? [], node.spec?.taints ?? []);
  return node.spec?.unschedulable !== true && taints.length === 0 && selectsNode(pod, node);
}

/** How many such pods fit on these nodes beside what is there. */
function roomFor(pod: Pod, nodes: readonly Node[], pods: readonly Pod[]): number {
  const capacity = capacityOf(nodes, pods);
  const wanted = footprint(pod);
  return nodes.reduce((sum, { metadata }) => sum + capacity.times(metadata?.name ?? '', wanted), 0);
}

/** What the nodes have left. */
export function capacityOf(nodes: readonly Node[], pods: readonly Pod[]): PoolCapacity {
  const capacity = new PoolCapacity();
  for (const node of nodes) capacity.setNode(node.metadata?.name ?? '', node);
  for (const pod of pods) {
    if (pod.spec?.nodeName) capacity.observe(uidOf(pod), pod.spec.nodeName, pod);
  }
  return capacity;
}
