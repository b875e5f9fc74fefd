import type { Pod } from '@spillway/kube';
import { refusedConditions } from '../status/transient-conditions.ts';
import type { PodState } from './pod-state.ts';

/** Has the instance become what the pod is now, but for what was refused? What is not created yet will be just that. */
export function isCarriedOut({ revision, content, last, created }: PodState): boolean {
  const carried = content?.revision ?? last?.revision;
  return carried === undefined ? created === 'no' && last === undefined : carried === revision;
}

/** An earlier process knew what its instance does not get; asking again tells. */
export function forgotRefusals({ content }: PodState, { status }: Pod): boolean {
  return content === undefined && (status?.conditions ?? []).some(({ type }) => refusedConditions.has(type));
}
