import { silentLogger } from '@spillway/kube';
import { afterEach, describe, expect, it } from 'vitest';
import { makeWorkload, script } from '../testing/workloads.ts';
import type { Instance, InstanceEvent, Workload } from '../backend.ts';
import { drawMs } from './duration.ts';
import { FaultyBackend } from './faulty-backend.ts';
import { type Fault, FaultDice, isDown, type Scenario } from './scenario.ts';
import { seededRandom } from './seeded-random.ts';
import { SimulatedBackend } from './simulated-backend.ts';
import { SimulatedRegion } from './simulated-region.ts';

const owner = { clusterId: 'cluster', nodeName: 'virtual' };
const { signal } = new AbortController();

/** Time passes when somebody waits. */
class HurriedClock {
  nowMs = 0;
  now(): number {
    return this.nowMs;
  }
  async sleep(ms: number): Promise<void> {
    this.nowMs += ms;
  }
}

const open: SimulatedBackend[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((backend) => backend.close()));
});

function setUp(scenario: Scenario): { rehearsal: FaultyBackend; clock: HurriedClock } {
  const clock = new HurriedClock();
  const region = new SimulatedRegion({ options: { startDelayMs: 0 }, logger: silentLogger });
  const backend = new SimulatedBackend({ region, owner });
  open.push(backend);
  return { rehearsal: new FaultyBackend({ backend, scenario, clock }), clock };
}

const pod = (name = 'web'): Workload =>
  makeWorkload({ image: 'busybox', name, spec: { containers: [script('sleep 3600')] } });

async function uids(rehearsal: FaultyBackend): Promise<readonly string[]> {
  const { instances } = await rehearsal.list(signal);
  return instances.map(({ ref }) => ref.uid);
}

const play = async (seed: number): Promise<string> => {
  const { rehearsal, clock } = setUp({
    seed,
    latency: { all: { medianMs: 100, p99Ms: 900 } },
    faults: [{ on: 'create', fails: 'soldOut', chance: 0.5 }],
  });
  const answers: string[] = [];
  for (let index = 0; index < 20; index += 1) {
    answers.push(await rehearsal.create(pod(), signal).then(() => 'ok', String));
  }
  return `${answers.join()} ${clock.now()}`;
};

const dice = (fault: Partial<Fault>): FaultDice =>
  new FaultDice([{ on: 'create', fails: 'soldOut', ...fault }], () => 0.5);

const likes = (pods: string, name: string): boolean =>
  dice({ pods }).roll('create', 0, { uid: 'a', name }) !== undefined;

const draw = (duration: Parameters<typeof drawMs>[0]): number[] => {
  const random = seededRandom(1);
  return Array.from({ length: 2000 }, () => drawMs(duration, random)).toSorted((a, b) => a - b);
};

const downAt = (everySeconds?: number): boolean[] =>
  [0, 10, 14, 15, 70, 75].map((seconds) => isDown([{ atSeconds: 10, downSeconds: 5, everySeconds }], seconds));

