import type { Lease } from '@spillway/kube';
import { expect, test } from 'vitest';
import { servingVerdict } from './serving.ts';

const renewedMs = Date.parse('2026-01-01T00:00:00Z');
const lease = (resourceVersion: string, spec: Lease['spec'] = {}): Lease => ({
  metadata: { resourceVersion },
  spec: { holderIdentity: 'a', leaseDurationSeconds: 40, renewTime: '2026-01-01T00:00:00.000000Z', ...spec },
});
const first = lease('1');
const now = (watchedMs: number, nowMs = renewedMs + watchedMs): { watchedMs: number; nowMs: number } => ({
  watchedMs,
  nowMs,
});

test('a lease that is renewed under our eyes has somebody who serves', () => {
  expect(servingVerdict(first, lease('2'), now(100))).toEqual({ kind: 'serving' });
});

test('one that is not is waited for as long as it lasts', () => {
  expect(servingVerdict(first, first, now(0))).toEqual({ kind: 'wait', ms: 40_000 });
  expect(servingVerdict(first, first, now(40_000))).toEqual({ kind: 'free' });
});

test('one that has lapsed by its time is watched for a moment: our clock may be wrong', () => {
  expect(servingVerdict(first, first, now(0, renewedMs + 3_600_000))).toEqual({ kind: 'wait', ms: 12_000 });
  expect(servingVerdict(first, lease('2'), now(500, renewedMs + 3_600_000))).toEqual({ kind: 'serving' });
});

test('so is one whose holder has ended', () => {
  expect(servingVerdict(first, first, { ...now(0), holderEnded: true })).toEqual({ kind: 'wait', ms: 12_000 });
  expect(servingVerdict(first, lease('2'), { ...now(9000), holderEnded: true })).toEqual({ kind: 'serving' });
});

test('one that was released is watched for a moment: another replica may take it', () => {
  const released = lease('2', { holderIdentity: '' });
  expect(servingVerdict(released, released, now(0))).toEqual({ kind: 'wait', ms: 5000 });
  expect(servingVerdict(released, lease('3'), now(2000))).toEqual({ kind: 'serving' });
});

test('none, or one that an earlier run saw lapse, is free at once', () => {
  expect(servingVerdict(undefined, undefined, now(0))).toEqual({ kind: 'free' });
  expect(servingVerdict(first, first, { ...now(0), lapsed: '1' })).toEqual({ kind: 'free' });
});
