import type { ContainerStatus, Pod } from '@spillway/kube';

// Questions about a pod that have one answer and need nothing but the pod.

export function isTerminalPhase(phase: string | undefined): phase is 'Succeeded' | 'Failed' {
  return phase === 'Succeeded' || phase === 'Failed';
}

export function isDeleting(pod: Pod): boolean {
  return pod.metadata?.deletionTimestamp !== undefined;
}

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
}

/** Does the status say that a container of this pod was started at some time? Then it must never be started anew. */
export function statusShowsItRan(pod: Pod): boolean {
  const { status } = pod;
  if (status === undefined) return false;
  if (status.phase === 'Running') return true;
  return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].some(hasRun);
}

export function hasRun(container: ContainerStatus): boolean {
  const { state, lastState, containerID, restartCount } = container;
  return (
    Boolean(containerID) ||
    state?.running !== undefined ||
    state?.terminated !== undefined ||
    lastState?.terminated !== undefined ||
    restartCount > 0
  );
}
