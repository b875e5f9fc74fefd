import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { Pod } from '../generated/index.ts';
import { Sharing, withPartsOf } from './sharing.ts';
import { IndexedStore } from './store.ts';

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('a', 'b', '', 0, 1, true, null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('x', 'y', 'constructor', '__proto__', '0'), tie('value'), { maxKeys: 3 }),
  ),
})).value;
const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('parts that are in common', () => {
  test.prop([json, json, json])('are those of the models, and all is as it was before', (value, first, second) => {
    const before = [value, first, second].map((each) => JSON.stringify(each));
    const [mine, one, other] = [copy(value), copy(first), copy(second)];
    const shared = withPartsOf(mine, one, other);
    expect(shared).toEqual(copy(value));
    expect([one, other].map((each) => JSON.stringify(each))).toEqual(before.slice(1));
    if (before[0] === before[1]) expect(shared).toBe(one);
  });

  it('are kept once, wherever the rest differs', () => {
    const first = { spec: { image: 'busybox', ports: [{ port: 80 }] }, status: { phase: 'Pending' } };
    const second = { status: { phase: 'Running', conditions: [{ type: 'Ready' }] } };
    const shared = withPartsOf(
      {
        spec: { image: 'busybox', ports: [{ port: 80 }, { port: 81 }] },
        status: { phase: 'Failed', conditions: [{ type: 'Ready' }] },
      },
      first,
      second,
    );
    expect(shared.spec.ports[0]).toBe(first.spec.ports[0]);
    expect(shared.status.conditions).toBe(second.status.conditions);
    expect(shared).toMatchObject({ spec: { ports: [{ port: 80 }, { port: 81 }] }, status: { phase: 'Failed' } });
  });
});

const pod = (name: string, resourceVersion: string, phase = 'Running'): Pod => ({
  metadata: {
    namespace: 'default',
    name,
    uid: `uid-${name}`,
    resourceVersion,
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'uid-web', controller: true }],
  },
  spec: { containers: [{ name: 'main', image: 'busybox' }] },
  status: { phase },
});

describe('objects', () => {
  it('that two know in the same version are one', () => {
    const sharing = new Sharing<Pod>();
    const [one, other] = [new IndexedStore<Pod>(), new IndexedStore<Pod>()];
    for (const store of [one, other]) sharing.join(store);
    one.set(sharing.share(pod('a', '1')));
    other.set(sharing.share(pod('a', '1')));
    expect(other.getByUid('uid-a')).toBe(one.getByUid('uid-a'));
  });

  it('that two are told are read once, and what only one is told is not kept', () => {
    const sharing = new Sharing<Pod>();
    for (const store of [new IndexedStore<Pod>(), new IndexedStore<Pod>()]) sharing.join(store);
    const read = (name: string): Pod => sharing.parse(JSON.stringify(pod(name, '1')));
    const [first, second, third] = [read('a'), read('a'), read('a')];
    expect(first).toEqual(pod('a', '1'));
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    // etcd was restored, and gives versions anew.
    expect(sharing.parse(JSON.stringify(pod('a', '1', 'Failed')))).toEqual(pod('a', '1', 'Failed'));
    for (let count = 0; count < 1000; count += 1) read(`b-${count}`);
    expect(read('a')).not.toBe(third);
  });

  it('keep what an update does not change', () => {
    const sharing = new Sharing<Pod>();
    const store = new IndexedStore<Pod>();
    sharing.join(store);
    const before = sharing.share(pod('a', '1', 'Pending'));
    store.set(before);
    const after = sharing.share(pod('a', '2'));
    expect(after.spec).toBe(before.spec);
    expect(after.metadata?.ownerReferences).toBe(before.metadata?.ownerReferences);
    expect(after).toEqual(pod('a', '2'));
  });

  it('of one ReplicaSet have their template in common', () => {
    const sharing = new Sharing<Pod>();
    const first = sharing.share(pod('a', '1'));
    const second = sharing.share(pod('b', '2'));
    expect(second.spec).toBe(first.spec);
    expect(second.status).toBe(first.status);
    expect(second).toEqual(pod('b', '2'));
  });

  it('of a store that is known no more are not looked for', () => {
    const sharing = new Sharing<Pod>();
    const store = new IndexedStore<Pod>();
    const joined = sharing.join(store);
    store.set(sharing.share(pod('a', '1')));
    joined[Symbol.dispose]();
    sharing.share(pod('b', '2'));
    expect(sharing.share(pod('a', '1'))).not.toBe(store.getByUid('uid-a'));
  });
});
