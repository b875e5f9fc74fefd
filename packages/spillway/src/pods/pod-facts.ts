import type { Pod } from '@spillway/kube';
import type { InstanceRef } from '../backends/backend.ts';

// Questions about a pod that have one answer and need nothing but the pod.

export function instanceRef(pod: Pod): InstanceRef {
  const { uid = '', namespace = '', name = '' } = pod.metadata ?? {};
  return { uid, namespace, name };
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
