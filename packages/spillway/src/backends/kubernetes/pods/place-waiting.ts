import { isConflict, isNotFound, type Pod, type ResourceClient } from '@spillway/kube';
import type { InstanceRef } from '../../backend.ts';
import type { Instances } from './instances.ts';
import { deleting } from '../lanes.ts';
import { hasPlace, soldOut } from './place.ts';

/** @throws BackendError soldOut, after the pod was removed */
export async function untilPlaced(
  { uid }: InstanceRef,
  withinMs: number,
  { pods, instances }: { readonly pods: ResourceClient<Pod>; readonly instances: Instances },
  signal: AbortSignal,
): Promise<void> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
  await instances.seen(uid, (last) => last !== undefined && hasPlace(last), patience);
  signal.throwIfAborted();
  if (!patience.aborted) return;
  for (;;) {
    const [pod] = await instances.pods({ signal, lane: deleting }, uid);
    if (pod === undefined || hasPlace(pod)) return;
    if (await deleteUnchanged(pods, pod, signal)) throw soldOut(pod, withinMs);
  }
}

/** False: it has changed since it was read, and may have got a place. */
async function deleteUnchanged(pods: ResourceClient<Pod>, pod: Pod, signal: AbortSignal): Promise<boolean> {
  const { namespace = '', name = '', uid, resourceVersion } = pod.metadata ?? {};
  const preconditions = { uid, resourceVersion };
  try {
    await pods.delete({ namespace, name }, { gracePeriodSeconds: 0, preconditions, signal, lane: deleting });
    return true;
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
    return false;
  }
}
