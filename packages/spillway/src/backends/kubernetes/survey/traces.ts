import { type KubeObject, nameOf, type Pod, uidOf } from '@spillway/kube';
import { isTerminalPhase } from '../../../podspec/pod-facts.ts';
import { formatCpu, formatMemory, nothing, plus } from '../../../podspec/sizing/size.ts';
import { readSizes } from '../../../podspec/sizing/written.ts';
import type { Trace, TracedInstance } from '../../survey.ts';
import { clusterOf, nodeOf, podOf } from '../pods/marks.ts';

export interface SeenNamespace {
  readonly name: string;
  /** Absent: it could not be read. */
  readonly object?: KubeObject;
  readonly pods: readonly Pod[];
  readonly copies: readonly KubeObject[];
}

/** Of names that the vendor's add-on gives to its namespaces: the cluster's ID. */
const addOnName = /^(?:cce-burst|bursting)-(.+)$/;

/** Whose everything in a namespace is. Nothing of it: empty. */
export function tracesIn(seen: SeenNamespace): readonly Trace[] {
  const { name, object, pods, copies } = seen;
  const marked = object === undefined ? undefined : clusterOf(object);
  const named = marked === undefined ? addOnName.exec(name)?.[1] : undefined;
  const found = new Map<string, { by: Trace['by']; objects: KubeObject[]; pods: Pod[] }>();
  const of = (clusterId: string, by: Trace['by']): { by: Trace['by']; objects: KubeObject[]; pods: Pod[] } => {
    const key = `${by}/${clusterId}`;
    const there = found.get(key) ?? { by, objects: [], pods: [] };
    found.set(key, there);
    return there;
  };
  if (object !== undefined && marked !== undefined) of(marked, 'spillway').objects.push(object);
  if (object !== undefined && named !== undefined) of(named, 'add-on').objects.push(object);
  for (const pod of pods) {
    const cluster = clusterOf(pod);
    const addOn = pod.metadata?.annotations?.['virtual-kubelet-clustername'];
    if (cluster !== undefined) of(cluster, 'spillway').pods.push(pod);
    else if (addOn !== undefined) of(named ?? addOn, 'add-on').pods.push(pod);
  }
  for (const copy of copies) {
    const cluster = clusterOf(copy);
    if (cluster !== undefined) of(cluster, 'spillway').objects.push(copy);
  }
  return Array.from(found, ([key, { by, objects, pods: own }]) => {
    const all = [...objects, ...own];
    const since = all.flatMap(({ metadata }) => metadata?.creationTimestamp ?? []).toSorted()[0];
    const nodes = new Set(all.flatMap((each) => nodeOf(each) ?? []));
    return {
      clusterId: key.slice(by.length + 1),
      by,
      namespace: name,
      ...(since !== undefined && { since }),
      nodes: [...nodes].toSorted(),
      instances: own.map(instanceOf),
    };
  });
}

function instanceOf(pod: Pod): TracedInstance {
  const { containers, initContainers = [] } = pod.spec ?? { containers: [] };
  const size = readSizes({ containers, initContainers })
    .containers.filter(({ role }) => role !== 'init')
    .reduce((sum, { size: each }) => plus(sum, each), nothing);
  const since = pod.metadata?.creationTimestamp;
  return {
    name: nameOf(pod),
    uid: uidOf(pod),
    pod: podOf(pod),
    node: nodeOf(pod) ?? '',
    ...(since !== undefined && { since }),
    ended: isTerminalPhase(pod.status?.phase),
    cpu: formatCpu(size.milliCpu),
    memory: formatMemory(size.memoryBytes),
  };
}
