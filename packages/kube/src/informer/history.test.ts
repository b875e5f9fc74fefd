import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../resource-type.ts';
import { type Change, observe, observeAll, observeDeletion } from './history.ts';
import { IndexedStore } from './store.ts';

const object = (name: string, uid: string, resourceVersion = '1'): KubeObject => ({
  metadata: { name, namespace: 'x', uid, resourceVersion },
});

function setUp(...objects: KubeObject[]) {
  const store = new IndexedStore();
  for (const one of objects) store.set(one);
  const changes: Change<KubeObject>[] = [];
  return { store, changes, emit: (change: Change<KubeObject>) => void changes.push(change) };
}

describe('an object is seen', () => {
  test('for the first time: added', () => {
    const { store, changes, emit } = setUp();
    const a = object('a', 'u1');
    observe(store, a, 'watch', emit);
    expect(changes).toEqual([{ type: 'added', object: a, by: 'watch' }]);
  });
  test('in another state: changed', () => {
    const old = object('a', 'u1', '1');
    const { store, changes, emit } = setUp(old);
    const next = object('a', 'u1', '2');
    observe(store, next, 'watch', emit);
    expect(changes).toEqual([{ type: 'changed', old, object: next }]);
    expect(store.list()).toEqual([next]);
  });
  test('in the same state again: nothing', () => {
    const { store, changes, emit } = setUp(object('a', 'u1'));
    observe(store, object('a', 'u1'), 'watch', emit);
    expect(changes).toEqual([]);
  });
  test('in another state under the same version, which a restored etcd has given anew: changed', () => {
    const old = { ...object('a', 'u1', '7'), data: { of: ['before', 'the restore'] } };
    const { store, changes, emit } = setUp(old, object('b', 'u2'));
    const next = { ...object('a', 'u1', '7'), data: { of: ['after', 'the restore'] } };
    observeAll(
      store,
      new Map([
        ['x/a', next],
        ['x/b', object('b', 'u2')],
      ]),
      emit,
    );
    expect(changes).toEqual([{ type: 'changed', old, object: next }]);
  });
  test('under its old name with another UID: deleted and added', () => {
    const old = object('a', 'u1');
    const { store, changes, emit } = setUp(old);
    const next = object('a', 'u2');
    observe(store, next, 'watch', emit);
    expect(changes).toEqual([
      { type: 'deleted', object: old, by: 'watch' },
      { type: 'added', object: next, by: 'watch' },
    ]);
    expect(store.getByUid('u1')).toBeUndefined();
    expect(store.getByUid('u2')).toBe(next);
  });
});

describe('an object goes', () => {
  test('with the last state that the event brings', () => {
    const { store, changes, emit } = setUp(object('a', 'u1', '1'));
    const last = object('a', 'u1', '5');
    observeDeletion(store, last, emit);
    expect(changes).toEqual([{ type: 'deleted', object: last, by: 'watch' }]);
    expect(store.size).toBe(0);
  });
  test('unseen, between two lists: with the last state that was known', () => {
    const gone = object('a', 'u1');
    const stays = object('b', 'u2');
    const { store, changes, emit } = setUp(gone, stays);
    const more = object('c', 'u3');
    observeAll(
      store,
      new Map([
        ['x/b', stays],
        ['x/c', more],
      ]),
      emit,
    );
    expect(changes).toEqual([
      { type: 'deleted', object: gone, by: 'list' },
      { type: 'added', object: more, by: 'list' },
    ]);
  });
  test('that was never known: nothing', () => {
    const { store, changes, emit } = setUp();
    observeDeletion(store, object('a', 'u1'), emit);
    expect(changes).toEqual([]);
  });
  test('whose name another one has by now: that one is gone too, as far as this history tells', () => {
    const known = object('a', 'u2');
    const { store, changes, emit } = setUp(known);
    observeDeletion(store, object('a', 'u1'), emit);
    expect(changes).toEqual([{ type: 'deleted', object: known, by: 'watch' }]);
  });
});
