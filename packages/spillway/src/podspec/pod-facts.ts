import type { ContainerStatus, Pod } from '@spillway/kube';

// Questions about a pod that have one answer and need nothing but the pod.

/** Names a pod and the instance that runs it. */
export interface InstanceRef {
  /** The pod's UID: the only key. Namespace and name are for people and URLs. */
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

export function instanceRef(pod: Pod): InstanceRef {
  const { uid = '', namespace = '', name = '' } = pod.metadata ?? {};
  return { uid, namespace, name };
}

export function isTerminalPhase(phase: string | undefined): phase is 'Succeeded' | 'Failed' {
  return phase === 'Succeeded' || phase === 'Failed';
}

export function isDeleting(pod: Pod): boolean {
  return pod.metadata?.deletionTimestamp !== undefined;
}

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
}

/** When the last container of a pod ended; at most now. */
export function lastEndMs({ status = {} }: Pod, nowMs: number): number {
  const { startTime = '', initContainerStatuses = [], containerStatuses = [] } = status;
  const ends = [...initContainerStatuses, ...containerStatuses].map(({ state }) => state?.terminated?.finishedAt ?? '');
  const known = [startTime, ...ends].map((time) => Date.parse(time)).filter((ms) => !Number.isNaN(ms));
  return known.length === 0 ? nowMs : Math.min(nowMs, Math.max(...known));
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

const defaultGraceSeconds = 30;

export function specGraceSeconds(pod: Pod): number {
  return pod.spec?.terminationGracePeriodSeconds ?? defaultGraceSeconds;
}

/** When `activeDeadlineSeconds` is over, as milliseconds since the epoch; counted from `status.startTime`, as by the kubelet. */
export function activeDeadlineMs(pod: Pod): number | undefined {
  const seconds = pod.spec?.activeDeadlineSeconds;
  const start = pod.status?.startTime;
  if (seconds === undefined || start === undefined) return undefined;
  const startMs = Date.parse(start);
  return Number.isNaN(startMs) ? undefined : startMs + seconds * 1000;
}
