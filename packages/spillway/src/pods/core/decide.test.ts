import type { Pod } from '@spillway/kube';
import { refusal as refusalOf } from '../../podspec/review/refusal.ts';
import { describe, expect, it } from 'vitest';
import type { Refusal } from '../../backends/backend.ts';
import { sized, specOf } from '../../podspec/testing/sized-specs.ts';
import { revisionOf } from '../../podspec/travelling.ts';
import { absenceSpacingMs, lossSpacingMs } from './absence.ts';
import { decide, deleteAgainMs, followSpacingMs, overdueMs, quietMs, refusalsNeeded } from './decide.ts';
import { instanceRef, isReady } from '../../podspec/pod-facts.ts';
import type { Operation, Outcome, PodState, Problem } from './pod-state.ts';
import { deleted, exited, startOfTime, testInstance, testPod, waiting, withStatus } from '../testing/objects.ts';
import { operationEnded, operationStarted } from './outcomes.ts';
import {
  elapsed,
  instanceGone,
  instanceMissing,
  instanceSeen,
  newOrphan,
  newPod,
  outboxTaken,
  podChanged,
  podGone,
  referenceChanged,
  retryNow,
  statusRefused,
} from './transitions.ts';

const context = { hostIPs: ['10.0.0.1'] };
const now = startOfTime;
const seconds = (count: number): number => count * 1000;
const ok: Outcome = { ok: true };
/** As an API server before Kubernetes 1.34 has it. */
const unnumbered = (pod: Pod): Pod => {
  const { generation: _generation, ...metadata } = pod.metadata ?? {};
  return { ...pod, metadata };
};
const failed = (kind: Problem['kind'], more: Partial<Problem> = {}): Outcome => ({
  ok: false,
  problem: { kind, message: `${kind} happened`, ...more },
});

const bound = (pod: Pod, nowMs = now, refusals: readonly Refusal[] = []): Parameters<typeof podChanged>[1] => ({
  pod,
  ref: instanceRef(pod),
  refusals,
  nowMs,
});

/** A pod that came while we watched: there is certainly no instance of it yet. */
const arrived = (pod: Pod = testPod(), refusals: readonly Refusal[] = []): PodState =>
  newPod(bound(pod, now, refusals), { listed: true, inherited: false });

/** A pod that was there when the process started. */
const inherited = (pod: Pod): PodState => newPod(bound(pod), { listed: false, inherited: true });

const change = (state: PodState, pod: Pod, nowMs = now): PodState =>
  podChanged(state, bound(pod, nowMs, state.refusals));

/** Performs what is decided, with the given outcome. */
function perform(state: PodState, outcome: Outcome, nowMs = now): PodState {
  const { operation } = decide(state, nowMs, context);
  if (operation === undefined) throw new Error('nothing is to be done');
  return operationEnded(operationStarted(state, operation), outcome, nowMs);
}

const operationOf = (state: PodState, nowMs = now): string | undefined => decide(state, nowMs, context).operation?.kind;

const runningPod = withStatus(testPod(), {
  phase: 'Running',
  containerStatuses: [...testInstance(testPod()).containerStatuses],
});
const adopted = (pod: Pod = runningPod): PodState => instanceSeen(inherited(pod), testInstance(pod));

/** Its pod is gone, and its instance was removed. */
const removed = (): PodState => perform(perform(podGone(adopted()), ok), ok);

describe('a new pod', () => {
  it('is created', () => {
    expect(decide(arrived(), now, context).operation).toEqual({ kind: 'create', again: false });
  });

  it('is not created before there was a complete listing', () => {
    const decision = decide(inherited(testPod()), now, context);
    expect(decision.operation).toBeUndefined();
    expect(decision.needsListing).toBe(true);
    expect(decision.status).toBeUndefined();
    expect(operationOf(instanceMissing(inherited(testPod()), now))).toBe('create');
  });

  it('is created once: nothing else is done while the create is under way, and nothing again when it was accepted', () => {
    const creating = operationStarted(arrived(), { kind: 'create', again: false });
    expect(operationOf(creating)).toBeUndefined();
    const accepted = operationEnded(creating, ok, now);
    expect(operationOf(accepted)).toBeUndefined();
    expect(operationOf(instanceSeen(accepted, testInstance(testPod())))).toBeUndefined();
  });

  it('is created again only when two complete listings, some time apart, do not show what was accepted', () => {
    let state = perform(arrived(), ok);
    state = instanceMissing(state, now - 1);
    expect(operationOf(state)).toBeUndefined();
    state = instanceMissing(state, now + 1);
    state = instanceMissing(state, now + 2);
    expect(operationOf(state)).toBeUndefined();
    state = instanceMissing(state, now + 1 + absenceSpacingMs);
    expect(decide(state, now, context).operation).toEqual({ kind: 'create', again: true });
  });

  it('whose accepted instance is gone, and is created again by half, is asked for once more', () => {
    let state = perform(arrived(), ok);
    for (const startedMs of [now, now + absenceSpacingMs]) state = instanceMissing(state, startedMs);
    const later = now + absenceSpacingMs;
    state = perform(state, failed('unavailable'), later);
    const half = testInstance(testPod(), { state: 'starting', containerStatuses: [waiting('app')] });
    state = instanceSeen(state, half);
    expect(operationOf(state, later + seconds(60))).toBe('create');
    const whole = perform(state, ok, later + seconds(60));
    expect(operationOf(whole, later + seconds(120))).toBeUndefined();
  });

  it('gets no status at first, so that a quick backend costs one write', () => {
    const state = perform(arrived(), ok);
    expect(decide(state, now, context)).toMatchObject({ wakeAtMs: now + quietMs });
    expect(decide(state, now, context).status).toBeUndefined();
    expect(decide(state, now + quietMs, context).status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }],
    });
    const running = instanceSeen(state, testInstance(testPod()));
    expect(decide(running, now, context).status).toMatchObject({ phase: 'Running' });
  });
});

