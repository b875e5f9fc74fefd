import { expect, test } from 'vitest';
import { hasPlace, soldOut } from './place.ts';

const containers = [{ name: 'main' }];
const unschedulable = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'Unschedulable',
  message: 'no resources in the zone',
};

test.each([
  ['is new', { spec: { containers } }],
  ['is Pending', { spec: { containers }, status: { phase: 'Pending' } }],
  ['is Unschedulable', { spec: { containers }, status: { phase: 'Pending', conditions: [unschedulable] } }],
])('a pod that %s has no place yet', (_, pod) => {
  expect(hasPlace(pod)).toBe(false);
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
  ['is being deleted', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' }, spec: { containers } }],
])('a pod that %s is waited for no longer', (_, pod) => {
  expect(hasPlace(pod)).toBe(true);
});

test('who is sold out says how long it waited and what the other side said', () => {
  const error = soldOut({ spec: { containers }, status: { conditions: [unschedulable] } }, 20_000);
  expect(error).toMatchObject({
    kind: 'soldOut',
    message: 'the other cluster did not place the pod within 20 s: no resources in the zone',
  });
  expect(soldOut({}, 1000).message).toBe('the other cluster did not place the pod within 1 s');
});
