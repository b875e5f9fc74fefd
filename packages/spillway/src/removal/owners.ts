import { controllerOf, type Pod } from '@spillway/kube';
import { workloadOf } from '../podspec/workload-of.ts';

/** Pods of one owner that a removal ends, and what becomes of them. */
export interface OwnedPods {
  readonly namespace: string;
  /** `Deployment web` */
  readonly owner: string;
  readonly count: number;
  readonly fate: 'again' | 'gone' | 'placeholder';
}

/** Who makes the pods anew that are deleted, as far as they themselves tell. */
export function ownersOf(pods: readonly Pod[]): readonly OwnedPods[] {
  const found = new Map<string, OwnedPods>();
  for (const pod of pods) {
    const namespace = pod.metadata?.namespace ?? '';
    const owner = ownerOf(pod);
    const before = found.get(`${namespace}/${owner.name}`);
    found.set(`${namespace}/${owner.name}`, {
      namespace,
      owner: owner.name,
      count: (before?.count ?? 0) + 1,
      fate: owner.fate,
    });
  }
  return [...found.values()].toSorted((a, b) => (a.namespace + a.owner < b.namespace + b.owner ? -1 : 1));
}

function ownerOf(pod: Pod): { readonly name: string; readonly fate: OwnedPods['fate'] } {
  const workload = workloadOf(pod);
  if (workload === undefined) return { name: `Pod ${pod.metadata?.name ?? ''}`, fate: 'gone' };
  return { name: `${workload.kind} ${workload.name}`, fate: isPlaceholder(pod) ? 'placeholder' : 'again' };
}

export const isPlaceholder = (pod: Pod): boolean => controllerOf(pod)?.kind === 'DaemonSet';

/** For people, one line for each owner. */
export function ownerLine({ namespace, owner, count, fate }: OwnedPods): string {
  const pods = count === 1 ? '1 pod' : `${count} pods`;
  switch (fate) {
    case 'again':
      return `${pods} of ${owner} in ${namespace}: their owner creates them again, without bursting`;
    case 'gone':
      return `${owner} in ${namespace}: it has no owner, so that nobody creates it again`;
    default:
      return `${pods} of ${owner} in ${namespace}: placeholders, nothing runs for them`;
  }
}