describe('a pod that cannot start', () => {
  const refusal: Refusal = {
    code: 'host-namespace-unsupported',
    field: 'spec.hostNetwork',
    message: 'host network is not possible',
    remedy: 'Remove it.',
    documentation: 'not-burstable.md#host-namespace-unsupported',
  };

  it('keeps the size in which the backend was asked to create it, whatever its specification says since', () => {
    const [small, large] = ['500m/1Gi', '2/4Gi'].map((size) => testPod({ spec: specOf(size) }));
    if (!small || !large) throw new Error('no pods');
    const resized = {
      ...bound({ ...large, metadata: { ...large.metadata, generation: 2 } }),
      sized: sized(large, 'cci'),
    };
    const state = newPod({ ...bound(small), sized: sized(small, 'cci') }, { listed: true, inherited: false });
    expect(podChanged(state, resized).sized?.pod.milliCpu).toBe(2000n);
    const asked = operationStarted(state, { kind: 'create', again: false });
    expect(podChanged(asked, resized).sized?.pod.milliCpu).toBe(500n);
  });

  it('because the backend cannot run it stays Pending, says why and what to do, and is never Failed', () => {
    const state = arrived(testPod({ spec: { restartPolicy: 'Never' } }), [refusal]);
    const message = 'spec.hostNetwork: host network is not possible. Remove it.';
    expect(decide(state, now, context).operation).toBeUndefined();
    expect(decide(state, now, context).status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'NotSupportedByPool', message } } }],
    });
    expect(state.outbox).toEqual([{ severity: 'Warning', reason: 'NotSupportedByPool', message }]);
  });

  it('is told again when it was changed and is still refused, and only then', () => {
    const state = { ...arrived(testPod(), [refusal]), outbox: [] };
    expect(podChanged(state, bound(testPod(), now, [refusal])).outbox).toEqual([]);
    const respecified = testPod({ metadata: { generation: 2 } });
    expect(podChanged(state, bound(respecified, now, [refusal])).outbox).toHaveLength(1);
    expect(operationOf(podChanged(state, bound(respecified)))).toBe('create');
  });

  it('is told the same on a Kubernetes that gives pods no generation', () => {
    const state = arrived(unnumbered(testPod()), [refusal]);
    expect(state.outbox).toHaveLength(1);
    const quiet = { ...state, outbox: [] };
    expect(podChanged(quiet, bound(unnumbered(testPod()), now, [refusal])).outbox).toEqual([]);
    const respecified = unnumbered(testPod({ spec: { activeDeadlineSeconds: 60 } }));
    expect(podChanged(quiet, bound(respecified, now, [refusal])).outbox).toHaveLength(1);
  });

  it('for want of a Secret waits with the reason of the kubelet, tells it, and tries again within 10 s for ever', () => {
    const notice = { severity: 'Warning', reason: 'Failed', message: 'Error: secret "s" not found' } as const;
    const problem = { reason: 'CreateContainerConfigError', notices: [notice] };
    let state = arrived();
    let at = now;
    for (let attempt = 0; attempt < 30; attempt += 1) {
      state = perform({ ...state, outbox: [] }, failed('missingReference', problem), at);
      expect(state.outbox).toEqual([notice]);
      expect(state.created).toBe('no');
      const { wakeAtMs = 0, status } = decide(state, at, context);
      expect(status).toMatchObject({
        containerStatuses: [{ state: { waiting: { reason: 'CreateContainerConfigError' } } }],
      });
      expect(operationOf(state, wakeAtMs - 1)).toBeUndefined();
      expect(wakeAtMs - at).toBeGreaterThan(0);
      expect(wakeAtMs - at).toBeLessThanOrEqual(seconds(10));
      at = wakeAtMs;
    }
    expect(operationOf(state, at)).toBe('create');
  });

  it.each([
    ['soldOut', 'SoldOut'],
    ['quota', 'QuotaExceeded'],
    ['blocked', 'BackendBlocked'],
    ['unavailable', 'BackendUnavailable'],
    ['throttled', 'BackendThrottled'],
    ['unauthorized', 'BackendUnauthorized'],
    ['internal', 'CreateInstanceError'],
  ] as const)('because of %s stays Pending with reason %s and an event, and is tried again', (kind, reason) => {
    const state = perform(arrived(testPod({ spec: { restartPolicy: 'Never' } })), failed(kind, { remedy: 'Do this.' }));
    const { status, wakeAtMs = Number.POSITIVE_INFINITY } = decide(state, now, context);
    expect(status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason, message: `${kind} happened. Do this.` } } }],
    });
    expect(state.outbox).toEqual([{ severity: 'Warning', reason, message: `${kind} happened. Do this.` }]);
    expect(operationOf(state, wakeAtMs)).toBe('create');
  });

  it('after 25 failures is still tried, at most 5 minutes later', () => {
    let state = arrived();
    let at = now;
    for (let attempt = 0; attempt < 25; attempt += 1) {
      state = perform(state, failed('unavailable'), at);
      at = decide(state, at, context).wakeAtMs ?? at;
    }
    expect(operationOf(state, at)).toBe('create');
    expect(decide(perform(state, failed('soldOut'), at), at, context).wakeAtMs).toBeLessThanOrEqual(at + seconds(300));
  });

  it('waits as long as the backend says', () => {
    const state = perform(arrived(), failed('throttled', { retryAfterMs: seconds(90) }));
    expect(operationOf(state, now + seconds(89))).toBeUndefined();
    expect(operationOf(state, now + seconds(90))).toBe('create');
  });

  it('is tried at once when the backend is back', () => {
    const state = perform(arrived(), failed('unavailable'));
    expect(operationOf(state)).toBeUndefined();
    expect(operationOf(retryNow(state))).toBe('create');
  });

  it('because the backend finds it invalid is not tried again before somebody changes it', () => {
    const state = perform(arrived(), failed('invalid'));
    expect(decide(state, now + seconds(100_000), context).operation).toBeUndefined();
    expect(operationOf(retryNow(state))).toBeUndefined();
    expect(operationOf(change(state, testPod({ metadata: { generation: 2 } })))).toBe('create');
  });

  it('longer than its active deadline is Failed', () => {
    const pod = testPod({
      spec: { activeDeadlineSeconds: 60 },
      status: { phase: 'Pending', startTime: '2026-01-01T00:00:00Z' },
    });
    const state = perform(arrived(pod), failed('soldOut'));
    expect(decide(state, now, context).wakeAtMs).toBeLessThanOrEqual(now + seconds(60));
    const late = elapsed(state, now + seconds(60));
    expect(decide(late, now + seconds(60), context)).toMatchObject({
      status: { phase: 'Failed', reason: 'DeadlineExceeded' },
    });
    expect(operationOf(late, now + seconds(10_000))).toBeUndefined();
  });
});

