import type { Pod } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { instanceRef } from '../../podspec/pod-facts.ts';
import { exited, startOfTime, testInstance, testPod, withStatus } from '../testing/objects.ts';
import { decide, type DecideContext } from './decide.ts';
import type { PodState } from './pod-state.ts';
import { operationEnded, operationStarted } from './outcomes.ts';
import { instanceSeen, newPod, podChanged } from './transitions.ts';

const keepEndedMs = 600_000;
const context: DecideContext = { hostIPs: ['10.0.0.1'], keepEndedMs };
const now = startOfTime + 3_600_000;
const pod = testPod({ spec: { restartPolicy: 'Never' } });
const runs = withStatus(pod, { phase: 'Running', containerStatuses: [...testInstance(pod).containerStatuses] });
/** Its container finished at two seconds after the start of time. */
const ended = testInstance(pod, { state: 'ended', containerStatuses: [exited('app', 7)] });

const bound = (each: Pod, nowMs = now): Parameters<typeof newPod>[0] => ({
  pod: each,
  ref: instanceRef(each),
  refusals: [],
  nowMs,
});
const adopted = (each: Pod): PodState => instanceSeen(newPod(bound(each), { listed: true, inherited: true }), ended);
const told = (state: PodState, each: Pod): Pod => withStatus(each, decide(state, now, context).status ?? {});
const operationOf = (state: PodState, nowMs: number): string | undefined =>
  decide(state, nowMs, context).operation?.kind;

describe('an instance that has ended', () => {
  it('is kept from when the cluster knows the end, which is read back', () => {
    const state = adopted(runs);
    expect(operationOf(state, now + 10 * keepEndedMs)).toBeUndefined();
    const known = podChanged(state, bound(told(state, runs)));
    expect(operationOf(known, now + keepEndedMs - 1)).toBeUndefined();
    expect(decide(known, now, context).wakeAtMs).toBe(now + keepEndedMs);
    expect(operationOf(known, now + keepEndedMs)).toBe('remove');
  });

  it('is kept from when its last container ended, where a process before told it', () => {
    const state = adopted(told(adopted(runs), runs));
    expect(operationOf(state, startOfTime + 2000 + keepEndedMs - 1)).toBeUndefined();
    expect(operationOf(state, startOfTime + 2000 + keepEndedMs)).toBe('remove');
  });

  it('is kept until its exit codes are in the cluster, although somebody else has ended the pod', () => {
    const evicted = withStatus(runs, { phase: 'Failed', reason: 'Evicted' });
    const state = adopted(evicted);
    expect(operationOf(state, now + 10 * keepEndedMs)).toBeUndefined();
    const known = podChanged(state, bound(told(state, evicted)));
    expect(known.pod?.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(7);
    expect(operationOf(known, now + 10 * keepEndedMs)).toBe('remove');
  });

  it('is removed once, and its pod is left as it is', () => {
    const state = adopted(told(adopted(runs), runs));
    const removed = operationEnded(operationStarted(state, { kind: 'remove' }), { ok: true }, now);
    expect(decide(removed, now + keepEndedMs, context)).not.toHaveProperty('operation');
    expect(removed.verdict).toBeUndefined();
  });

  it('stays until its pod is deleted where nobody says how long it is kept', () => {
    const state = adopted(told(adopted(runs), runs));
    expect(decide(state, now + 1000 * keepEndedMs, { hostIPs: [] }).operation).toBeUndefined();
  });
});
