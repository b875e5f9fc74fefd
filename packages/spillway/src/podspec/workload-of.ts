import type { Pod } from '@spillway/kube';

/** Who creates a pod again, as far as the pod itself tells: the Deployment rather than its ReplicaSet. Undefined: nobody. */
export function workloadOf(pod: Pod): { readonly kind: string; readonly name: string } | undefined {
  const controller = pod.metadata?.ownerReferences?.find((owner) => owner.controller === true);
  if (controller === undefined) return undefined;
  const { kind, name } = controller;
  const hash = pod.metadata?.labels?.['pod-template-hash'];
  const isOfDeployment = kind === 'ReplicaSet' && hash !== undefined && name.endsWith(`-${hash}`);
  return isOfDeployment ? { kind: 'Deployment', name: name.slice(0, -hash.length - 1) } : { kind, name };
}