describe('after a restart of Spillway', () => {
  it('a pod whose instance exists is adopted: nothing is created or stopped', () => {
    expect(operationOf(adopted())).toBeUndefined();
  });

  it('a pod that never started is created', () => {
    expect(operationOf(instanceMissing(inherited(testPod()), now))).toBe('create');
  });

  it.each(['Always', 'OnFailure', 'Never'])(
    'a pod that ran and is lost (%s) is Failed, not started again',
    (restartPolicy) => {
      const pod = { ...runningPod, spec: { containers: [{ name: 'app', image: 'x' }], restartPolicy } };
      const once = instanceMissing(inherited(pod), now);
      const soon = instanceMissing(once, now + lossSpacingMs - 1);
      expect(decide(soon, now, context)).toEqual({ wakeAtMs: now + lossSpacingMs });
      expect(decide(soon, now + lossSpacingMs, context)).toEqual({ needsListing: true });
      const twice = instanceMissing(soon, now + lossSpacingMs);
      const { operation, status } = decide(twice, now, context);
      expect(operation).toBeUndefined();
      expect(status).toMatchObject({
        phase: 'Failed',
        reason: 'InstanceLost',
        containerStatuses: [
          { ready: false, state: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } } },
        ],
      });
      expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'DisruptionTarget', status: 'True' }));
      expect(twice.outbox).toContainEqual(expect.objectContaining({ reason: 'InstanceLost' }));
    },
  );

  it('a pod that ran with only its init containers is not started again either', () => {
    const pod = testPod({ status: { phase: 'Pending', initContainerStatuses: [exited('init')] } });
    const lost = instanceMissing(instanceMissing(inherited(pod), now), now + lossSpacingMs);
    expect(decide(lost, now, context).status).toMatchObject({ phase: 'Failed', reason: 'InstanceLost' });
  });

  it('a pod whose instance is found after all is not lost', () => {
    const state = instanceSeen(instanceMissing(inherited(runningPod), now), testInstance(runningPod));
    expect(decide(state, now, context).status).toMatchObject({ phase: 'Running' });
  });

  it('an instance that was judged lost and turns up again is stopped: the judgement stands', () => {
    const lost = instanceMissing(instanceMissing(inherited(runningPod), now), now + lossSpacingMs);
    expect(operationOf(instanceSeen(lost, testInstance(runningPod)))).toBe('stop');
  });

  it('a pod that ended long ago needs nothing', () => {
    const pod = testPod({ status: { phase: 'Succeeded', containerStatuses: [exited('app')] } });
    const state = instanceMissing(instanceMissing(inherited(pod), now), now + absenceSpacingMs);
    expect(operationOf(state)).toBeUndefined();
    expect(decide(state, now, context).status).toMatchObject({ phase: 'Succeeded' });
  });
});

describe('a pod that runs', () => {
  it('and that the backend says is gone keeps its status until two listings agree', () => {
    const state = instanceGone(adopted(), now);
    expect(decide(state, now, context)).toEqual({ needsListing: true });
    const lost = instanceMissing(instanceMissing(state, now), now + absenceSpacingMs);
    expect(decide(lost, now, context).status).toMatchObject({ reason: 'InstanceLost' });
  });

  it('past its active deadline is stopped with its grace, and Failed when it has ended', () => {
    const pod = {
      ...runningPod,
      spec: { ...runningPod.spec, containers: [{ name: 'app' }], activeDeadlineSeconds: 60 },
    };
    const started = { ...pod, status: { ...pod.status, startTime: '2026-01-01T00:00:00Z' } };
    const running = instanceSeen(inherited(started), testInstance(pod));
    expect(decide(running, now, context).wakeAtMs).toBe(now + seconds(60));
    const at = now + seconds(60);
    const late = elapsed(running, at);
    expect(decide(late, at, context).operation).toMatchObject({ kind: 'stop', graceSeconds: 30 });
    const stopped = perform(late, ok, at);
    expect(decide(stopped, at, context).status).toMatchObject({ phase: 'Running' });
    const ended = instanceSeen(stopped, testInstance(pod, { state: 'ended', containerStatuses: [exited('app')] }));
    expect(decide(ended, at, context).status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
    expect(operationOf(ended, at + seconds(1000))).toBeUndefined();
  });

  it('and that somebody else set to Failed is stopped, and keeps that phase', () => {
    const evicted = { ...runningPod, status: { ...runningPod.status, phase: 'Failed', reason: 'Evicted' } };
    const state = change(adopted(), evicted);
    expect(operationOf(state)).toBe('stop');
    const ended = instanceSeen(
      perform(state, ok),
      testInstance(evicted, { state: 'ended', containerStatuses: [exited('app')] }),
    );
    expect(decide(ended, now, context).status).toMatchObject({ phase: 'Failed', reason: 'Evicted' });
  });

  it('and ends keeps its instance, and thereby its logs, until the pod is deleted', () => {
    const pod = testPod({ spec: { restartPolicy: 'Never' } });
    const state = instanceSeen(
      inherited(pod),
      testInstance(pod, { state: 'ended', containerStatuses: [exited('app', 3)] }),
    );
    const { operation, status } = decide(state, now, context);
    expect(operation).toBeUndefined();
    expect(status).toMatchObject({ phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 3 } } }] });
    const recorded = change(state, withStatus(pod, status ?? {}));
    expect(operationOf(recorded, now + seconds(100_000))).toBeUndefined();
  });
});

