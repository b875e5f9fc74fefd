import type { Event } from '@spillway/kube';
import type { Notice } from '../backend.ts';
import type { Dialect } from './dialect.ts';

/** Said already by the scheduler that bound the pod to the virtual node. */
const ours = new Set(['Scheduled']);

/** What an event of the other cluster tells about the pod here; undefined: nothing. */
export function noticeOf(event: Event, remedyOf: Dialect['remedyOf'] = () => undefined): Notice | undefined {
  const { reason, message = '', type, involvedObject, source, reportingComponent } = event;
  if (!reason || ours.has(reason)) return undefined;
  const component = source?.component || reportingComponent;
  const { fieldPath } = involvedObject;
  const said = component && component !== 'kubelet' ? `${message} (${component})` : message;
  const remedy = remedyOf(message);
  return {
    severity: type === 'Warning' ? 'Warning' : 'Normal',
    reason,
    message: remedy === undefined ? said : `${said}. ${remedy}`,
    ...(fieldPath && { fieldPath }),
  };
}
