import { type Node, type Pod, uidOf } from '@spillway/kube';
import { footprint, PoolCapacity } from '../../placement/binder/capacity.ts';
import { selectsNode, untoleratedTaints } from '../../placement/binder/node-match.ts';
import type { BurstValue } from '../../podspec/contract.ts';

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
  /** Virtual nodes of pools that do not refuse the pod. */
  readonly pools: readonly Node[];
  /** All pods of the cluster, for what is taken. */
  readonly pods: readonly Pod[];
}

export function forecastOf(pod: Pod, value: BurstValue, replicas: number, { nodes, pools, pods }: Room): Forecast {
  const open = nodes.filter((node) => takes(node, pod));
  const local = value === 'enforce' ? 0 : Math.min(replicas, roomFor(pod, open, pods));
  const left = replicas - local;
  const burst = value === 'off' ? 0 : Math.min(left, roomFor(pod, pools, pods));
  return { local, burst, waiting: left - burst };
}

function takes(node: Node, pod: Pod): boolean {
  const taints = untoleratedTaints(pod.spec?.tolerations ?? [], node.spec?.taints ?? []);
  return node.spec?.unschedulable !== true && taints.length === 0 && selectsNode(pod, node);
}

/** How many such pods fit on these nodes beside what is there. */
function roomFor(pod: Pod, nodes: readonly Node[], pods: readonly Pod[]): number {
  const capacity = new PoolCapacity();
  const names = nodes.map(({ metadata }) => metadata?.name ?? '');
  nodes.forEach((node, index) => capacity.setNode(names[index] ?? '', node));
  for (const other of pods) {
    if (other.spec?.nodeName) capacity.observe(uidOf(other), other.spec.nodeName, other);
  }
  const wanted = footprint(pod);
  return names.reduce((sum, name) => sum + fits(capacity, name, wanted), 0);
}

function fits(capacity: PoolCapacity, name: string, wanted: ReturnType<typeof footprint>): number {
  let [low, high] = [0, 1_000_000];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const amounts = new Map(Array.from(wanted, ([key, amount]) => [key, amount * BigInt(middle)]));
    if (capacity.shortage(name, amounts) === undefined) low = middle;
    else high = middle - 1;
  }
  return low;
}