describe('a pod that is deleted', () => {
  it('is stopped with its grace, counted from when we saw the deletion', () => {
    const state = change(adopted(), deleted(runningPod, now), now);
    expect(decide(state, now, context).operation).toEqual({
      kind: 'stop',
      graceSeconds: 30,
      deadlineMs: now + seconds(30),
    });
  });

  it('while Spillway was away has only the rest of its grace', () => {
    const pod = deleted(runningPod, now - seconds(20));
    expect(decide(adopted(pod), now, context).operation).toMatchObject({ kind: 'stop', graceSeconds: 10 });
    expect(decide(adopted(deleted(runningPod, now - seconds(90))), now, context).operation).toMatchObject({
      graceSeconds: 0,
    });
  });

  it('whose clock is ahead gets no more than its whole grace', () => {
    const pod = deleted(runningPod, now + seconds(500));
    expect(decide(adopted(pod), now, context).operation).toMatchObject({ graceSeconds: 30 });
  });

  it('again with a shorter grace is stopped again, never with a longer one', () => {
    let state = perform(change(adopted(), deleted(runningPod, now)), ok);
    expect(operationOf(state)).toBeUndefined();
    state = change(state, deleted(runningPod, now, 5), now + seconds(1));
    expect(decide(state, now + seconds(1), context).operation).toMatchObject({ kind: 'stop', graceSeconds: 5 });
    state = perform(state, ok, now + seconds(1));
    state = change(state, deleted(runningPod, now, 60), now + seconds(2));
    expect(operationOf(state, now + seconds(2))).toBeUndefined();
    expect(decide(state, now + seconds(2), context).wakeAtMs).toBe(now + seconds(6) + overdueMs);
  });

  it('in init or image pull is stopped with its grace as well', () => {
    const pod = testPod({ spec: { initContainers: [{ name: 'init', image: 'x' }] } });
    const starting = testInstance(pod, { state: 'starting', containerStatuses: [waiting('app', 'PodInitializing')] });
    const state = change(instanceSeen(inherited(pod), starting), deleted(pod, now));
    expect(decide(state, now, context).operation).toMatchObject({ kind: 'stop', graceSeconds: 30 });
  });

  it('is recorded as ended, then removed at the backend, then deleted in the API: in this order', () => {
    const pod = deleted(runningPod, now);
    let state = perform(change(adopted(), pod), ok);
    expect(operationOf(state, now + seconds(1))).toBeUndefined();
    state = instanceSeen(state, testInstance(pod, { state: 'ended', containerStatuses: [exited('app', 143)] }));
    const { operation, status = {} } = decide(state, now, context);
    expect(operation).toBeUndefined();
    expect(status).toMatchObject({
      phase: 'Failed',
      containerStatuses: [{ state: { terminated: { exitCode: 143 } } }],
    });
    state = change(state, withStatus(pod, status));
    expect(operationOf(state)).toBe('remove');
    state = perform(state, ok);
    expect(operationOf(state)).toBe('deletePod');
    state = perform(state, ok);
    expect(decide(state, now, context).operation).toBeUndefined();
    state = podGone(state);
    expect(decide(state, now, context).forget).toBe(true);
  });

  it('is deleted in the API only when the backend confirms that nothing runs, not when the clock says so', () => {
    const state = perform(change(adopted(), deleted(runningPod, now)), ok);
    const late = now + seconds(30) + overdueMs;
    expect(decide(state, now, context).wakeAtMs).toBe(late);
    expect(decide(state, late, context).operation).toMatchObject({ kind: 'stop', graceSeconds: 0 });
  });

  it('is asked to end again and again when it does not, each time after a pause, and is looked for meanwhile', () => {
    let state = perform(change(adopted(), deleted(runningPod, now)), ok);
    let late = now + seconds(30) + overdueMs;
    for (const again of [1, 2, 3]) {
      expect([again, decide(state, late, context).operation]).toMatchObject([again, { kind: 'stop', graceSeconds: 0 }]);
      state = perform(state, ok, late);
      expect(decide(state, late, context)).toMatchObject({ wakeAtMs: late + overdueMs });
      expect(decide(state, late + 1, context).operation).toBeUndefined();
      late += overdueMs;
    }
    const unseen = instanceMissing(state, late);
    expect(decide(unseen, late + absenceSpacingMs, context)).toMatchObject({
      operation: { kind: 'stop' },
      needsListing: true,
    });
  });

  it('never started is Failed and deleted without a stop', () => {
    const pod = deleted(testPod(), now);
    let state = change(arrived(), pod);
    const { operation, status = {} } = decide(state, now, context);
    expect(operation).toBeUndefined();
    expect(status).toMatchObject({ phase: 'Failed', containerStatuses: [{ state: { waiting: {} } }] });
    state = change(state, withStatus(pod, status));
    // What was never created needs no backend to go.
    expect(operationOf(state)).toBe('deletePod');
  });

  it('that ran is not started again, whatever else is known of it', () => {
    const state: PodState = { ...adopted(), observed: { kind: 'absent' }, verdict: undefined };
    expect(operationOf(state)).toBeUndefined();
  });

  it('that an earlier process may have created is removed first, although nothing was seen of it', () => {
    const pod = deleted(testPod({ status: { phase: 'Failed', containerStatuses: [] } }), now);
    const absent = instanceMissing(instanceMissing(inherited(pod), now), now + absenceSpacingMs);
    expect(operationOf(absent)).toBe('remove');
  });

  it('during its create waits for the answer, and is stopped then', () => {
    const creating = change(operationStarted(arrived(), { kind: 'create', again: false }), deleted(testPod(), now));
    expect(decide(creating, now + seconds(60), context).operation).toBeUndefined();
    expect(decide(creating, now + seconds(60), context).status).toMatchObject({ phase: 'Pending' });
    expect(operationOf(operationEnded(creating, ok, now))).toBe('stop');
  });

  it('whose create was never answered is looked for before it is given up', () => {
    const state = change(perform(arrived(), failed('unavailable')), deleted(testPod(), now));
    expect(decide(state, now, context)).toMatchObject({ operation: { kind: 'stop' } });
    const stopped = perform(state, ok);
    expect(decide(stopped, now, context)).toMatchObject({ needsListing: true });
    const absent = instanceMissing(instanceMissing(stopped, now), now + absenceSpacingMs);
    expect(decide(absent, now, context).status).toMatchObject({ phase: 'Failed' });
  });

  it('whose instance the backend takes away when it is stopped is over at once', () => {
    const state = instanceGone(perform(change(adopted(), deleted(runningPod, now)), ok), now);
    expect(decide(state, now, context).status).toMatchObject({ phase: 'Failed' });
  });

  it('and kept by a finalizer is not deleted again and again', () => {
    const pod = deleted(testPod({ status: { phase: 'Failed', containerStatuses: [] } }), now);
    const state = change(perform(change(arrived(), pod), ok), deleted(pod, now, 0));
    expect(decide(state, now, context)).not.toHaveProperty('operation');
    expect(operationOf(state, now + seconds(1000))).toBeUndefined();
  });

  it('but still there with its grace after a while, as in a restored cluster, is deleted again', () => {
    const pod = deleted(testPod({ status: { phase: 'Failed', containerStatuses: [] } }), now);
    const state = change(perform(change(arrived(), pod), ok), { ...pod });
    expect(decide(state, now, context)).toMatchObject({ wakeAtMs: now + deleteAgainMs });
    expect(operationOf(state, now + deleteAgainMs)).toBe('deletePod');
  });

  it('is not deleted twice because the watch shows an older version of it', () => {
    const pod = deleted(testPod({ status: { phase: 'Failed', containerStatuses: [] } }), now);
    const state = perform(change(arrived(), pod), ok);
    expect(operationOf(change(state, { ...pod }), now + seconds(1))).toBeUndefined();
  });

  it('is let go when the API server will never take its status', () => {
    let state = change(arrived(), deleted(testPod(), now));
    const end = decide(state, now, context).status ?? {};
    for (let refusal = 0; refusal < 5; refusal += 1) {
      expect(operationOf(state)).toBeUndefined();
      state = statusRefused(state, end);
    }
    expect(operationOf(state)).toBe('deletePod');
  });

  it('waits for its terminal status, although the API server refused others of it', () => {
    const pod = deleted(runningPod, now);
    const ended = testInstance(runningPod, { state: 'ended', containerStatuses: [exited('app')] });
    let state = instanceSeen(perform(change(adopted(), pod), ok), ended);
    for (let refusal = 0; refusal < 2 * refusalsNeeded; refusal += 1) {
      state = statusRefused(state, runningPod.status ?? {});
    }
    expect(operationOf(state)).toBeUndefined();
    expect(operationOf(change(state, withStatus(pod, decide(state, now, context).status ?? {})))).toBe('remove');
  });

  it.each(['stop', 'remove', 'deletePod'] as const)('has its %s tried for ever', (kind) => {
    let state = change(adopted(), deleted(runningPod, now));
    if (kind !== 'stop') {
      const ended = testInstance(runningPod, { state: 'ended', containerStatuses: [exited('app')] });
      state = instanceSeen(perform(state, ok), ended);
      state = change(state, withStatus(deleted(runningPod, now), decide(state, now, context).status ?? {}));
    }
    if (kind === 'deletePod') state = perform(state, ok);
    let at = now;
    for (let attempt = 0; attempt < 40; attempt += 1) {
      expect(operationOf(state, at)).toBe(kind);
      state = perform(state, failed('unavailable'), at);
      const { wakeAtMs = at } = decide(state, at, context);
      expect(wakeAtMs - at).toBeLessThanOrEqual(seconds(60));
      at = wakeAtMs;
    }
  });
});

