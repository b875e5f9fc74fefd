import type { Pod } from '@spillway/kube';
import { hasRun } from '../../../podspec/pod-facts.ts';
import { progressOf } from './observe.ts';

/**
 * Which of the pods of one UID is its instance, should there be several: an earlier version named them otherwise, or the other
 * cluster was restored. What is well is never the one that goes: first comes a pod that is ready, then one that runs, then
 * one that has run and tells how it ended, and of two alike the older one. Pure.
 */
export function instanceAmong(pods: readonly Pod[]): Pod | undefined {
  const [first, ...others] = pods;
  return others.reduce((best, pod) => (best && isBetter(pod, best) ? pod : best), first);
}

function isBetter(pod: Pod, other: Pod): boolean {
  const difference = worthOf(pod) - worthOf(other);
  return difference > 0 || (difference === 0 && bornAs(pod) < bornAs(other));
}

function worthOf(pod: Pod): number {
  const { state, initContainerStatuses, containerStatuses } = progressOf(pod);
  if (state === 'running') return containerStatuses.every(({ ready }) => ready) ? 4 : 3;
  if ([...initContainerStatuses, ...containerStatuses].some(hasRun)) return 2;
  return state === 'starting' ? 1 : 0;
}

/** Sorts by age. */
function bornAs({ metadata }: Pod): string {
  return `${metadata?.creationTimestamp} ${metadata?.name}`;
}
