import type { Event } from '@spillway/kube';
import type { Notice } from '../../backend.ts';
import type { Dialect } from '../dialect.ts';
import { hostsContainer } from '../fields/identity.ts';

/** Said already by the scheduler that bound the pod to the virtual node. */
const ours = new Set(['Scheduled']);

/** What an event of the other cluster tells about the pod here; undefined: nothing. */
export function noticeOf(event: Event, { name, remedyOf }: Pick<Dialect, 'name' | 'remedyOf'>): Notice | undefined {
  const { reason, message = '', type, involvedObject } = event;
  if (!reason || ours.has(reason)) return undefined;
  const { fieldPath } = involvedObject;
  if (type !== 'Warning' && fieldPath === `spec.initContainers{${hostsContainer}}`) return undefined;
  const remedy = remedyOf(message);
  return {
    severity: type === 'Warning' ? 'Warning' : 'Normal',
    reason,
    message: remedy === undefined ? message : `${message}. ${remedy}`,
    component: name,
    ...(fieldPath && { fieldPath }),
  };
}