const placed = (pod: Pod): PodState => newPod(bound(pod), { listed: false, inherited: false, placeholder: true });
const shown = (pod: Pod): Pod => withStatus(pod, decide(placed(pod), now, context).status ?? {});

describe('a placeholder for a pod of a DaemonSet', () => {
  it('is shown as running and Ready, without any address, also on the network of its host', () => {
    const spec = { hostNetwork: true, initContainers: [{ name: 'setup', image: 'busybox' }] };
    const decision = decide(placed(testPod({ spec })), now, context);
    expect(decision).not.toHaveProperty('operation');
    expect(decision.status).toMatchObject({
      phase: 'Running',
      containerStatuses: [{ name: 'app', ready: true, state: { running: {} } }],
      initContainerStatuses: [{ name: 'setup', state: { terminated: { exitCode: 0 } } }],
    });
    expect(isReady({ status: decision.status ?? {} })).toBe(true);
    for (const address of ['podIP', 'podIPs', 'hostIP', 'hostIPs']) expect(decision.status).not.toHaveProperty(address);
  });

  it('says the same again, also after a restart of Spillway, when nothing ran that could be lost', () => {
    const pod = shown(testPod());
    const state = instanceMissing(instanceMissing(placed(pod), now), now + absenceSpacingMs);
    expect(decide(state, now + seconds(60), context).status).toEqual(pod.status);
    expect(state).toMatchObject({ ran: false, verdict: undefined });
  });

  it('is announced once', () => {
    expect(placed(testPod()).outbox).toMatchObject([{ reason: 'Placeholder' }]);
    expect(placed(testPod({ metadata: { annotations: { 'spillway.dev/placeholder': 'true' } } })).outbox).toEqual([]);
  });

  it('is gone at once when it is deleted, without a word to the backend', () => {
    const state = change(placed(shown(testPod())), deleted(shown(testPod()), now));
    expect(decide(state, now, context)).toEqual({ operation: { kind: 'deletePod' } });
    const gone = podGone(instanceMissing(perform(state, ok), now));
    expect(decide(gone, now, context)).toEqual({ forget: true });
  });
});

