import { isSameJson } from '../json.ts';
import { keyOf, resourceVersionOf, uidOf } from '../meta.ts';
import type { KubeObject } from '../resource-type.ts';
import type { IndexedStore } from './store.ts';

/** What a change of the store means to those who follow it. */
export type Change<T> =
  | { readonly type: 'added'; readonly object: T; readonly by: Evidence }
  | { readonly type: 'changed'; readonly old: T; readonly object: T }
  | { readonly type: 'deleted'; readonly object: T; readonly by: Evidence };

/** How it is known: the watch told it, or a complete list has what was not known, or lacks what was there before. */
export type Evidence = 'watch' | 'list';

/**
 * The object exists in this state. One with the same name and another UID has been deleted in the meantime, whether or
 * not anybody saw it. The same state again is no change.
 */
export function observe<T extends KubeObject>(
  store: IndexedStore<T>,
  object: T,
  by: Evidence,
  emit: (change: Change<T>) => void,
): void {
  const old = store.getByKey(keyOf(object));
  if (old !== undefined && uidOf(old) === uidOf(object)) {
    if (isSameState(old, object, by)) return;
    store.set(object);
    emit({ type: 'changed', old, object });
    return;
  }
  if (old !== undefined) remove(store, old, by, emit);
  store.set(object);
  emit({ type: 'added', object, by });
}

/** The object is gone; `object` is its last state. One that was never seen is no change. */
export function observeDeletion<T extends KubeObject>(
  store: IndexedStore<T>,
  object: T,
  emit: (change: Change<T>) => void,
): void {
  const old = store.getByKey(keyOf(object));
  if (old !== undefined) remove(store, uidOf(old) === uidOf(object) ? object : old, 'watch', emit);
}

/** These objects exist and no others: whatever the store has beyond them was deleted unseen. */
export function observeAll<T extends KubeObject>(
  store: IndexedStore<T>,
  objects: ReadonlyMap<string, T>,
  emit: (change: Change<T>) => void,
): void {
  const gone: T[] = [];
  for (const object of store.values()) if (!objects.has(keyOf(object))) gone.push(object);
  for (const object of gone) remove(store, object, 'list', emit);
  for (const object of objects.values()) observe(store, object, 'list', emit);
}

/** A version is given to one state only, until etcd is restored; what the watch tells comes after the list that followed. */
function isSameState(old: KubeObject, object: KubeObject, by: Evidence): boolean {
  const version = resourceVersionOf(old);
  if (version === '' || version !== resourceVersionOf(object)) return false;
  return by === 'watch' || isSameJson(old, object);
}

function remove<T extends KubeObject>(
  store: IndexedStore<T>,
  object: T,
  by: Evidence,
  emit: (change: Change<T>) => void,
): void {
  store.delete(keyOf(object));
  emit({ type: 'deleted', object, by });
}
