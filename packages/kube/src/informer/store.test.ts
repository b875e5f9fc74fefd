import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import type { Pod } from '../generated/index.ts';
import { keyOf, uidOf } from '../meta.ts';
import { IndexedStore } from './store.ts';

const pod = fc.record({
  namespace: fc.constantFrom('a', 'b'),
  name: fc.constantFrom('x', 'y', 'z'),
  uid: fc.uuid(),
  node: fc.option(fc.constantFrom('n1', 'n2'), { nil: undefined }),
  owners: fc.uniqueArray(fc.constantFrom('o1', 'o2', 'o3')),
});
const toPod = ({ node, owners, ...metadata }: typeof pod extends fc.Arbitrary<infer T> ? T : never): Pod => ({
  metadata: { ...metadata, labels: Object.fromEntries(owners.map((owner) => [owner, ''])) },
  spec: { containers: [], ...(node === undefined ? {} : { nodeName: node }) },
});
const indexes = {
  node: ({ spec }: Pod) => spec?.nodeName,
  owners: ({ metadata }: Pod) => Object.keys(metadata?.labels ?? {}),
};

test.prop([fc.array(fc.oneof(pod.map(toPod), fc.constantFrom('a/x', 'a/y', 'b/z')), { maxLength: 60 })])(
  'every look-up finds exactly what is stored',
  (steps) => {
    const store = new IndexedStore<Pod>(indexes);
    const model = new Map<string, Pod>();
    for (const step of steps) {
      if (typeof step === 'string') {
        store.delete(step);
        model.delete(step);
      } else {
        store.set(step);
        model.set(keyOf(step), step);
      }
      const all = [...model.values()];
      expect(store.size).toBe(all.length);
      expect(new Set(store.list())).toEqual(new Set(all));
      for (const stored of all) {
        expect(store.getByUid(uidOf(stored))).toBe(stored);
        expect(store.getByKey(keyOf(stored))).toBe(stored);
      }
      for (const node of ['n1', 'n2']) {
        expect(new Set(store.byIndex('node', node))).toEqual(new Set(all.filter((one) => one.spec?.nodeName === node)));
      }
      for (const owner of ['o1', 'o2', 'o3']) {
        const owned = all.filter((one) => one.metadata?.labels?.[owner] !== undefined);
        expect(new Set(store.byIndex('owners', owner))).toEqual(new Set(owned));
      }
    }
  },
);

test('cluster-scoped objects are found without a namespace; an index that nobody defined is a mistake', () => {
  const store = new IndexedStore();
  const node = { metadata: { name: 'n1', uid: 'u' } };
  store.set(node);
  expect(store.get('', 'n1')).toBe(node);
  expect(() => store.byIndex('node', 'n1')).toThrow('no index "node" is defined; there are: none');
});
