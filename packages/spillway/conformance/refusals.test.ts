import type { Pod } from '@spillway/kube';
import { expect, test } from 'vitest';
import { waitingForRefusals } from '../src/pods/core/problems.ts';
import { refusal } from '../src/podspec/review/refusal.ts';
import { refusalCodesOf } from './refusals.ts';

const waiting = (reason: string, message: string): Pod => ({
  status: {
    containerStatuses: [
      { name: 'main', image: 'i', imageID: '', ready: false, restartCount: 0, state: { waiting: { reason, message } } },
    ],
  },
});

test('a refusal is told by the codes under which the documentation explains it', () => {
  const refusals = [
    refusal('host-namespace-unsupported', 'spec.hostNetwork'),
    refusal('volume-unsupported', 'spec.volumes[0].hostPath'),
  ];
  const { reason, message } = waitingForRefusals(refusals);
  expect(refusalCodesOf(waiting(reason, message)).toSorted()).toEqual([
    'host-namespace-unsupported',
    'volume-unsupported',
  ]);
});

test('a change that a running pod does not get is refused, too', () => {
  const message = waitingForRefusals([
    refusal('ephemeral-containers-unsupported', 'spec.ephemeralContainers[0]'),
  ]).message;
  const condition = { type: 'spillway.dev/SpecApplied', status: 'False', message } as const;
  expect(refusalCodesOf({ status: { conditions: [condition] } })).toEqual(['ephemeral-containers-unsupported']);
});

test('a pod that waits for something else is not refused', () => {
  expect(refusalCodesOf(waiting('ContainerCreating', ''))).toEqual([]);
  expect(refusalCodesOf({})).toEqual([]);
});
