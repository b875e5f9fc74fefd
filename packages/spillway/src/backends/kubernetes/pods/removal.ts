import { isConflict, isNotFound, type Pod, refOf, type ResourceClient, uidOf } from '@spillway/kube';
import { isDeleting, specGraceSeconds } from '../../../podspec/pod-facts.ts';
import type { InstanceRef } from '../../backend.ts';
import { unlessReplaced } from '../answers.ts';
import type { Dialect } from '../dialect.ts';
import { deleting } from '../lanes.ts';
import type { Instances } from './instances.ts';
import { observe } from './observe.ts';

/** How long an ending pod is waited for before it is let go of: a node that does not answer never says that it has ended. */
const endPatienceMs = 30_000;

export interface RemovalContext {
  readonly pods: ResourceClient<Pod>;
  readonly instances: Instances;
  readonly dialect: Pick<Dialect, 'finalizer'>;
  readonly closing: AbortSignal;
}

/** Ends the pod of an instance at once, and lets go of it when it has ended. */
export async function removePod(
  ref: InstanceRef,
  pod: Pod,
  { pods, instances, dialect, closing }: RemovalContext,
  signal: AbortSignal,
): Promise<void> {
  await deletePod(pods, pod, { gracePeriodSeconds: 0, signal });
  if (dialect.finalizer === undefined) return;
  const patience = AbortSignal.any([signal, closing, AbortSignal.timeout(endPatienceMs)]);
  const ended = (last: Pod | undefined): boolean => last === undefined || observe(ref, last).state === 'ended';
  await instances.seen(ref.uid, ended, patience);
  signal.throwIfAborted();
  await letGo(pod, { pods, dialect }, signal);
  // Its grace may have been running on; without one it goes with the last finalizer.
  await deletePod(pods, pod, { gracePeriodSeconds: 0, signal });
}

/**
 * Ends a pod that there should not be, in its own time and unless it has changed since that was found. Nobody reads how it ended.
 * @returns whether this call has begun it
 */
export async function endDouble(
  pod: Pod,
  { pods, dialect }: Pick<RemovalContext, 'pods' | 'dialect'>,
  signal: AbortSignal,
): Promise<boolean> {
  const isEnding = isDeleting(pod);
  const gracePeriodSeconds = specGraceSeconds(pod);
  const begun = !isEnding && (await deletePod(pods, pod, { gracePeriodSeconds, unchanged: true, signal }));
  if (isEnding || begun) await letGo(pod, { pods, dialect }, signal);
  return begun;
}

/** It goes when it has ended. */
export async function letGo(
  pod: Pod,
  { pods, dialect: { finalizer } }: Pick<RemovalContext, 'pods' | 'dialect'>,
  signal: AbortSignal,
): Promise<void> {
  if (finalizer === undefined || pod.metadata?.finalizers?.includes(finalizer) !== true) return;
  const body = { metadata: { uid: uidOf(pod), '$deleteFromPrimitiveList/finalizers': [finalizer] } };
  await pods.patch(refOf(pod), { type: 'strategic', body }, { signal, lane: deleting }).catch(unlessReplaced);
}

/** @returns false: it is gone, another has its name, or it should be `unchanged` since it was read, and is not */
export async function deletePod(
  pods: ResourceClient<Pod>,
  { metadata: { namespace = '', name = '', uid, resourceVersion } = {} }: Pod,
  {
    gracePeriodSeconds,
    unchanged = false,
    signal,
  }: { readonly gracePeriodSeconds: number; readonly unchanged?: boolean; readonly signal: AbortSignal },
): Promise<boolean> {
  const preconditions = { uid, ...(unchanged && { resourceVersion }) };
  try {
    await pods.delete({ namespace, name }, { gracePeriodSeconds, preconditions, signal, lane: deleting });
    return true;
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
    return false;
  }
}
