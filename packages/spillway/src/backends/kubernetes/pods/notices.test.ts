import type { Event } from '@spillway/kube';
import { expect, test } from 'vitest';
import { noticeOf } from './notices.ts';

const event = (more: Partial<Event>): Event => ({ metadata: {}, involvedObject: { kind: 'Pod' }, ...more });

const dialect = { name: 'elsewhere', remedyOf: () => undefined };

test('an event is told as it is, and where it comes from', () => {
  const involvedObject = { kind: 'Pod', fieldPath: 'spec.containers{main}' };
  const source = { component: 'kubelet', host: 'node-1' };
  expect(
    noticeOf(event({ type: 'Warning', reason: 'BackOff', message: 'again', involvedObject, source }), dialect),
  ).toEqual({
    severity: 'Warning',
    reason: 'BackOff',
    message: 'again',
    fieldPath: 'spec.containers{main}',
    component: 'elsewhere',
  });
});

test('the other scheduler’s success is not told', () => {
  const reportingComponent = 'default-scheduler';
  expect(noticeOf(event({ reason: 'Scheduled', reportingComponent }), dialect)).toBeUndefined();
});
