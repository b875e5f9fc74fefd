import { type Pod, type PodCondition } from '@spillway/kube';
import { notBurstableAnnotation } from '../../podspec/contract.ts';

/** What people read on pods that no pool takes. Undefined: they can read it already. */

/** Status patch for a pod that nobody but us will place. */
export function unschedulablePatch(pod: Pod, message: string, now: string): object | undefined {
  const before = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (before?.status === 'False' && before.message === message) return undefined;
  const condition: PodCondition = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message,
    lastTransitionTime: before?.status === 'False' ? (before.lastTransitionTime ?? now) : now,
  };
  return { metadata: { uid: pod.metadata?.uid }, status: { conditions: [condition] } };
}

/** Patch for a pod that may burst and never can. */
export function notBurstablePatch(pod: Pod, text: string): object | undefined {
  if (pod.metadata?.annotations?.[notBurstableAnnotation] === text) return undefined;
  return { metadata: { uid: pod.metadata?.uid, annotations: { [notBurstableAnnotation]: text } } };
}