describe('a rehearsal', () => {
  it('goes well when the scenario is empty', async () => {
    const { rehearsal } = setUp({});
    const web = pod();
    await rehearsal.create(web, signal);
    expect(await uids(rehearsal)).toEqual([web.ref.uid]);
    await rehearsal.remove(web.ref, signal);
    expect(await rehearsal.list(signal)).toEqual({ complete: true, instances: [] });
  });

  it('goes the same way with the same seed', async () => {
    expect(await play(1)).toBe(await play(1));
    expect(await play(1)).not.toBe(await play(2));
  });

  it('answers with the kind, the retry time and the message that were asked for', async () => {
    const { rehearsal } = setUp({
      faults: [{ on: ['create', 'stop'], fails: 'throttled', retryAfterMs: 5000, message: 'slow down' }],
    });
    const failure = { kind: 'throttled', retryAfterMs: 5000, message: 'slow down (rehearsal)' };
    await expect(rehearsal.create(pod(), signal)).rejects.toMatchObject(failure);
    await expect(rehearsal.stop(pod().ref, { graceSeconds: 1 }, signal)).rejects.toMatchObject(failure);
    expect(await uids(rehearsal)).toEqual([]);
  });

  it('loses an answer after it has done what was asked', async () => {
    const { rehearsal } = setUp({
      faults: [{ on: ['create', 'remove'], fails: 'unavailable', effect: 'done', timesPerPod: 1 }],
    });
    const web = pod();
    await expect(rehearsal.create(web, signal)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await uids(rehearsal)).toEqual([web.ref.uid]);
    await rehearsal.create(web, signal);
    expect(await uids(rehearsal)).toEqual([web.ref.uid]);
    await expect(rehearsal.remove(web.ref, signal)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await uids(rehearsal)).toEqual([]);
  });

  it('has no place for what it accepts for a while: shown as such, and nothing is left when it is taken back', async () => {
    const { rehearsal, clock } = setUp({ placeDelay: 30_000 });
    const placed = Promise.withResolvers<void>();
    clock.sleep = () => placed.promise;
    const [web, db] = [pod('web'), pod('db')];
    for (const each of [web, db, web]) await rehearsal.create(each, signal);
    const look = async (): Promise<unknown> => (await rehearsal.list(signal)).instances;
    const wait = { state: 'starting', unplaced: expect.stringContaining('rehearsal') };
    expect(await look()).toMatchObject([wait, wait]);
    expect(await rehearsal.withdraw(db.ref, signal)).toBe(true);
    expect(await look()).toMatchObject([{ ref: web.ref }]);
    placed.resolve();
    await expect.poll(look).toMatchObject([{ ref: web.ref, state: 'running' }]);
    expect(await rehearsal.withdraw(web.ref, signal)).toBe(false);
    expect(await rehearsal.withdraw(db.ref, signal)).toBe(true);
  });

  it('leaves half of an instance, which the next create completes and a remove removes', async () => {
    const { rehearsal } = setUp({ faults: [{ on: 'create', fails: 'internal', effect: 'half', timesPerPod: 1 }] });
    const [web, db] = [pod('web'), pod('db')];
    for (const each of [web, db])
      await expect(rehearsal.create(each, signal)).rejects.toMatchObject({ kind: 'internal' });
    const { instances } = await rehearsal.list(signal);
    expect(instances.map(({ state, podIPs }) => [state, podIPs])).toEqual([
      ['starting', []],
      ['starting', []],
    ]);
    await rehearsal.create(web, signal);
    await rehearsal.remove(db.ref, signal);
    const [whole, ...more] = (await rehearsal.list(signal)).instances;
    expect(more).toEqual([]);
    expect(whole).toMatchObject({ ref: web.ref, podIPs: [expect.any(String)] });
  });

  it('lists late what is new, and too long what is gone', async () => {
    const { rehearsal, clock } = setUp({ lists: { lag: 1000 } });
    const web = pod();
    await rehearsal.create(web, signal);
    expect(await uids(rehearsal)).toEqual([]);
    clock.nowMs += 1000;
    expect(await uids(rehearsal)).toEqual([web.ref.uid]);
    await rehearsal.remove(web.ref, signal);
    expect(await uids(rehearsal)).toEqual([web.ref.uid]);
    clock.nowMs += 1000;
    expect(await uids(rehearsal)).toEqual([]);
  });

  it('says so when a listing is incomplete', async () => {
    const { rehearsal } = setUp({ lists: { incompleteChance: 1 } });
    for (let index = 0; index < 20; index += 1) await rehearsal.create(pod(), signal);
    const { complete, instances } = await rehearsal.list(signal);
    expect(complete).toBe(false);
    expect(instances.length).toBeLessThan(20);
  });

  it('breaks watches and loses events', async () => {
    const dropped = setUp({ watches: { dropChance: 1 } }).rehearsal;
    const broken = collect(dropped.watch(signal));
    await dropped.create(pod(), signal);
    await expect(broken).rejects.toThrow('the watch broke');
    const losing = setUp({ watches: { loseChance: 1 } }).rehearsal;
    const stop = new AbortController();
    const seen = collect(losing.watch(stop.signal));
    await losing.create(pod(), signal);
    await expect.poll(async () => (await losing.list(signal)).instances[0]?.state).toBe('running');
    stop.abort();
    expect(await seen).toEqual([]);
  });

  it('tells watchers about a half-made instance', async () => {
    const { rehearsal } = setUp({ faults: [{ on: 'create', fails: 'internal', effect: 'half' }] });
    const stop = new AbortController();
    const seen: InstanceEvent[] = [];
    const watching = collect(rehearsal.watch(stop.signal), seen);
    const web = pod();
    await expect(rehearsal.create(web, signal)).rejects.toMatchObject({ kind: 'internal' });
    await expect
      .poll(() => seen.map((event) => event.type === 'changed' && event.instance.state))
      .toEqual(['starting']);
    await rehearsal.stop(web.ref, { graceSeconds: 0 }, signal);
    await rehearsal.remove(web.ref, signal);
    await expect.poll(() => seen.at(-1)?.type).toBe('gone');
    stop.abort();
    await watching;
  });

  it('is away while the backend restarts, and its watches break', async () => {
    const { rehearsal, clock } = setUp({ restarts: [{ atSeconds: 10, downSeconds: 5, everySeconds: 60 }] });
    const web = pod();
    await rehearsal.create(web, signal);
    clock.nowMs = 12_000;
    await expect(rehearsal.list(signal)).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(collect(rehearsal.watch(signal))).rejects.toMatchObject({ kind: 'unavailable' });
    clock.nowMs = 15_000;
    expect(await uids(rehearsal)).toEqual([web.ref.uid]);
    clock.nowMs = 72_000;
    await expect(rehearsal.ping(signal)).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

async function collect(events: AsyncIterable<InstanceEvent>, into: InstanceEvent[] = []): Promise<readonly Instance[]> {
  for await (const event of events) into.push(event);
  return into.flatMap((event) => (event.type === 'changed' ? [event.instance] : []));
}

describe('which calls a fault is about', () => {
  it('depends on the time since the start', () => {
    const fault = dice({ fromSeconds: 10, toSeconds: 20 });
    expect([0, 10, 19, 20].map((seconds) => fault.roll('create', seconds) !== undefined)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('depends on how often the pod has met it', () => {
    const fault = dice({ timesPerPod: 2 });
    const meets = (uid: string): boolean => fault.roll('create', 0, { uid, name: 'web' }) !== undefined;
    expect([meets('a'), meets('a'), meets('a'), meets('b')]).toEqual([true, true, false, true]);
  });

  it('depends on the name of the pod', () => {
    expect(likes('web-*', 'web-0')).toBe(true);
    expect(likes('*-0', 'web-0')).toBe(true);
    expect(likes('w*b*0', 'web-0')).toBe(true);
    expect(likes('web', 'web-0')).toBe(false);
    expect(likes('ab*b', 'ab')).toBe(false);
    expect(likes('w*x*0', 'web-0')).toBe(false);
  });

  it('depends on chance', () => {
    expect(dice({ chance: 0.5 }).roll('create', 0)).toBeUndefined();
    expect(dice({ chance: 0.51 }).roll('create', 0)).toBeDefined();
  });
});

describe('durations', () => {
  it('are fixed, even, or log-normal', () => {
    expect(new Set(draw(70))).toEqual(new Set([70]));
    const even = draw({ minMs: 100, maxMs: 200 });
    expect(even[0]).toBeGreaterThanOrEqual(100);
    expect(even.at(-1)).toBeLessThan(200);
    expect(even[1000]).toBeGreaterThan(140);
    expect(even[1000]).toBeLessThan(160);
    const service = draw({ medianMs: 300, p99Ms: 3000 });
    expect(service[1000]).toBeGreaterThan(260);
    expect(service[1000]).toBeLessThan(340);
    expect(service[1980]).toBeGreaterThan(2000);
    expect(service[1980]).toBeLessThan(4500);
    expect(draw({ medianMs: 0, p99Ms: 10 })[0]).toBe(0);
  });
});

describe('restarts', () => {
  it('happen once or again and again', () => {
    expect(downAt()).toEqual([false, true, true, false, false, false]);
    expect(downAt(60)).toEqual([false, true, true, false, true, false]);
  });
});
