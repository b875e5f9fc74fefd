import type { Event } from '@spillway/kube';
import { expect, test } from 'vitest';
import { namedAsHere, noticeOf } from './notices.ts';

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

test('a pod that runs elsewhere is called by the name that it has here', () => {
  const there = { name: 'shop-web-0', namespace: 'burst', uid: '2-b' };
  const here = { name: 'web-0', namespace: 'shop', uid: '1-a' };
  const message = 'Back-off restarting failed container main in pod shop-web-0_burst(2-b)';
  expect(namedAsHere(message, there, here)).toBe('Back-off restarting failed container main in pod web-0_shop(1-a)');
  expect(namedAsHere('Created container main', there, here)).toBe('Created container main');
});
