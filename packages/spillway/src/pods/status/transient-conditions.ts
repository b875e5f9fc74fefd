import type { PodCondition } from '@spillway/kube';
import type { Refusal } from '../../backends/backend.ts';
import { waitingForRefusals } from '../core/problems.ts';

/** What of a pod's changes its instance does not get, other than a resize: for that Kubernetes has a condition. */
const specApplied = 'spillway.dev/SpecApplied';

const resizePending = 'PodResizePending';
const resizeInProgress = 'PodResizeInProgress';

/** Conditions of ours that go when there is nothing to say. */
export const transientConditions: ReadonlySet<string> = new Set([specApplied, resizePending, resizeInProgress]);

/** Those that tell of a refusal. */
export const refusedConditions: ReadonlySet<string> = new Set([specApplied, resizePending]);

export type Transient = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

/**
 * How far changes of a pod that runs have come.
 *
 * @param refused what the instance does not get; undefined: not known
 * @param fromBackend as its kubelet says
 * @param live as the pod says now
 */
export function changeConditions(
  refused: readonly Refusal[] | undefined,
  fromBackend: readonly PodCondition[],
  live: readonly PodCondition[],
): readonly Transient[] {
  if (refused === undefined) return live.filter(({ type }) => transientConditions.has(type));
  const resizes = refused.filter(({ code }) => code === 'resize-unsupported');
  const others = refused.filter(({ code }) => code !== 'resize-unsupported');
  return [
    ...(resizes.length > 0
      ? [{ type: resizePending, status: 'True', reason: 'Infeasible', message: waitingForRefusals(resizes).message }]
      : fromBackend.filter(({ type, status }) => type === resizePending && status === 'True')),
    ...fromBackend.filter(({ type, status }) => type === resizeInProgress && status === 'True'),
    ...(others.length > 0 ? [{ type: specApplied, status: 'False', ...waitingForRefusals(others) }] : []),
  ];
}
