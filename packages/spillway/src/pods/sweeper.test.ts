import { silentLogger } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { Sweeper } from './sweeper.ts';
import { testInstance, testPod } from './testing/objects.ts';

const one = testInstance(testPod({ uid: 'one' }));
const two = testInstance(testPod({ uid: 'two' }));
const graceMs = 30_000;
const { signal } = new AbortController();

interface Setup {
  readonly sweeper: Sweeper;
  readonly orphans: string[];
  readonly wanted: number[];
  readonly asked: string[];
}

function setUp({ rightCluster = true, pods = [] as readonly string[], fails = false } = {}): Setup {
  const orphans: string[] = [];
  const wanted: number[] = [];
  const asked: string[] = [];
  const sweeper = new Sweeper({
    graceMs,
    confirmCluster: async () => rightCluster,
    exists: async ({ uid }) => {
      asked.push(uid);
      if (fails) throw new Error('the API server is away');
      return pods.includes(uid);
    },
    onOrphan: ({ uid }) => void orphans.push(uid),
    requestListingIn: (ms) => void wanted.push(ms),
    now: () => 1000,
    logger: silentLogger,
  });
  return { sweeper, orphans, wanted, asked };
}

describe('an instance without a pod', () => {
  it('is an orphan when two listings, a grace window apart, and a live read agree', async () => {
    const { sweeper, orphans, wanted } = setUp();
    sweeper.observe(1000, [one], signal);
    expect(sweeper.candidates).toBe(1);
    expect(wanted).toEqual([graceMs]);
    sweeper.observe(1000 + graceMs - 1, [one], signal);
    await sweeper.settled();
    expect(orphans).toEqual([]);
    sweeper.observe(1000 + graceMs, [one], signal);
    await sweeper.settled();
    expect(orphans).toEqual(['one']);
  });

  it('starts anew when it was away or owned meanwhile', async () => {
    const { sweeper, orphans } = setUp();
    sweeper.observe(0, [one], signal);
    sweeper.observe(1000, [], signal);
    expect(sweeper.candidates).toBe(0);
    sweeper.observe(graceMs, [one], signal);
    await sweeper.settled();
    expect(orphans).toEqual([]);
  });

  it('is none when the API server has its pod', async () => {
    const { sweeper, orphans } = setUp({ pods: ['one'] });
    for (const at of [0, graceMs]) sweeper.observe(at, [one, two], signal);
    await sweeper.settled();
    expect(orphans).toEqual(['two']);
  });

  it('is left alone when the API server is another cluster', async () => {
    const { sweeper, orphans, asked } = setUp({ rightCluster: false });
    for (const at of [0, graceMs]) sweeper.observe(at, [one], signal);
    await sweeper.settled();
    expect([...orphans, ...asked]).toEqual([]);
  });

  it('is left alone while the API server does not answer, and looked at again', async () => {
    const { sweeper, orphans, asked } = setUp({ fails: true });
    for (const at of [0, graceMs, 2 * graceMs]) {
      sweeper.observe(at, [one], signal);
      await sweeper.settled();
    }
    expect(orphans).toEqual([]);
    expect(asked).toEqual(['one', 'one']);
  });
});
