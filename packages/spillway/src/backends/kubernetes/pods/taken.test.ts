import type { Pod } from '@spillway/kube';
import { expect, test } from 'vitest';
import type { InstanceRef } from '../../backend.ts';
import { podMarks } from './marks.ts';
import { assertCreated } from './taken.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };
const ref = { uid: '1', namespace: 'a', name: 'b-c' };

function podOf(other: InstanceRef, whose = owner): Pod {
  const { labels, annotations } = podMarks(whose, other);
  return { metadata: { namespace: 'burst', name: 'a-b-c-1', labels: { ...labels }, annotations: { ...annotations } } };
}

test('a pod that is there was created, by a call whose answer was lost', () => {
  expect(() => assertCreated(podOf(ref), ref, owner)).not.toThrow();
});

test('a pod that is being deleted there was not: the next one has to wait until it is gone', () => {
  const { metadata } = podOf(ref);
  const going = { metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  expect(() => assertCreated(going, ref, owner)).toThrow('is being deleted');
});

test.for<[string, Pod, string]>([
  ['another pod’s', podOf({ ...ref, uid: '2' }), 'virtual node virtual of cluster home'],
  ['another cluster’s', podOf(ref, { ...owner, clusterId: 'c' }), 'virtual node virtual of cluster c'],
  ['nobody’s that we know', { metadata: { name: 'a-b-c-1' } }, 'somebody else'],
])('a name that is %s is not ours', ([, found, whose]) => {
  expect(() => assertCreated(found, ref, owner)).toThrow(`belongs to ${whose}`);
});