describe('a pod that is gone from the cluster', () => {
  it('is believed to be gone only after a live read, and then removed by its stored reference', () => {
    const state = podGone(adopted());
    expect(operationOf(state)).toBe('confirmGone');
    const confirmed = perform(state, ok);
    expect(operationOf(confirmed)).toBe('remove');
    expect(decide(perform(confirmed, ok), now, context).forget).toBe(true);
  });

  it('and there after all goes on running', () => {
    const state = perform(podGone(adopted()), failed('stillThere'));
    expect(operationOf(state)).toBeUndefined();
    const back = change(state, runningPod);
    expect(operationOf(back)).toBeUndefined();
    expect(decide(back, now, context).status).toMatchObject({ phase: 'Running' });
  });

  it('and never had an instance is forgotten', () => {
    expect(decide(podGone(arrived()), now, context)).toEqual({ forget: true });
  });

  it('during its create is removed after the answer', () => {
    const creating = podGone(operationStarted(arrived(), { kind: 'create', again: false }));
    expect(decide(creating, now, context)).toEqual({});
    const confirmed = perform(operationEnded(creating, failed('unavailable'), now), ok);
    expect(operationOf(confirmed)).toBe('remove');
  });

  it('after a restart is not forgotten before the backend was listed', () => {
    const state = podGone(inherited(testPod()));
    expect(decide(state, now, context)).toEqual({ needsListing: true });
    expect(decide(instanceMissing(state, now), now, context).forget).toBe(true);
  });
});

describe('a pod whose instance was removed', () => {
  it('is not brought back by late news of the backend', () => {
    const state = removed();
    expect(instanceSeen(state, testInstance(runningPod))).toBe(state);
  });

  it('and that an older snapshot of the cluster shows again is Failed, not started a second time', () => {
    const restored = change(removed(), runningPod);
    expect(decide(restored, now, context)).toMatchObject({ status: { phase: 'Failed', reason: 'InstanceLost' } });
    expect(decide(restored, now, context).operation).toBeUndefined();
  });

  it('and that was never seen running but is shown again after its end is not started either', () => {
    const pod = deleted(testPod({ status: { phase: 'Failed', containerStatuses: [] } }), now);
    const ended = perform(change(arrived(), pod), ok);
    const restored = change(ended, testPod());
    expect(operationOf(restored)).toBeUndefined();
    expect(decide(restored, now, context).status).toMatchObject({ phase: 'Failed', reason: 'InstanceLost' });
  });
});

describe('a pod of which nothing is known yet', () => {
  it('is told nothing, however long the first listing takes', () => {
    expect(decide(inherited(testPod()), now + quietMs * 10, context)).toEqual({ needsListing: true });
  });

  it('is told no end while it is created, although its deadline has passed', () => {
    const pod = testPod({ spec: { activeDeadlineSeconds: 60 }, status: { startTime: '2026-01-01T00:00:00Z' } });
    const creating = operationStarted(arrived(pod), { kind: 'create', again: false });
    const late = now + seconds(61);
    expect(decide(elapsed(creating, late), late, context).status).toBeUndefined();
  });

  it('is not created again because of late news of an instance that had ended', () => {
    const ended = instanceSeen(
      perform(arrived(), ok),
      testInstance(testPod(), { state: 'ended', containerStatuses: [] }),
    );
    const late = instanceSeen(ended, testInstance(testPod(), { state: 'starting', containerStatuses: [] }));
    const gone = instanceMissing(instanceMissing(late, now), now + absenceSpacingMs);
    expect(operationOf(gone)).toBeUndefined();
  });
});

describe('a pod that another process has started', () => {
  const seen = change(arrived(), runningPod);

  it('is looked for, and neither lost nor started again', () => {
    expect(decide(seen, now, context)).toEqual({ needsListing: true });
    const found = instanceSeen(seen, testInstance(runningPod));
    expect(decide(found, now, context)).not.toHaveProperty('operation');
    expect(decide(found, now, context).status).toMatchObject({ phase: 'Running' });
  });

  it('is lost when two complete listings do not show it', () => {
    const once = instanceMissing(seen, now);
    expect(decide(once, now, context).status).toBeUndefined();
    const twice = instanceMissing(once, now + lossSpacingMs);
    expect(decide(twice, now, context).status).toMatchObject({ phase: 'Failed', reason: 'InstanceLost' });
  });
});

describe('a pod whose end had begun, of which a restored cluster knows nothing', () => {
  it('and that was being stopped ends, and is Failed', () => {
    const stopping = perform(change(adopted(), deleted(runningPod, now)), ok);
    const restored = change(stopping, runningPod);
    expect(decide(restored, now, context)).not.toHaveProperty('operation');
    const ended = instanceSeen(
      restored,
      testInstance(runningPod, { state: 'ended', containerStatuses: [exited('app', 0)] }),
    );
    expect(decide(ended, now, context).status).toMatchObject({ phase: 'Failed', reason: 'InstanceLost' });
  });

  it('and whose instance was never asked to end is ended, too', () => {
    expect(operationOf(change(change(adopted(), deleted(runningPod, now)), runningPod))).toBe('stop');
  });

  it('and that never ran is Failed, so that its controller makes another', () => {
    const restored = change(change(arrived(), deleted(testPod(), now)), testPod());
    expect(operationOf(restored)).toBeUndefined();
    expect(decide(restored, now, context).status).toMatchObject({ phase: 'Failed', reason: 'InstanceLost' });
  });

  it('and that had ended is told its end again', () => {
    const ended = instanceSeen(
      adopted(),
      testInstance(runningPod, { state: 'ended', containerStatuses: [exited('app', 7)] }),
    );
    const told = change(ended, testPod({ spec: { restartPolicy: 'Never' }, status: { phase: 'Failed' } }));
    const restored = change(told, runningPod);
    expect(decide(restored, now, context).status).toMatchObject({
      containerStatuses: [{ state: { terminated: { exitCode: 7 } } }],
    });
    expect(decide(restored, now, context).status).not.toHaveProperty('reason');
  });
});

describe('an instance without a pod', () => {
  it('is removed, and tried again until it is', () => {
    const state = newOrphan(testInstance(testPod()), now);
    expect(operationOf(state)).toBe('remove');
    const again = perform(state, failed('unavailable'));
    expect(decide(again, now, context)).not.toHaveProperty('forget');
    const { wakeAtMs = now } = decide(again, now, context);
    expect(decide(perform(again, ok, wakeAtMs), now, context).forget).toBe(true);
  });
});

