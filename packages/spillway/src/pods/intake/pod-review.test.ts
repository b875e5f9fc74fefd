import { type Pod, silentLogger } from '@spillway/kube';
import { expect, it } from 'vitest';
import { burstTaint } from '../../podspec/contract.ts';
import { passed, refused } from '../../podspec/fit/fields.ts';
import { unknownSupport } from '../../podspec/fit/support.ts';
import { specOf } from '../../podspec/testing/sized-specs.ts';
import { reviewPod, type Reviewers } from './pod-review.ts';
import { running, testPod } from '../testing/objects.ts';

const cci: Reviewers = {
  node: { name: 'vk-1', taints: [burstTaint], labels: {} },
  offer: { support: unknownSupport, sizing: 'cci' },
  logger: silentLogger,
};

const daemon = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'ds', uid: 'u', controller: true };

function codes(pod: Pod, more: Partial<Reviewers> = {}): string[] {
  return reviewPod(pod, { ...cci, ...more }).refusals.map(({ code }) => code);
}

it('a pod that can be had is let in, with its size', () => {
  expect(reviewPod(testPod({ spec: specOf('250m/512Mi') }), cci)).toMatchObject({
    refusals: [],
    sized: { pod: { milliCpu: 250n, memoryBytes: 2n ** 30n } },
  });
});

it('without sizes it runs as it was written', () => {
  const offer = { ...cci.offer, sizing: 'none' } as const;
  expect(reviewPod(testPod(), { ...cci, offer })).toEqual({ refusals: [] });
});

it('what the backend cannot do and what cannot be had is said at once', () => {
  const fields = { os: refused('os-unsupported'), '*': passed };
  const offer = { ...cci.offer, support: { ...unknownSupport, fields } };
  const spec = { ...specOf('33/66Gi'), os: { name: 'windows' } };
  expect(codes(testPod({ spec }), { offer })).toEqual(['os-unsupported', 'cpu-too-large']);
  expect(reviewPod(testPod({ spec: specOf('33/66Gi') }), cci).sized).toBeUndefined();
});

it('what should not be here at all is told only that', () => {
  expect(codes(testPod({ metadata: { ownerReferences: [daemon] }, spec: specOf('33/66Gi') }))).toEqual([
    'daemonset-pod',
  ]);
});

it('a pod that ran here is not judged again, and still has its size', () => {
  const status = { phase: 'Running', containerStatuses: [running('app')] };
  const metadata = { ownerReferences: [daemon] };
  expect(codes(testPod({ metadata, spec: specOf('33/66Gi'), status }))).toEqual([]);
  expect(reviewPod(testPod({ metadata, spec: specOf('500m/1Gi'), status }), cci)).toMatchObject({
    refusals: [],
    sized: { pod: { milliCpu: 500n } },
  });
});

const alsoRefused = (): never => {
  throw new TypeError('x is undefined');
};

it('a review that fails by a defect refuses nothing', () => {
  const offer = { ...cci.offer, support: { ...unknownSupport, alsoRefused } };
  expect(reviewPod(testPod({ spec: specOf('-') }), { ...cci, offer })).toEqual({ refusals: [] });
});
