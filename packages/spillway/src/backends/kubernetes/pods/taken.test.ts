import type { Pod } from '@spillway/kube';
import { expect, test } from 'vitest';
import type { InstanceRef } from '../../backend.ts';
import { podMarks } from './marks.ts';
import { taken } from './taken.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };
const ref = { uid: '1', namespace: 'a', name: 'b-c' };

function podOf(other: InstanceRef, whose = owner): Pod {
  const { labels, annotations } = podMarks(whose, other);
  return {
    metadata: { namespace: 'burst', name: 'a-b-c', uid: 'x', labels: { ...labels }, annotations: { ...annotations } },
  };
}

test.for<[string, Pod, object]>([
  ['this pod: it was created', podOf(ref), { kind: 'done' }],
  [
    'a pod whose name runs together to the same',
    podOf({ uid: '2', namespace: 'a-b', name: 'c' }),
    { kind: 'otherName' },
  ],
  [
    'its predecessor',
    podOf({ ...ref, uid: '2' }),
    { kind: 'refused', error: { kind: 'conflict', message: expect.stringContaining('not gone yet') } },
  ],
  [
    'another cluster’s',
    podOf(ref, { ...owner, clusterId: 'c' }),
    { kind: 'refused', error: { message: expect.stringContaining('cluster c') } },
  ],
  [
    'nobody’s that we know',
    { metadata: { name: 'a-b-c' } },
    { kind: 'refused', error: { message: expect.stringContaining('somebody else') } },
  ],
])('a name may be taken by %s', ([, found, expected]) => {
  expect(taken(found, ref, owner)).toMatchObject(expected);
});
