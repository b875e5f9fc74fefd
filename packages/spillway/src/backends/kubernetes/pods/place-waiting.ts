import type { Pod, ResourceClient } from '@spillway/kube';
import type { InstanceRef } from '../../backend.ts';
import type { Instances } from './instances.ts';
import { deleting } from '../lanes.ts';
import { hasPlace, soldOut } from './place.ts';
import { deletePod } from './removal.ts';

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
    // One that has changed meanwhile may have got a place.
    if (await deletePod(pods, pod, { gracePeriodSeconds: 0, unchanged: true, signal })) throw soldOut(pod, withinMs);
  }
}
