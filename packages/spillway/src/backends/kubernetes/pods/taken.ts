import { namespaceOf, nameOf, type Pod, uidOf } from '@spillway/kube';
import { BackendError, type InstanceRef, type Owner } from '../../backend.ts';
import { ownerOf, markedRef } from './marks.ts';

/** What it means that a pod's name is taken in the other cluster. */
export type Taken =
  /** By this very pod: a call whose answer was lost. */
  | { readonly kind: 'done' }
  /** By another pod of ours whose name runs together to the same. */
  | { readonly kind: 'otherName' }
  | { readonly kind: 'refused'; readonly error: BackendError };

export function taken(found: Pod, ref: InstanceRef, owner: Owner): Taken {
  const other = markedRef(found, owner);
  const where = `pod ${namespaceOf(found)}/${nameOf(found)}`;
  if (!other) {
    const error = new BackendError('conflict', `${where} of the other cluster belongs to ${ownerOf(found)}`, {
      remedy: 'Give the pool a namespace of its own.',
    });
    return { kind: 'refused', error };
  }
  if (other.uid === ref.uid) return { kind: 'done' };
  if (other.namespace !== ref.namespace || other.name !== ref.name) return { kind: 'otherName' };
  const message = `the former pod ${ref.namespace}/${ref.name} (UID ${other.uid}, there ${uidOf(found)}) is not gone yet`;
  return { kind: 'refused', error: new BackendError('conflict', message) };
}
