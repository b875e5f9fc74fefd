import type { Node, Pod } from '@spillway/kube';
import type { PoolCapacity } from '../../placement/binder/capacity.ts';
import { selectsNode, untoleratedTaints } from '../../podspec/fit/node-match.ts';
import { footprint } from '../../podspec/resources.ts';

/** Where replicas would go now. For `auto` the scheduler's scores decide, so it may send more of them to a pool. */
export interface Forecast {
  readonly local: number;
  readonly burst: number;
  /** Neither side takes them. */
  readonly waiting: number;
}

export interface Sides {
  /** Real nodes. */
  readonly nodes: readonly Node[];
  /** Virtual nodes of the pools that take such a pod. */
  readonly pools: readonly Node[];
  /** What all nodes have left. What the replicas take is taken from it. */
  readonly room: PoolCapacity;
}

/** @param pod as admission leaves it: what it wrote keeps `enforce` off real nodes */
export function forecastOf(pod: Pod, replicas: number, { nodes, pools, room }: Sides): Forecast {
  const local = take(
    pod,
    replicas,
    nodes.filter((node) => isOpenTo(node, pod)),
    room,
  );
  const burst = take(pod, replicas - local, pools, room);
  return { local, burst, waiting: replicas - local - burst };
}

/** Would the scheduler consider the node for the pod? */
export function isOpenTo(node: Node, pod: Pod): boolean {
  const taints = untoleratedTaints(pod.spec?.tolerations ?? [], node.spec?.taints ?? []);
  return node.spec?.unschedulable !== true && taints.length === 0 && selectsNode(pod, node);
}

/** How many of these pods get room on the nodes. */
function take(pod: Pod, wanted: number, nodes: readonly Node[], room: PoolCapacity): number {
  const each = footprint(pod);
  let placed = 0;
  for (const { metadata } of nodes) {
    const name = metadata?.name ?? '';
    const count = Math.min(wanted - placed, room.times(name, each));
    room.take(name, each, count);
    placed += count;
  }
  return placed;
}
