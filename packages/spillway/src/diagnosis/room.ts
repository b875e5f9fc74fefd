import { type Node, type Pod, uidOf } from '@spillway/kube';
import { PoolCapacity } from '../placement/binder/capacity.ts';

/** What the nodes have left. */
export function roomOf(nodes: readonly Node[], pods: readonly Pod[]): PoolCapacity {
  const room = new PoolCapacity();
  for (const node of nodes) room.setNode(node.metadata?.name ?? '', node);
  for (const pod of pods) {
    if (pod.spec?.nodeName) room.observe(uidOf(pod), pod.spec.nodeName, pod);
  }
  return room;
}
