import { systemClock } from '@spillway/kube';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Actor, type ActorParts } from './actor.ts';
import { instanceRef } from '../podspec/pod-facts.ts';
import type { Operation, Outcome } from './core/pod-state.ts';
import { deleted, testInstance, testPod } from './testing/objects.ts';
import { instanceSeen, newPod, podChanged, podGone } from './core/transitions.ts';

/** Steps are taken when the test says so. */
class Host {
  readonly scheduled = new Set<Actor>();
  readonly operations: { readonly operation: Operation; readonly finish: (outcome: Outcome) => void }[] = [];
  readonly statuses: (string | undefined)[] = [];
  readonly notices: string[] = [];
  forgotten = 0;
  opened = 0;

  readonly parts: ActorParts = {
    context: { hostIPs: [] },
    timing: systemClock,
    turns: { add: (actor) => this.scheduled.add(actor), delete: (actor) => this.scheduled.delete(actor) },
    performer: {
      perform: (operation) => {
        const { promise, resolve } = Promise.withResolvers<Outcome>();
        this.operations.push({ operation, finish: resolve });
        return promise;
      },
    },
    statuses: { write: (_, { phase }) => void this.statuses.push(phase), forget: () => undefined },
    record: (_, { reason }) => void this.notices.push(reason),
    listings: { request: () => undefined },
    references: { release: () => undefined },
    registry: { delete: () => void (this.forgotten += 1) },
    blockade: { accepted: () => void (this.opened += 1) },
    metrics: { stepTaken: () => undefined },
  };

  /** Takes the steps that were called for. */
  turn(): void {
    for (const actor of this.scheduled) {
      this.scheduled.delete(actor);
      actor.step();
    }
  }
}

const pod = testPod();
const bound = { pod, ref: instanceRef(pod), refusals: [], nowMs: 0 };

function newActor(host: Host): Actor {
  return new Actor(newPod({ ...bound, nowMs: Date.now() }, { listed: true, inherited: false }), host.parts);
}

async function finish(host: Host, outcome: Outcome): Promise<void> {
  host.operations.at(-1)?.finish(outcome);
  await vi.advanceTimersByTimeAsync(0);
  host.turn();
}

describe('an actor', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('does one thing at a time', async () => {
    const host = new Host();
    const actor = newActor(host);
    host.turn();
    actor.apply((state) => podChanged(state, { ...bound, pod: deleted(pod, Date.now()) }));
    host.turn();
    expect(host.operations.map(({ operation }) => operation.kind)).toEqual(['create']);
    await finish(host, { ok: true });
    expect(host.operations.map(({ operation }) => operation.kind)).toEqual(['create', 'stop']);
  });

  it('takes no step for news that say nothing', () => {
    const host = new Host();
    const actor = newActor(host);
    host.turn();
    actor.apply((state) => state);
    expect(host.scheduled.size).toBe(0);
  });

  it('wakes by itself for the next try, and holds no timer when it waits for nothing', async () => {
    const host = new Host();
    const actor = newActor(host);
    host.turn();
    await finish(host, { ok: false, problem: { kind: 'unavailable', message: 'away' } });
    expect(host.notices).toEqual(['BackendUnavailable']);
    expect(host.operations).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1001);
    host.turn();
    expect(host.operations).toHaveLength(2);
    await finish(host, { ok: true });
    actor.apply((state) => instanceSeen(state, testInstance(pod)));
    host.turn();
    expect(host.statuses.at(-1)).toBe('Running');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('tells everything once', async () => {
    const host = new Host();
    newActor(host);
    host.turn();
    await finish(host, { ok: false, problem: { kind: 'soldOut', message: 'no room' } });
    for (const actor of host.scheduled) actor.step();
    expect(host.notices).toEqual(['SoldOut']);
  });

  it('opens its pool when its pod has a place, and not before', async () => {
    const host = new Host();
    const actor = newActor(host);
    host.turn();
    await finish(host, { ok: true });
    const starting = testInstance(pod, { state: 'starting', containerStatuses: [] });
    actor.apply((state) => instanceSeen(state, { ...starting, unplaced: 'no room' }));
    expect(host.opened).toBe(0);
    actor.apply((state) => instanceSeen(state, starting));
    expect(host.opened).toBe(1);
    actor.apply((state) => instanceSeen(state, testInstance(pod)));
    expect(host.opened).toBe(1);
  });

  it('is forgotten when nothing is left to do', async () => {
    const host = new Host();
    const actor = newActor(host);
    actor.apply(podGone);
    host.turn();
    expect(host.forgotten).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that is stopped does nothing any more, and settles when its operation has ended', async () => {
    const host = new Host();
    const actor = newActor(host);
    host.turn();
    actor.stop();
    let settled = false;
    const waiting = (async () => {
      await actor.settled();
      settled = true;
    })();
    await vi.advanceTimersByTimeAsync(100_000);
    expect(settled).toBe(false);
    await finish(host, { ok: true });
    await waiting;
    actor.apply(podGone);
    host.turn();
    expect(host.operations).toHaveLength(1);
    expect(host.forgotten).toBe(0);
  });
});