describe('an instance that has ended', () => {
  it('is not one that stops because of news from before', () => {
    const ended = instanceSeen(adopted(), testInstance(runningPod, { state: 'ended' }));
    expect(instanceSeen(ended, testInstance(runningPod, { state: 'stopping' }))).toBe(ended);
  });
});

describe('news about another pod of the same name', () => {
  it('change nothing', () => {
    const state = adopted();
    expect(change(state, deleted(testPod({ uid: 'uid-2' }), now))).toBe(state);
  });
});

describe('volumes of a pod that runs', () => {
  const follows = { ...context, volumeUpdates: true };
  const spec = { volumes: [{ name: 'settings', configMap: { name: 'settings' } }] };
  const pod = withStatus(testPod({ spec }), runningPod.status ?? {});
  const content = {
    revision: revisionOf(pod),
    refused: [],
    digests: new Map([['settings', 'digest']]),
    readMs: now,
    renewAtMs: now + seconds(2880),
  };
  const update: Operation = { kind: 'update' };
  const known = (more: Partial<typeof content> = {}): PodState =>
    operationEnded(operationStarted(adopted(pod), update), { ok: true, content: { ...content, ...more } }, now);

  it('are read again at once when an earlier process has filled them', () => {
    expect(decide(adopted(pod), now, follows).operation).toEqual(update);
    expect(decide(known(), now, follows).operation).toBeUndefined();
  });

  it('stay as they are on a backend that cannot change them, and when the pod has none that follow', () => {
    expect(decide(adopted(pod), now, context).operation).toBeUndefined();
    expect(decide(adopted(), now, follows).operation).toBeUndefined();
  });

  it('and logins follow each where the backend says so', () => {
    const pulling = withStatus(testPod({ spec: { imagePullSecrets: [{ name: 'login' }] } }), runningPod.status ?? {});
    expect(decide(adopted(pulling), now, follows).operation).toBeUndefined();
    expect(decide(adopted(pulling), now, { ...context, pullSecretUpdates: true }).operation).toEqual(update);
    expect(decide(adopted(pod), now, { ...context, pullSecretUpdates: true }).operation).toBeUndefined();
  });

  it('are read again when something changed; many changes at a time are one', () => {
    const state = referenceChanged(referenceChanged(known()));
    expect(decide(state, now, follows)).toMatchObject({ wakeAtMs: now + followSpacingMs });
    expect(decide(state, now, follows).operation).toBeUndefined();
    const reading = operationStarted(state, update);
    expect(decide(state, now + followSpacingMs, follows).operation).toEqual(update);
    expect(
      decide(operationEnded(reading, { ok: true, content }, now), now + seconds(60), follows).operation,
    ).toBeUndefined();
  });

  it('are read once more when something changed while they were read', () => {
    const reading = referenceChanged(operationStarted(known(), update));
    const state = operationEnded(reading, { ok: true, content }, now);
    expect(decide(state, now + followSpacingMs, follows).operation).toEqual(update);
  });

  it('get new tokens when the old ones are to be renewed, also when the timer rings late', () => {
    expect(decide(known(), now, follows).wakeAtMs).toBe(now + seconds(2880));
    expect(decide(known(), now + seconds(2880), follows).operation).toEqual(update);
    expect(decide(known(), now + seconds(9999), follows).operation).toEqual(update);
    expect(
      decide(known({ renewAtMs: Number.POSITIVE_INFINITY }), now + seconds(9999), follows).operation,
    ).toBeUndefined();
  });

  it('are tried again after a failure, and at once when what was missing appears', () => {
    const state = operationEnded(operationStarted(known(), update), failed('missingReference'), now);
    const { operation, wakeAtMs = 0 } = decide(state, now + followSpacingMs / 10, follows);
    expect(operation).toBeUndefined();
    expect(decide(state, wakeAtMs + seconds(20), follows).operation).toEqual(update);
    expect(decide(referenceChanged(state), now + followSpacingMs, follows).operation).toEqual(update);
  });

  it('are of no interest any more when the pod is to end', () => {
    const state = referenceChanged(change(known(), deleted(pod, now)));
    expect(decide(state, now + seconds(2), follows).operation?.kind).toBe('stop');
  });

  it('are read again after a create that found an instance: it keeps what an earlier create gave it', () => {
    const create: Operation = { kind: 'create', again: true };
    const created = operationEnded(operationStarted(arrived(testPod({ spec })), create), { ok: true, content }, now);
    const state = instanceSeen(created, testInstance(pod));
    expect(decide(state, now, follows).operation).toEqual(update);
  });
});

const statusOf = (state: PodState): Pod['status'] => decide(state, now, context).status;

