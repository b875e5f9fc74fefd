import { expect, test } from 'vitest';
import { whyUnplaced } from './place.ts';

const containers = [{ name: 'main' }];
const unschedulable = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'Unschedulable',
  message: 'no resources in the zone',
};

test.each([
  ['is new', { spec: { containers } }, ''],
  ['is Pending', { spec: { containers }, status: { phase: 'Pending' } }, ''],
  [
    'is Unschedulable',
    { spec: { containers }, status: { phase: 'Pending', conditions: [unschedulable] } },
    'no resources in the zone',
  ],
])('a pod that %s has no place yet, and says why', (_, pod, why) => {
  expect(whyUnplaced(pod)).toBe(why);
});

test.each([
  ['has a node', { spec: { containers, nodeName: 'n' }, status: { phase: 'Pending' } }],
  ['runs', { spec: { containers }, status: { phase: 'Running' } }],
  ['has failed', { spec: { containers }, status: { phase: 'Failed' } }],
  [
    'pulls its image',
    {
      spec: { containers },
      status: {
        phase: 'Pending',
        containerStatuses: [{ name: 'main', image: '', imageID: '', ready: false, restartCount: 0 }],
      },
    },
  ],
])('a pod that %s has a place', (_, pod) => {
  expect(whyUnplaced(pod)).toBeUndefined();
});
