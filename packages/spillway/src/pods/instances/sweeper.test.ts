import { silentLogger } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import type { InstanceRef } from '../../backends/backend.ts';
import type { Census } from '../../podspec/absence/sightings.ts';
import type { HeldBack } from '../../podspec/absence/suspicion.ts';
import { Sweeper } from './sweeper.ts';
import { testPod } from '../testing/objects.ts';
import { instanceRef } from '../../podspec/pod-facts.ts';

const one = instanceRef(testPod({ uid: 'one' }));
const two = instanceRef(testPod({ uid: 'two' }));
const graceMs = 30_000;
const census = (startedMs: number, leftOver: readonly InstanceRef[], total = leftOver.length): Census<InstanceRef> => ({
  startedMs,
  leftOver: new Map(leftOver.map((ref) => [ref.uid, ref])),
  total,
});

interface Setup {
  readonly sweeper: Sweeper;
  readonly orphans: string[];
  readonly wanted: number[];
  readonly asked: string[];
  readonly suspicions: HeldBack[];
}

function setUp({ rightCluster = true, pods = [] as readonly string[], fails = false } = {}): Setup {
  const orphans: string[] = [];
  const wanted: number[] = [];
  const asked: string[] = [];
  const suspicions: HeldBack[] = [];
  const sweeper = new Sweeper({
    graceMs,
    gonePods: {
      look: async ({ uid }) => {
        asked.push(uid);
        if (fails) throw new Error('the API server is away');
        if (!rightCluster) return 'otherCluster';
        return pods.includes(uid) ? 'there' : 'gone';
      },
    },
    onOrphan: ({ uid }) => void orphans.push(uid),
    onSuspicion: (heldBack) => void suspicions.push(heldBack),
    requestListingIn: (ms) => void wanted.push(ms),
    now: () => 1000,
    logger: silentLogger,
  });
  return { sweeper, orphans, wanted, asked, suspicions };
}

describe('an instance without a pod', () => {
  it('is an orphan when two listings, a grace window apart, and a live read agree', async () => {
    const { sweeper, orphans, wanted } = setUp();
    sweeper.observe(census(1000, [one]));
    expect(sweeper.candidates).toBe(1);
    expect(wanted).toEqual([graceMs]);
    sweeper.observe(census(1000 + graceMs - 1, [one]));
    await sweeper.settled();
    expect(orphans).toEqual([]);
    sweeper.observe(census(1000 + graceMs, [one]));
    await sweeper.settled();
    expect(orphans).toEqual(['one']);
  });

  it('starts anew when it was away or owned meanwhile', async () => {
    const { sweeper, orphans } = setUp();
    sweeper.observe(census(0, [one]));
    sweeper.observe(census(1000, []));
    expect(sweeper.candidates).toBe(0);
    sweeper.observe(census(graceMs, [one]));
    await sweeper.settled();
    expect(orphans).toEqual([]);
  });

  it('is none when the API server has its pod', async () => {
    const { sweeper, orphans } = setUp({ pods: ['one'] });
    for (const at of [0, graceMs]) sweeper.observe(census(at, [one, two]));
    await sweeper.settled();
    expect(orphans).toEqual(['two']);
  });

  it('is left alone when the API server is another cluster', async () => {
    const { sweeper, orphans, asked } = setUp({ rightCluster: false });
    for (const at of [0, graceMs]) sweeper.observe(census(at, [one, two]));
    await sweeper.settled();
    expect(orphans).toEqual([]);
    expect(asked).toEqual(['one']);
  });

  it('is left alone while the API server does not answer, and looked at again', async () => {
    const { sweeper, orphans, asked } = setUp({ fails: true });
    for (const at of [0, graceMs, 2 * graceMs]) {
      sweeper.observe(census(at, [one]));
      await sweeper.settled();
    }
    expect(orphans).toEqual([]);
    expect(asked).toEqual(['one', 'one']);
  });
});

describe('so many instances without a pod that something else may be wrong', () => {
  const many = Array.from({ length: 8 }, (_, index) => instanceRef(testPod({ uid: `lost-${index}` })));
  const uids = many.map(({ uid }) => uid);
  const tenMinutes = 600_000;

  it('are reported once, left alone for ten more minutes, verified afresh, and removed', async () => {
    const { sweeper, orphans, asked, suspicions, wanted } = setUp();
    for (let at = -graceMs; at < tenMinutes; at += graceMs) {
      sweeper.observe(census(at, many, 10));
      await sweeper.settled();
    }
    expect(suspicions).toEqual([{ candidates: 8, total: 10, remainingMs: tenMinutes }]);
    expect(sweeper.heldBack).toBe(8);
    expect([...asked, ...orphans]).toEqual([]);
    expect(wanted.at(-1)).toBe(graceMs);
    sweeper.observe(census(tenMinutes, many, 10));
    await sweeper.settled();
    expect(asked).toEqual(uids);
    expect(orphans).toEqual(uids);
  });

  it('are kept when the fresh verification finds their pods', async () => {
    const { sweeper, orphans, asked } = setUp({ pods: uids });
    for (let at = -graceMs; at <= tenMinutes; at += graceMs) {
      sweeper.observe(census(at, many));
      await sweeper.settled();
    }
    expect(asked).toEqual(uids);
    expect(orphans).toEqual([]);
  });

  it('are no suspicion when they are a small part of all, and none any more when their pods come back', async () => {
    const { sweeper, orphans, suspicions } = setUp();
    for (const at of [0, graceMs]) sweeper.observe(census(at, many, 100));
    await sweeper.settled();
    expect(orphans).toEqual(uids);
    const restored = setUp();
    for (const at of [0, graceMs]) restored.sweeper.observe(census(at, many));
    restored.sweeper.observe(census(graceMs + 1000, [], 8));
    expect(restored.suspicions).toHaveLength(1);
    expect(restored.sweeper.heldBack).toBe(0);
    expect(suspicions).toEqual([]);
  });

  it('wait for ever while the API server is another cluster', async () => {
    const { sweeper, orphans } = setUp({ rightCluster: false });
    for (let at = 0; at < 10 * tenMinutes; at += 60_000) {
      sweeper.observe(census(at, many));
      await sweeper.settled();
    }
    expect(orphans).toEqual([]);
  });
});
