import { expect, it } from 'vitest';
import { explain } from './explain.ts';
import { instanceRef } from '../podspec/pod-facts.ts';
import { startOfTime, testInstance, testPod } from './testing/objects.ts';
import { specOf, sized } from '../podspec/testing/sized-specs.ts';
import { Timeline } from './timeline.ts';
import { operationEnded, operationStarted } from './core/outcomes.ts';
import { instanceSeen, newPod } from './core/transitions.ts';

const pod = testPod();
const arrived = newPod(
  { pod, ref: instanceRef(pod), refusals: [], nowMs: startOfTime },
  { listed: true, inherited: false },
);
const creating = operationStarted(arrived, { kind: 'create', again: false });

it('says what is under way, and when each stage was passed', () => {
  const timeline = new Timeline();
  timeline.pass('seen', startOfTime);
  timeline.pass('createSent', startOfTime + 250);
  expect(explain(creating, timeline)).toEqual({
    uid: 'uid-1',
    phase: 'syncing',
    instance: 'absent',
    refusals: [],
    underWay: 'create',
    failures: [],
    timeline: [
      { stage: 'seen', at: '2026-01-01T00:00:00.000Z' },
      { stage: 'createSent', at: '2026-01-01T00:00:00.250Z', seconds: 0.25 },
    ],
  });
});

it('says what failed, why, how often, and when it is tried again', () => {
  const problem = { kind: 'soldOut', message: 'no room', remedy: 'wait', retryAfterMs: 60_000 } as const;
  const [failure] = explain(operationEnded(creating, { ok: false, problem }, startOfTime), new Timeline()).failures;
  expect(failure).toMatchObject({
    operation: 'create',
    problem: 'soldOut',
    message: 'no room',
    remedy: 'wait',
    attempts: 1,
  });
  expect(Date.parse(failure?.retryAt ?? '')).toBeGreaterThanOrEqual(startOfTime + 60_000);
});

it('names no time for what is final', () => {
  const outcome = { ok: false, problem: { kind: 'invalid', message: 'no such size' } } as const;
  const [failure] = explain(operationEnded(creating, outcome, startOfTime), new Timeline()).failures;
  expect(failure).toMatchObject({ problem: 'invalid' });
  expect(failure).not.toHaveProperty('retryAt');
});

it('says as what the pod is billed where that may differ from what was written', () => {
  const large = testPod({ spec: specOf('2/1Gi') });
  const bound = { pod: large, ref: instanceRef(large), refusals: [], sized: sized(large, 'cci'), nowMs: startOfTime };
  const state = newPod(bound, { listed: true, inherited: false });
  expect(explain(state, new Timeline()).size).toEqual({ cpu: '2', memory: '4Gi' });
});

it('shows the state of the instance', () => {
  expect(explain(instanceSeen(arrived, testInstance(pod)), new Timeline()).instance).toBe('running');
});
