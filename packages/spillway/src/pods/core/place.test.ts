import type { Pod } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { instanceRef } from '../../podspec/pod-facts.ts';
import { deleted, startOfTime, testInstance, testPod, waiting } from '../testing/objects.ts';
import { decide } from './decide.ts';
import { findsPlace } from './place.ts';
import type { Outcome, PodState } from './pod-state.ts';
import { operationEnded, operationStarted } from './outcomes.ts';
import { instanceGone, instanceSeen, newPod, podChanged } from './transitions.ts';

const placeWithinMs = 20_000;
const context = { hostIPs: ['10.0.0.1'], placeWithinMs };
const now = startOfTime;
const pod = testPod();
const ok: Outcome = { ok: true };
const soldOut: Outcome = { ok: false, problem: { kind: 'soldOut', message: 'no place within 20 s' } };
const starting = testInstance(pod, { state: 'starting', podIPs: [], containerStatuses: [waiting('app')] });
const unplaced = { ...starting, unplaced: 'no resources in the zone' };

const bound = (each: Pod, nowMs: number): Parameters<typeof newPod>[0] => ({
  pod: each,
  ref: instanceRef(each),
  refusals: [],
  nowMs,
});

function perform(state: PodState, outcome: Outcome, nowMs = now): PodState {
  const { operation } = decide(state, nowMs, context);
  if (operation === undefined) throw new Error('nothing is to be done');
  return operationEnded(operationStarted(state, operation), outcome, nowMs);
}

const operationOf = (state: PodState, nowMs: number): string | undefined =>
  decide(state, nowMs, context).operation?.kind;

const reasonOf = (state: PodState, nowMs: number): string | undefined =>
  decide(state, nowMs, context).status?.containerStatuses?.[0]?.state?.waiting?.reason;

/** Accepted by the backend, which says that nobody has a place for it. */
const waits = instanceSeen(perform(newPod(bound(pod, now), { listed: true, inherited: false }), ok), unplaced);
const late = now + placeWithinMs;

describe('a pod that the backend accepts and has no place for', () => {
  it('waits, as for anything else that takes its time', () => {
    expect(operationOf(waits, late - 1)).toBeUndefined();
    expect(decide(waits, late - 1, context).wakeAtMs).toBe(late);
    expect(reasonOf(waits, late - 1)).toBe('ContainerCreating');
  });

  it('is stopped at once when it is deleted', () => {
    const going = podChanged(waits, bound(deleted(pod, now), now));
    expect(decide(going, now, context).operation).toMatchObject({ kind: 'stop' });
  });

  it('is taken back when it had none in time, says that the pool is sold out, and is tried again', () => {
    expect(operationOf(waits, late)).toBe('withdraw');
    const refused = perform(waits, soldOut, late);
    expect(reasonOf(refused, late)).toBe('SoldOut');
    expect(refused.outbox).toEqual([{ severity: 'Warning', reason: 'SoldOut', message: 'no place within 20 s' }]);
    const { wakeAtMs = 0 } = decide(refused, late, context);
    expect(wakeAtMs).toBeGreaterThan(late);
    expect(decide(refused, wakeAtMs, context).operation).toEqual({ kind: 'create', again: false });
  });

  it('goes on saying so while it is tried again, ever more seldom, and no longer once it has a place', () => {
    let state = waits;
    let at = late;
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const refused = perform(state, soldOut, at);
      const { wakeAtMs = at } = decide(refused, at, context);
      pauses.push(wakeAtMs - at);
      state = instanceSeen(perform(refused, ok, wakeAtMs), unplaced);
      expect(reasonOf(state, wakeAtMs + 10_000)).toBe('SoldOut');
      at = wakeAtMs + placeWithinMs;
    }
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(pauses.at(-1)).toBeGreaterThan(4 * (pauses[0] ?? 0));
    expect(reasonOf(instanceSeen(state, starting), at)).toBe('ContainerCreating');
  });

  it('that found one at the last moment stays, and is given as long again to be seen with it', () => {
    const placed = perform(waits, ok, late);
    expect(operationOf(placed, late)).toBeUndefined();
    expect(operationOf(instanceSeen(placed, starting), late + 10 * placeWithinMs)).toBeUndefined();
    expect(operationOf(placed, late + placeWithinMs)).toBe('withdraw');
  });

  it('that is seen with a place runs on, although the backend says that it took it back', () => {
    for (const seen of [starting, testInstance(pod)]) {
      const placed = instanceSeen(operationStarted(waits, { kind: 'withdraw' }), seen);
      const state = operationEnded(placed, soldOut, late);
      expect(state.observed).toEqual({ kind: 'present', instance: seen });
      expect(operationOf(state, late)).toBeUndefined();
      expect(state.outbox).toEqual([]);
    }
  });

  it('has not ended because it is seen going when it is taken back', () => {
    const withdrawing = operationStarted(waits, { kind: 'withdraw' });
    const seenGoing = instanceSeen(withdrawing, { ...unplaced, state: 'ended' });
    const refused = operationEnded(seenGoing, soldOut, late);
    for (const state of [seenGoing, refused, instanceSeen(refused, { ...unplaced, state: 'ended' })]) {
      expect(state.phase).toBe('syncing');
      expect(decide(state, late, context).status?.phase).toBe('Pending');
    }
    expect(decide(instanceGone(refused, late), late, context).status?.phase).toBe('Pending');
  });

  it('has ended when it had found one before it ended, although nobody knows what became of an attempt to take it back', () => {
    const away: Outcome = { ok: false, problem: { kind: 'unavailable', message: 'the backend is away' } };
    const placed = instanceSeen(perform(waits, away, late), starting);
    const ended = instanceSeen(placed, { ...starting, state: 'ended' });
    expect(decide(ended, late, context).status?.phase).toBe('Failed');
  });

  it('goes when it is deleted after an attempt to take it back that failed', () => {
    const away: Outcome = { ok: false, problem: { kind: 'unavailable', message: 'the backend is away' } };
    const going = podChanged(perform(waits, away, late), bound(deleted(pod, late), late));
    const stopped = perform(going, ok, late);
    expect(operationOf(stopped, late)).toBeUndefined();
    const ended = instanceSeen(stopped, { ...unplaced, state: 'ended' });
    const { status } = decide(ended, late, context);
    expect(status?.phase).toBe('Failed');
    const told = podChanged(ended, bound(deleted({ ...pod, status: status ?? {} }, late), late));
    expect(operationOf(told, late)).toBe('remove');
  });

  it('waits for ever where nobody says how long', () => {
    expect(decide(waits, late * 2, { hostIPs: [] }).operation).toBeUndefined();
  });
});

describe('a pool has room', () => {
  it('when what it was asked for has a place, and not when it was only accepted', () => {
    const accepted = perform(newPod(bound(pod, now), { listed: true, inherited: false }), ok);
    expect(findsPlace(accepted, instanceSeen(accepted, unplaced))).toBe(false);
    expect(findsPlace(waits, instanceSeen(waits, starting))).toBe(true);
    expect(findsPlace(accepted, instanceSeen(accepted, starting))).toBe(true);
    const placed = instanceSeen(accepted, starting);
    expect(findsPlace(placed, instanceSeen(placed, testInstance(pod)))).toBe(false);
  });

  it('or not, whatever was there before this process', () => {
    const adopted = newPod(bound(pod, now), { listed: false, inherited: true });
    expect(findsPlace(adopted, instanceSeen(adopted, testInstance(pod)))).toBe(false);
  });
});