describe('a pod that is edited while it runs', () => {
  const update: Operation = { kind: 'update' };
  const ran = adopted();
  const edited: Pod = {
    ...runningPod,
    metadata: { ...runningPod.metadata, generation: 2 },
    spec: { containers: [{ name: 'app', image: 'nginx:2' }] },
  };
  const unlikely: Refusal = {
    code: 'resize-unsupported',
    field: 'spec.containers[0].resources',
    message: 'the pool cannot change the resources of a pod that runs',
    remedy: 'Set them back.',
    documentation: 'not-burstable.md#resize-unsupported',
  };
  const given = (state: PodState, refused: readonly Refusal[] = []): PodState => {
    const content = { revision: state.revision, refused, digests: new Map(), readMs: now, renewAtMs: Infinity };
    return operationEnded(operationStarted(state, update), { ok: true, content }, now);
  };

  it('is changed on the backend, and observed only then', () => {
    const state = change(ran, edited);
    expect(decide(state, now, context).operation).toEqual(update);
    expect(statusOf(state)?.observedGeneration).not.toBe(2);
    expect(statusOf(given(state))).toMatchObject({
      observedGeneration: 2,
      conditions: expect.arrayContaining([expect.objectContaining({ type: 'Ready', observedGeneration: 2 })]),
    });
    expect(decide(given(state), now + seconds(60), context).operation).toBeUndefined();
  });

  it('many times is changed once a second', () => {
    const state = change(given(change(ran, edited)), {
      ...edited,
      metadata: { ...edited.metadata, labels: { a: '1' } },
    });
    expect(decide(state, now, context)).toMatchObject({ wakeAtMs: now + followSpacingMs });
    expect(decide(state, now + followSpacingMs, context).operation).toEqual(update);
  });

  it('and edited back while nobody knows what became of the first change is changed back', () => {
    const original = given(ran);
    const content = new Map([['settings', 'digest']]);
    const withFiles = { ...original, content: original.content && { ...original.content, digests: content } };
    const unanswered = operationEnded(operationStarted(change(withFiles, edited), update), failed('unavailable'), now);
    const back = change(unanswered, runningPod);
    expect(decide(back, now + followSpacingMs, context).operation).toEqual(update);
    expect(back.content?.digests).toEqual(new Map());
  });

  it('and that a late request of another process changes back is changed again', () => {
    const changed = given(change(ran, edited));
    const seen = instanceSeen(changed, testInstance(runningPod, { revision: changed.revision }));
    expect(decide(seen, now + seconds(60), context).operation).toBeUndefined();
    const back = instanceSeen(seen, testInstance(runningPod, { revision: ran.revision }));
    expect(decide(back, now + seconds(60), context).operation).toEqual(update);
  });

  it('and that another process changes back during the change is changed again, when that is listed after the answer', () => {
    const old = testInstance(runningPod, { revision: ran.revision });
    const changed = given(instanceSeen(change(ran, edited), old));
    const later = now + seconds(60);
    expect(decide(instanceSeen(changed, old), later, context).operation).toBeUndefined();
    expect(decide(instanceSeen(changed, old, now - 1), later, context).operation).toBeUndefined();
    expect(decide(instanceSeen(changed, old, now), later, context).operation).toEqual(update);
  });

  it('only in its tolerations is left alone, and observed at once', () => {
    const tolerant = {
      ...runningPod,
      metadata: { ...runningPod.metadata, generation: 2 },
      spec: {
        ...runningPod.spec,
        containers: runningPod.spec?.containers ?? [],
        tolerations: [{ operator: 'Exists' }],
      },
    };
    const state = change(ran, tolerant);
    expect(decide(state, now, context).operation).toBeUndefined();
    expect(statusOf(state)?.observedGeneration).toBe(2);
  });

  it('and resized where that is impossible says so as a kubelet does, once in an event, until it is taken back', () => {
    const state = given(change(ran, edited), [unlikely]);
    const infeasible = {
      type: 'PodResizePending',
      status: 'True',
      reason: 'Infeasible',
      message: expect.stringContaining('cannot change the resources'),
      observedGeneration: 2,
    };
    expect(statusOf(state)?.conditions).toContainEqual(expect.objectContaining(infeasible));
    expect(state.outbox).toMatchObject([{ severity: 'Warning', reason: 'ResizeInfeasible' }]);
    expect(given(outboxTaken(state), [unlikely]).outbox).toEqual([]);
    const conditions = statusOf(given(state))?.conditions ?? [];
    expect(conditions.map(({ type }) => type)).not.toContain('PodResizePending');
  });

  it('in a way that the backend refuses has a condition of Spillway that names the field', () => {
    const image: Refusal = { ...unlikely, code: 'image-change-unsupported', field: 'spec.containers[0].image' };
    expect(statusOf(given(change(ran, edited), [image]))?.conditions).toContainEqual(
      expect.objectContaining({
        type: 'spillway.dev/SpecApplied',
        status: 'False',
        reason: 'NotSupportedByPool',
        message: expect.stringContaining('spec.containers[0].image'),
      }),
    );
  });

  it('by an ephemeral container that the backend cannot add is told so by its field and with what to do instead, and runs on', () => {
    const ephemeralContainers = [{ name: 'debugger', image: 'busybox' }];
    const debugged = {
      ...runningPod,
      metadata: { ...runningPod.metadata, generation: 2 },
      spec: { ...runningPod.spec, containers: runningPod.spec?.containers ?? [], ephemeralContainers },
    };
    const asked = change(ran, debugged);
    expect(decide(asked, now, context).operation).toEqual(update);
    const no = refusalOf('ephemeral-containers-unsupported', 'spec.ephemeralContainers[0]');
    const state = given(asked, [no]);
    expect(state.outbox).toMatchObject([{ severity: 'Warning', message: expect.stringContaining('--copy-to') }]);
    expect(statusOf(state)?.conditions).toContainEqual(
      expect.objectContaining({ type: 'spillway.dev/SpecApplied', message: expect.stringContaining(no.field) }),
    );
    expect(statusOf(state)).toMatchObject({ phase: 'Running' });
    expect(statusOf(state)).not.toHaveProperty('ephemeralContainerStatuses');
  });

  it('while no process looked is changed by the next one; what that one refused before is found out again', () => {
    const before = { ...testInstance(runningPod), revision: 'older' };
    expect(decide(instanceSeen(ran, before), now, context).operation).toEqual(update);
    const type = 'PodResizePending';
    const told = withStatus(runningPod, {
      conditions: [{ type, status: 'True', reason: 'Infeasible', message: 'no' }],
    });
    const restarted = adopted(told);
    expect(decide(restarted, now, context).operation).toEqual(update);
    expect(statusOf(restarted)?.conditions).toContainEqual(expect.objectContaining({ type, reason: 'Infeasible' }));
  });
});

const firstCreate: Operation = { kind: 'create', again: false };
const lacking = (state: PodState): PodState => operationEnded(state, failed('missingReference'), now);

describe('a pod that waits for something that is missing', () => {
  it('is created at once when it appears', () => {
    const state = lacking(operationStarted(arrived(), firstCreate));
    expect(operationOf(state)).toBeUndefined();
    expect(operationOf(referenceChanged(state))).toBe('create');
  });

  it('is created at once when it appeared while it was looked for', () => {
    expect(operationOf(lacking(referenceChanged(operationStarted(arrived(), firstCreate))))).toBe('create');
  });
});
