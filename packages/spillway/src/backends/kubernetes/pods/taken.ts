import { namespaceOf, nameOf, type Pod } from '@spillway/kube';
import { BackendError, type InstanceRef, type Owner } from '../../backend.ts';
import { ownerOf, markedRef } from './marks.ts';

/** A pod that is there counts as created when it is this one, and stays. @throws BackendError when it is not */
export function assertCreated(found: Pod, ref: InstanceRef, owner: Owner): void {
  const where = `pod ${namespaceOf(found)}/${nameOf(found)} of the other cluster`;
  if (markedRef(found, owner)?.uid !== ref.uid) {
    throw new BackendError('conflict', `${where} belongs to ${ownerOf(found)}`, {
      remedy: 'Give the pool a namespace of its own.',
    });
  }
  if (found.metadata?.deletionTimestamp === undefined) return;
  throw new BackendError('conflict', `${where} is being deleted; the pod is created again when it is gone`);
}
