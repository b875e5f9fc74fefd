import type { Event } from '@spillway/kube';
import type { InstanceRef, Notice } from '../../backend.ts';
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

/** Kubelets call a pod `name_namespace(UID)` in their messages: what they say of the pod there, said of the pod here. */
export function namedAsHere(
  message: string,
  there: { readonly name?: string; readonly namespace?: string; readonly uid?: string },
  here: InstanceRef,
): string {
  const called = (pod: typeof there): string => `${pod.name}_${pod.namespace}(${pod.uid})`;
  return message.replaceAll(called(there), called(here));
}
