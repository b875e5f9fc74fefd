import type { Event } from '@spillway/kube';
import { expect, test } from 'vitest';
import { noticeOf } from './notices.ts';

const event = (more: Partial<Event>): Event => ({ metadata: {}, involvedObject: { kind: 'Pod' }, ...more });

test('an event of a kubelet is told as it is', () => {
  const involvedObject = { kind: 'Pod', fieldPath: 'spec.containers{main}' };
  const source = { component: 'kubelet', host: 'node-1' };
  expect(noticeOf(event({ type: 'Warning', reason: 'BackOff', message: 'again', involvedObject, source }))).toEqual({
    severity: 'Warning',
    reason: 'BackOff',
    message: 'again',
    fieldPath: 'spec.containers{main}',
  });
});

test('one of another component says so, and the other scheduler’s success is not told', () => {
  const reportingComponent = 'default-scheduler';
  const failed = event({ type: 'Warning', reason: 'FailedScheduling', message: 'no node', reportingComponent });
  expect(noticeOf(failed)).toMatchObject({ message: 'no node (default-scheduler)' });
  expect(noticeOf(event({ reason: 'Scheduled', reportingComponent }))).toBeUndefined();
});
