import type { Event } from '@spillway/kube';
import type { Notice } from '../backend.ts';

/** Said already by the scheduler that bound the pod to the virtual node. */
const ours = new Set(['Scheduled']);

/** What an event of the other cluster tells about the pod here; undefined: nothing. */
export function noticeOf(event: Event): Notice | undefined {
  const { reason, message = '', type, involvedObject, source, reportingComponent } = event;
  if (!reason || ours.has(reason)) return undefined;
  const component = source?.component || reportingComponent;
  const { fieldPath } = involvedObject;
  return {
    severity: type === 'Warning' ? 'Warning' : 'Normal',
    reason,
    message: component && component !== 'kubelet' ? `${message} (${component})` : message,
    ...(fieldPath && { fieldPath }),
  };
}
