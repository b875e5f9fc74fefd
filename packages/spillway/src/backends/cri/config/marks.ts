import type { InstanceRef, Owner } from '../../backend.ts';

/**
 * What marks a sandbox or container as ours. The kubelet's labels make `crictl pods` readable; ours say whose instance it is.
 * Sandboxes carry them from the call that creates them.
 */
export const labels = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
  cluster: 'spillway.dev/cluster',
  node: 'spillway.dev/node',
  instance: 'spillway.dev/pod-uid',
} as const;

/** On containers: how long the restart after their end waits. */
export const backoffAnnotation = 'spillway.dev/restart-backoff-ms';

/** Selects what belongs to this cluster and node, and nothing else. */
export function ownerSelector({ clusterId, nodeName }: Owner): Record<string, string> {
  return { [labels.cluster]: clusterId, [labels.node]: nodeName };
}

export function podSelector(owner: Owner, uid: string): Record<string, string> {
  return { ...ownerSelector(owner), [labels.instance]: uid };
}

export function podMarks(owner: Owner, ref: InstanceRef): Record<string, string> {
  return {
    ...podSelector(owner, ref.uid),
    [labels.podName]: ref.name,
    [labels.podNamespace]: ref.namespace,
    [labels.podUid]: ref.uid,
  };
}

/** Undefined when the labels are not those of an instance. */
export function refOf(marks: Readonly<Record<string, string>>): InstanceRef | undefined {
  const uid = marks[labels.instance];
  const namespace = marks[labels.podNamespace];
  const name = marks[labels.podName];
  return uid && namespace && name ? { uid, namespace, name } : undefined;
}
