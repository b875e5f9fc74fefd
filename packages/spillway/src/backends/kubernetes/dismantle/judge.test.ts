import type { KubeObject } from '@spillway/kube';
import { expect, test } from 'vitest';
import { copyMarks, namespaceMarks } from '../pods/marks.ts';
import { type FoundHome, judge, type Judgement } from './judge.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };
const home = {
  isPrepared: ({ kind }: KubeObject): boolean => kind === 'Network',
  isUsual: ({ metadata }: KubeObject): boolean => metadata?.name === 'kube-root-ca.crt',
};
const made = (clusterId: string): KubeObject => {
  const { labels, annotations } = namespaceMarks(clusterId);
  return { kind: 'Namespace', metadata: { name: 'burst', labels: { ...labels }, annotations: { ...annotations } } };
};
let uids = 0;
const object = (kind: string, name: string, of?: typeof owner): KubeObject => {
  const { labels = {}, annotations = {} } = of ? copyMarks(of) : {};
  const metadata = { namespace: 'burst', name, labels: { ...labels }, annotations: { ...annotations } };
  return { kind, metadata: { ...metadata, uid: `uid-${++uids}` } };
};
const judged = (objects: readonly KubeObject[], more: Partial<FoundHome> = {}): Judgement =>
  judge({ namespace: made('home'), objects, copies: new Set(), unseen: [], ...more }, owner, home);

test('a namespace that we made goes when there is nothing in it but what every namespace has', () => {
  expect(judged([object('ConfigMap', 'kube-root-ca.crt')])).toMatchObject({ next: 'namespace', others: [] });
});

test('what was prepared goes before its namespace, and after our objects', () => {
  const network = object('Network', 'spillway');
  expect(judged([network])).toMatchObject({ next: 'prepared', prepared: [network] });
  const copy = object('Secret', 'login', owner);
  expect(judged([network, copy])).toMatchObject({ next: 'nothing', ending: [{ name: 'login', ending: true }] });
});

test('a copy that has lost its marks is ours all the same', () => {
  const claim = object('PersistentVolumeClaim', 'sfs-1');
  expect(judged([claim], { copies: new Set([claim.metadata?.uid ?? '']) })).toMatchObject({
    next: 'nothing',
    ending: [{ name: 'sfs-1' }],
    others: [],
  });
});

test('objects of others keep the namespace and its network', () => {
  const { next, others, keeps } = judged([object('Network', 'spillway'), object('ConfigMap', 'notes')]);
  expect(next).toBe('nothing');
  expect(others).toEqual([{ kind: 'ConfigMap', namespace: 'burst', name: 'notes', why: 'belongs to somebody else' }]);
  expect(keeps).toMatchObject({ kind: 'Namespace', name: 'burst', why: 'it holds one object of others' });
});

test('so does what cannot be looked at', () => {
  const { next, keeps } = judged([], { unseen: ['persistentvolumeclaims'] });
  expect(next).toBe('nothing');
  expect(keeps?.why).toContain('may not list persistentvolumeclaims');
});

test('another virtual node of the cluster keeps it, and that is as it should be', () => {
  const { next, keeps, others } = judged([object('Secret', 'login', { ...owner, nodeName: 'other' })]);
  expect([next, keeps]).toEqual(['nothing', undefined]);
  expect(others.map(({ kind, why }) => [kind, why])).toEqual([
    ['Secret', 'belongs to virtual node other of cluster home'],
    ['Namespace', 'used by virtual node other of cluster home'],
  ]);
});

test.each([
  ['Spillway did not create', { kind: 'Namespace', metadata: { name: 'burst' } }, 'Spillway did not create it'],
  ['another cluster made', made('away'), 'belongs to cluster away'],
])('a namespace that %s is left alone', (_, namespace, why) => {
  expect(judged([object('Network', 'spillway')], { namespace })).toMatchObject({
    next: 'nothing',
    prepared: [],
    others: [{ kind: 'Namespace', why }],
  });
});
