import type { Pod, PodSpec } from '@spillway/kube';
import { describe, expect, it, vi } from 'vitest';
import type { Scenario } from '../../backends/simulated/scenario.ts';
import { instanceRef } from '../../podspec/pod-facts.ts';
import { CoreWorld, type WorldOptions } from '../testing/core-world.ts';
import { FakePodsApi } from '../testing/fake-pods-api.ts';
import { deleted, testPod } from '../testing/objects.ts';

async function inWorld(
  scenario: Scenario,
  play: (world: CoreWorld) => Promise<void>,
  options: WorldOptions = {},
): Promise<void> {
  const world = new CoreWorld(scenario, options);
  world.start();
  await play(world);
  await world.settle();
  await world.close();
}

const uidsOf = async (world: CoreWorld): Promise<readonly string[]> =>
  (await world.instances()).map(({ ref }) => ref.uid).toSorted();
const phaseOf = (world: CoreWorld, name: string): string | undefined => world.api.get(name)?.status?.phase;

/** A pod that runs for ever, and is seen running. */
async function runningPod(world: CoreWorld, name: string): Promise<string> {
  const { uid } = instanceRef(world.create(name));
  await world.advance(5000);
  expect(phaseOf(world, name)).toBe('Running');
  return uid;
}

// Each of these went or goes wrong in virtual kubelets that key their state by name, trust one cache, or give up.
describe('what virtual kubelets get wrong', () => {
  it('delete and re-create of one name inside one watch event: two instances with the right UIDs, the old one stopped', () =>
    inWorld({}, async (world) => {
      const old = await runningPod(world, 'db-0');
      // The watch breaks, and the list that follows shows only the new pod.
      world.delete('db-0', 0);
      const fresh = instanceRef(world.create('db-0')).uid;
      world.api.forgetHistory();
      await world.advance(120_000);
      expect([...world.traces.keys()]).toEqual([old, fresh]);
      expect(await uidsOf(world)).toEqual([fresh]);
      expect(phaseOf(world, 'db-0')).toBe('Running');
      expect(world.traces.get(fresh)?.interrupted).toBe(false);
    }));

  it('a watch gap that hides a delete: the instance is still stopped', () =>
    inWorld({}, async (world) => {
      await runningPod(world, 'web');
      world.api.away = true;
      world.delete('web', 0);
      world.api.forgetHistory();
      await world.advance(10_000);
      world.api.away = false;
      await world.advance(60_000);
      expect(await uidsOf(world)).toEqual([]);
    }));

  it('delete while the create is under way, on a backend whose lists lag: no instance is left', () =>
    inWorld({ latency: { create: 4000 }, lists: { lag: 1900 } }, async (world) => {
      world.create('graceful');
      world.create('forced');
      await world.advance(1000);
      world.delete('graceful');
      world.delete('forced', 0);
      await world.advance(120_000);
      expect(world.api.all).toEqual([]);
      expect(await uidsOf(world)).toEqual([]);
    }));

  it('the API server is away for 60 s while a pod ends: its end arrives later', () =>
    inWorld({}, async (world) => {
      world.create('batch', 'job');
      await world.advance(5000);
      world.api.away = true;
      await world.advance(60_000);
      expect(phaseOf(world, 'batch')).toBe('Running');
      world.api.away = false;
      await world.advance(60_000);
      expect(world.api.get('batch')?.status).toMatchObject({
        phase: 'Succeeded',
        containerStatuses: [{ state: { terminated: { exitCode: 0 } } }],
      });
    }));

  it('the process dies before it could tell a pod’s end: told by the next one, and not run again', () =>
    inWorld({}, async (world) => {
      const { uid } = instanceRef(world.create('batch', 'failing'));
      await world.advance(2000);
      world.api.away = true;
      await world.advance(10_000);
      world.crash();
      world.api.away = false;
      await world.advance(60_000);
      world.start();
      await world.advance(60_000);
      expect(world.api.get('batch')?.status).toMatchObject({
        phase: 'Failed',
        containerStatuses: [{ state: { terminated: { exitCode: 7 } } }],
      });
      expect(world.traces.get(uid)?.starts).toBe(1);
    }));

  it('a backend that accepts what it has no place for: said on the pod, told to the pool, and tried until there is one', () =>
    inWorld({ placeDelay: 60_000 }, async (world) => {
      const names = ['a', 'b', 'c', 'd', 'e'];
      for (const name of names) world.create(name);
      await world.advance(19_000);
      expect(world.pool.filter((each) => each !== 'open')).toEqual([]);
      await world.advance(10_000);
      expect(world.pool).toContain('soldOut');
      const reasons = (): (string | undefined)[] =>
        names.map((name) => world.api.get(name)?.status?.containerStatuses?.[0]?.state?.waiting?.reason);
      expect(reasons()).toEqual(names.map(() => 'SoldOut'));
      await world.advance(600_000);
      expect(reasons()).toEqual(names.map(() => 'SoldOut'));
      expect(world.pool).not.toContain('open');
      world.backend.change({});
      await world.advance(300_000);
      expect(names.map((name) => phaseOf(world, name))).toEqual(names.map(() => 'Running'));
      expect(world.pool.filter((each) => each === 'open')).toHaveLength(names.length);
      expect([...world.traces.values()].map(({ starts }) => starts)).toEqual(names.map(() => 1));
    }));

  it('delete while the backend looks for a place: not waited for', () =>
    inWorld({ placeDelay: 15_000 }, async (world) => {
      world.create('web');
      await world.advance(2000);
      world.delete('web', 30);
      await world.advance(2000);
      expect(world.api.all).toEqual([]);
      expect(await uidsOf(world)).toEqual([]);
    }));

  it('25 failed creates in a row: created afterwards', () =>
    inWorld({ faults: [{ on: 'create', fails: 'unavailable', timesPerPod: 25 }] }, async (world) => {
      const { uid } = instanceRef(world.create('web'));
      for (let minute = 0; minute < 40; minute += 1) await world.advance(60_000);
      expect(phaseOf(world, 'web')).toBe('Running');
      expect(world.traces.get(uid)?.starts).toBe(1);
    }));

  it('answers to create and stop are lost: one instance, then none', () =>
    inWorld(
      { faults: [{ on: ['create', 'stop', 'remove'], fails: 'unavailable', effect: 'done', timesPerPod: 1 }] },
      async (world) => {
        const uid = await runningPod(world, 'web');
        expect(await uidsOf(world)).toEqual([uid]);
        expect(world.traces.get(uid)?.starts).toBe(1);
        world.delete('web');
        await world.advance(60_000);
        expect(await uidsOf(world)).toEqual([]);
        expect(world.api.all).toEqual([]);
      },
    ));

  it('the answer to a create is lost while the instance starts: asked again, and it stays one', () =>
    inWorld(
      { startDelay: 10_000, faults: [{ on: 'create', fails: 'unavailable', effect: 'done', timesPerPod: 1 }] },
      async (world) => {
        const { uid } = instanceRef(world.create('web'));
        await world.advance(30_000);
        expect(phaseOf(world, 'web')).toBe('Running');
        expect(await uidsOf(world)).toEqual([uid]);
      },
    ));

  it('an edit is changed back by a late request of another process before it is answered: it is made again', () =>
    inWorld({ latency: { update: 2000 } }, async (world) => {
      await runningPod(world, 'web');
      world.edit('web', 'centos:8');
      await world.advance(1500);
      world.changeBack('web');
      await world.advance(120_000);
      expect((await world.instances())[0]?.containerStatuses).toMatchObject([{ image: 'centos:8' }]);
    }));

  it('a half-made instance is completed, also by the next process', () =>
    inWorld(
      { latency: { create: 100 }, faults: [{ on: 'create', fails: 'internal', effect: 'half', timesPerPod: 1 }] },
      async (world) => {
        world.create('web');
        await world.advance(500);
        world.crash();
        world.start();
        await world.advance(30_000);
        expect(phaseOf(world, 'web')).toBe('Running');
      },
    ));

  it('conditions of others survive our status writes', () =>
    inWorld({}, async (world) => {
      world.create('web');
      const gate = { type: 'example.com/gate', status: 'True' };
      world.api.change('web', (pod) => ({ ...pod, status: { ...pod.status, conditions: [gate] } }));
      await world.advance(5000);
      world.api.change('web', (pod) => ({
        ...pod,
        metadata: { ...pod.metadata, annotations: { by: 'somebody' } },
      }));
      world.delete('web', 30);
      await world.advance(50);
      expect(world.api.last.get('web-1')).toMatchObject({
        metadata: { annotations: { by: 'somebody' } },
        status: {
          phase: 'Running',
          conditions: expect.arrayContaining([gate, expect.objectContaining({ type: 'Ready' })]),
        },
      });
    }));

  it('a pod that is deleted while its image is pulled or its init runs keeps its grace', () =>
    inWorld({ startDelay: 60_000 }, async (world) => {
      const stops: number[] = [];
      world.onStop = (graceSeconds) => stops.push(graceSeconds);
      world.create('web');
      await world.advance(5000);
      world.delete('web', 20);
      await world.advance(1000);
      expect(stops).toEqual([20]);
    }));

  it('an incomplete list, a broken watch and a restarted backend kill nothing', () =>
    inWorld(
      {
        lists: { incompleteChance: 0.8 },
        watches: { dropChance: 0.3 },
        restarts: [{ atSeconds: 30, downSeconds: 40, everySeconds: 200 }],
      },
      async (world) => {
        for (let index = 0; index < 10; index += 1) world.create(`web-${index}`);
        for (let minute = 0; minute < 30; minute += 1) await world.advance(60_000);
        expect([...world.traces.values()].filter(({ starts, interrupted }) => starts !== 1 || interrupted)).toEqual([]);
      },
    ));

  it('a listing that is incomplete is repeated soon, because new pods wait for it', () =>
    inWorld({ lists: { incompleteChance: 1 } }, async (world) => {
      world.create('web');
      await world.advance(3000);
      expect(phaseOf(world, 'web')).toBe('Pending');
      world.backend.change({});
      await world.advance(10_000);
      expect(phaseOf(world, 'web')).toBe('Running');
    }));

  it('a restart with 20 running pods: no create, no stop, and the one that ended meanwhile is told', () =>
    inWorld({}, async (world) => {
      for (let index = 0; index < 20; index += 1) world.create(`web-${index}`);
      world.create('batch', 'job');
      await world.advance(10_000);
      world.crash();
      await world.advance(60_000);
      world.start();
      await world.advance(60_000);
      expect([...world.traces.values()].filter(({ starts, interrupted }) => starts !== 1 || interrupted)).toEqual([]);
      expect(phaseOf(world, 'batch')).toBe('Succeeded');
      expect(world.api.all.filter(({ status }) => status?.phase === 'Running')).toHaveLength(20);
    }));

  it('a restart into a listing that is empty and says it is complete: nothing is lost, and it is said on the node', () =>
    inWorld({}, async (world) => {
      for (let index = 0; index < 10; index += 1) world.create(`web-${index}`);
      await world.advance(10_000);
      world.crash();
      const list = vi.spyOn(world.backend, 'list').mockResolvedValue({ complete: true, instances: [] });
      world.start();
      for (let minute = 0; minute < 5; minute += 1) await world.advance(60_000);
      expect(world.nodeNotices).toEqual([
        expect.objectContaining({ severity: 'Warning', reason: 'SuspiciousListing' }),
      ]);
      list.mockRestore();
      await world.advance(60_000);
      expect(world.api.all.filter(({ status }) => status?.phase === 'Running')).toHaveLength(10);
      expect([...world.traces.values()].filter(({ starts, interrupted }) => starts !== 1 || interrupted)).toEqual([]);
    }));

  it('a whole Deployment that is deleted while nobody tells of ends: the next listing is believed', () =>
    inWorld({ watches: { loseChance: 1 } }, async (world) => {
      for (let index = 0; index < 30; index += 1) world.create(`web-${index}`);
      await world.advance(90_000);
      expect(world.api.all.filter(({ status }) => status?.phase === 'Running')).toHaveLength(30);
      for (let index = 0; index < 30; index += 1) world.delete(`web-${index}`, 1);
      await world.advance(1500);
      // As of a backend that takes away what has ended.
      vi.spyOn(world.backend, 'list').mockResolvedValue({ complete: true, instances: [] });
      for (let minute = 0; minute < 3; minute += 1) await world.advance(60_000);
      expect(world.api.all).toEqual([]);
      expect(world.nodeNotices).toEqual([]);
    }));

  it('the billed orphans of a namespace that was force-deleted during an outage: reported, held back for ten minutes, then gone', () =>
    inWorld({}, async (world) => {
      for (let index = 0; index < 10; index += 1) world.create(`web-${index}`);
      await world.advance(10_000);
      world.crash();
      for (let index = 0; index < 10; index += 1) world.delete(`web-${index}`, 0);
      world.start();
      for (let minute = 0; minute < 9; minute += 1) await world.advance(60_000);
      expect(await uidsOf(world)).toHaveLength(10);
      expect(world.nodeNotices).toEqual([expect.objectContaining({ severity: 'Warning', reason: 'SuspiciousSweep' })]);
      for (let minute = 0; minute < 5; minute += 1) await world.advance(60_000);
      expect(await uidsOf(world)).toEqual([]);
    }));
});

describe('the timeline of a pod', () => {
  it('has every stage from when it is seen until the cluster shows it Ready, in their order', () =>
    inWorld({ latency: { create: 400 }, startDelay: 2000 }, async (world) => {
      await world.advance(1000);
      world.create('web');
      await world.advance(10_000);
      const { timeline = [] } = world.controller?.pods.explain('default', 'web') ?? {};
      expect(timeline.map(({ stage }) => stage)).toEqual([
        'bound',
        'seen',
        'admitted',
        'createSent',
        'createAccepted',
        'imagePulled',
        'started',
        'ready',
      ]);
      const seconds = Object.fromEntries(timeline.map((entry) => [entry.stage, entry.seconds]));
      expect(seconds['createAccepted']).toBe(0.4);
      expect((seconds['imagePulled'] ?? 0) + (seconds['started'] ?? 0)).toBeGreaterThanOrEqual(1.5);
      expect(world.ready).toEqual([timeline.reduce((sum, entry) => sum + (entry.seconds ?? 0), 0)]);
    }));

  it('is not measured for pods that were there before the process', () =>
    inWorld({}, async (world) => {
      await runningPod(world, 'web');
      const measured = world.ready.length;
      world.crash();
      world.start();
      await world.advance(30_000);
      expect(phaseOf(world, 'web')).toBe('Running');
      expect(world.ready).toHaveLength(measured);
    }));
});

const identity = {
  containers: [
    {
      name: 'app',
      image: 'centos',
      command: ['sleep', '1000000'],
      volumeMounts: [{ name: 'identity', mountPath: '/identity' }],
    },
  ],
  volumes: [
    {
      name: 'identity',
      projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }] },
    },
  ],
};

describe('a service account token', () => {
  it('that the backend cannot renew is asked for a day, and not again', () =>
    inWorld(
      {},
      async (world) => {
        const pod = world.create('web', 'forever', identity);
        await world.advance(5000);
        expect(world.api.tokenLives).toEqual([24 * 3600]);
        await world.advance(0.9 * 24 * 3600_000);
        expect(await world.readFile(instanceRef(pod), '/identity/token')).toBe('token 1');
        expect(world.api.tokenLives).toHaveLength(1);
      },
      { capabilities: { volumeUpdates: false } },
    ));

  it('that is past 80 % of its life is a new one in the running pod', () =>
    inWorld({}, async (world) => {
      const pod = world.create('web', 'forever', identity);
      const ref = instanceRef(pod);
      const token = (): Promise<string> => world.readFile(ref, '/identity/token');
      await world.advance(5000);
      expect(await token()).toBe('token 1');
      await world.advance(0.79 * 3600_000);
      expect(await token()).toBe('token 1');
      // Up to 5 % of a life later, so that not all are renewed at once.
      await world.advance(0.06 * 3600_000);
      expect(await token()).toBe('token 2');
      await world.advance(0.86 * 3600_000);
      expect(await token()).toBe('token 3');
      expect(world.traces.get(ref.uid)).toMatchObject({ starts: 1, interrupted: false });
    }));
});

describe('the instance of a pod that has ended', () => {
  const minute = 60_000;
  const keepEndedMs = 10 * minute;
  const onceMore = async (world: CoreWorld): Promise<void> => {
    world.crash();
    world.start();
    await world.advance(10 * minute);
  };

  it.each<[string, Partial<PodSpec>]>([
    ['did its work or not', {}],
    [
      'never came further than its init containers',
      { initContainers: [{ name: 'init', image: 'centos', command: ['sh', '-c', 'exit 3'] }] },
    ],
  ])('stays for its log and goes in time; of the pod, which %s, nothing changes', (_, spec) =>
    inWorld(
      {},
      async (world) => {
        const { uid } = instanceRef(world.create('batch', 'failing', spec));
        await world.advance(9 * minute);
        expect(await uidsOf(world)).toEqual([uid]);
        const { status } = world.api.get('batch') ?? {};
        expect(status?.phase).toBe('Failed');
        await world.advance(3 * minute);
        expect(await uidsOf(world)).toEqual([]);
        await onceMore(world);
        expect(world.api.get('batch')?.status).toEqual(status);
        expect(world.traces.get(uid)?.starts).toBe(1);
        expect(world.notices.map(({ notice }) => notice.reason)).not.toContain('InstanceLost');
        world.delete('batch');
        await world.advance(minute);
        expect(world.api.all).toEqual([]);
      },
      { keepEndedMs },
    ),
  );

  it('stays as long as nobody could be told of the end, and its time from then on', () =>
    inWorld(
      {},
      async (world) => {
        const { uid } = instanceRef(world.create('batch', 'failing'));
        await world.advance(2000);
        world.api.away = true;
        await world.advance(60 * minute);
        world.api.away = false;
        await world.advance(9 * minute);
        expect(phaseOf(world, 'batch')).toBe('Failed');
        expect(await uidsOf(world)).toEqual([uid]);
        await world.advance(2 * minute);
        expect(await uidsOf(world)).toEqual([]);
      },
      { keepEndedMs },
    ));

  it('goes in time, too, when Spillway is started again and again', () =>
    inWorld(
      {},
      async (world) => {
        world.create('batch', 'failing');
        await world.advance(8 * minute);
        world.crash();
        world.start();
        await world.advance(3 * minute);
        expect(await uidsOf(world)).toEqual([]);
      },
      { keepEndedMs },
    ));

  it('that a late request makes once more is ended, and changes nothing of the pod', () =>
    inWorld(
      {},
      async (world) => {
        const { uid } = instanceRef(world.create('batch', 'failing'));
        await world.advance(12 * minute);
        const { status } = world.api.get('batch') ?? {};
        for (const restart of [false, true]) {
          await world.createAnother('batch');
          if (restart) await onceMore(world);
          await world.advance(minute);
          expect(world.traces.get(uid)?.interrupted).toBe(true);
          await world.advance(11 * minute);
          expect(await uidsOf(world)).toEqual([]);
          expect(world.api.get('batch')?.status).toEqual(status);
        }
      },
      { keepEndedMs },
    ));
});

describe('the end of a pod', () => {
  it('is told of each of 60 Jobs that end within a second without API server', () =>
    inWorld(
      {},
      async (world) => {
        for (let index = 0; index < 60; index += 1) world.create(`batch-${index}`, 'failing');
        await world.advance(3200);
        world.api.away = true;
        await world.advance(1000);
        world.api.away = false;
        await world.advance(60_000);
        expect(world.api.all.filter(({ status }) => status?.phase === 'Failed')).toHaveLength(60);
      },
      { apiLatencyMs: 200 },
    ));

  it('is in the cluster before a deleted pod goes, although an earlier status of it was invalid', () =>
    inWorld({}, async (world) => {
      const { uid } = instanceRef(world.create('web'));
      world.api.refusesStatuses = true;
      await world.advance(20_000);
      expect(phaseOf(world, 'web')).toBe('Pending');
      world.api.refusesStatuses = false;
      world.delete('web');
      await world.advance(60_000);
      expect(world.api.get('web')).toBeUndefined();
      expect(world.api.last.get(uid)?.status?.phase).toBe('Failed');
    }));

  it('does not keep a deleted pod for ever when the API server calls it invalid again and again', () =>
    inWorld({}, async (world) => {
      const uid = await runningPod(world, 'web');
      world.api.refusesStatuses = true;
      world.delete('web');
      world.abandoned.add(uid);
      await world.advance(60_000);
      expect(world.api.get('web')).toBeUndefined();
      expect(await uidsOf(world)).toEqual([]);
      world.api.refusesStatuses = false;
    }));

  it('that somebody else brought about stays, although a status was on its way', () =>
    inWorld(
      {},
      async (world) => {
        world.create('web');
        for (let step = 0; step < 100 && phaseOf(world, 'web') !== 'Failed'; step += 1) {
          await world.advance(100);
          // Between what was looked at and the write of Running.
          if (world.traces.get('web-1')?.ran) world.evict('web');
        }
        await world.advance(60_000);
        expect(world.api.get('web')?.status).toMatchObject({ phase: 'Failed', reason: 'Evicted' });
      },
      { apiLatencyMs: 2000 },
    ));
});

/** Fifty pods that run. */
async function fiftyPods(world: CoreWorld): Promise<readonly Pod[]> {
  const pods = Array.from({ length: 50 }, (_, index) => world.create(`web-${index}`));
  await world.advance(20_000);
  expect(world.api.all.filter(({ status }) => status?.phase === 'Running')).toHaveLength(50);
  return pods;
}

const untouched = (world: CoreWorld): void => {
  expect(world.api.all.filter(({ status }) => status?.phase === 'Running')).toHaveLength(50);
  expect([...world.traces.values()].filter(({ starts, interrupted }) => starts !== 1 || interrupted)).toEqual([]);
};

it('what the API server has answered, and no watch has shown, is told again at once when a restored etcd has forgotten it', () =>
  inWorld({}, async (world) => {
    await world.advance(5000);
    world.create('web');
    const before = world.api.all;
    await world.advance(1);
    world.api.dropWatches();
    await world.advance(500);
    expect(phaseOf(world, 'web')).toBe('Running');
    world.restore(before);
    await world.advance(5000);
    expect(phaseOf(world, 'web')).toBe('Running');
  }));

it('two pods, too few to be suspicious, run on when the backend shows none of them for half a minute', () =>
  inWorld({}, async (world) => {
    const uids = [await runningPod(world, 'a'), await runningPod(world, 'b')].toSorted();
    // Until it is listed again, because that is due.
    await world.advance(42_000);
    world.showNothingFor(28_000);
    await world.advance(120_000);
    expect(['a', 'b'].map((name) => phaseOf(world, name))).toEqual(['Running', 'Running']);
    expect(await uidsOf(world)).toEqual(uids);
  }));

describe('fifty pods run on', () => {
  it('while the backend shows none of them, and its watch says of each that it is gone', () =>
    inWorld({}, async (world) => {
      const pods = await fiftyPods(world);
      world.showsNothing = true;
      for (const { metadata } of pods) world.tellGone(metadata?.name ?? '');
      for (let minute = 0; minute < 5; minute += 1) await world.advance(60_000);
      untouched(world);
      world.showsNothing = false;
      await world.advance(120_000);
      untouched(world);
      expect(world.nodeNotices.map(({ reason }) => reason)).toEqual(['SuspiciousListing']);
    }));

  it('when the backend shows none of them just before an outage and just after it', () =>
    inWorld({}, async (world) => {
      await fiftyPods(world);
      world.showsNothing = true;
      await world.advance(65_000);
      world.backend.change({ faults: [{ on: 'list', fails: 'unavailable' }] });
      for (let minute = 0; minute < 30; minute += 1) await world.advance(60_000);
      world.backend.change({});
      await world.advance(70_000);
      world.showsNothing = false;
      await world.advance(120_000);
      untouched(world);
    }));

  it('while another cluster answers at the address of the API server', () =>
    inWorld({}, async (world) => {
      await fiftyPods(world);
      world.api.elsewhere = true;
      for (let minute = 0; minute < 60; minute += 1) await world.advance(60_000);
      expect(await uidsOf(world)).toHaveLength(50);
      world.api.elsewhere = false;
      await world.advance(60_000);
      untouched(world);
    }));

  it('while a cluster answers there that has pods on a node of the same name: those are not touched, and not started', () =>
    inWorld({}, async (world) => {
      await fiftyPods(world);
      const other = new FakePodsApi();
      const ran = testPod({ uid: 'theirs-1', name: 'ran', status: { phase: 'Running' } });
      const ends = deleted(testPod({ uid: 'theirs-2', name: 'ends' }), world.timing.now());
      for (const pod of [ran, ends, testPod({ uid: 'theirs-3', name: 'fresh' })]) other.create(pod);
      const before = other.all;
      world.api.elsewhere = other;
      for (let minute = 0; minute < 10; minute += 1) await world.advance(60_000);
      expect(other.all).toEqual(before);
      expect(await uidsOf(world)).toHaveLength(50);
      world.api.elsewhere = false;
      await world.advance(60_000);
      untouched(world);
    }));

  it('for ten minutes when the API server forgets them, and end then, because it is the right one', () =>
    inWorld({}, async (world) => {
      await fiftyPods(world);
      world.api.restore([]);
      for (let minute = 0; minute < 10; minute += 1) await world.advance(60_000);
      expect(await uidsOf(world)).toHaveLength(50);
      expect(world.nodeNotices.map(({ reason }) => reason)).toEqual(['SuspiciousSweep']);
      for (const uid of world.traces.keys()) world.abandoned.add(uid);
      for (let minute = 0; minute < 5; minute += 1) await world.advance(60_000);
      expect(await uidsOf(world)).toEqual([]);
    }));

  it('while lists of the API server come from an empty cache, for it has them when it is asked', () =>
    inWorld({}, async (world) => {
      await fiftyPods(world);
      world.api.cacheIsEmpty = true;
      world.api.forgetHistory();
      for (let minute = 0; minute < 30; minute += 1) await world.advance(60_000);
      expect(await uidsOf(world)).toHaveLength(50);
      world.api.cacheIsEmpty = false;
      world.api.forgetHistory();
      await world.advance(60_000);
      untouched(world);
    }));

  it('when the API server forgets them for five minutes', () =>
    inWorld({}, async (world) => {
      await fiftyPods(world);
      const before = world.api.all;
      world.api.restore([]);
      for (let minute = 0; minute < 5; minute += 1) await world.advance(60_000);
      world.api.restore(before);
      await world.advance(60_000);
      untouched(world);
    }));
});

it('of fifty pods that are deleted by force, all instances end at once: each deletion was seen, and confirmed', () =>
  inWorld({}, async (world) => {
    await fiftyPods(world);
    for (let index = 0; index < 50; index += 1) world.delete(`web-${index}`, 0);
    await world.advance(10_000);
    expect(await uidsOf(world)).toEqual([]);
  }));

/** Those that start are looked at, in all. */
async function stepsFor(pods: number): Promise<number> {
  const world = new CoreWorld();
  world.start();
  await world.advance(5000);
  for (let index = 0; index < pods; index += 1) world.create(`web-${index}`);
  await world.advance(20_000);
  const { steps } = world;
  await world.close();
  return steps;
}

describe('what pods cost', () => {
  it('does not grow with the number of the others', async () => {
    expect(await stepsFor(200)).toBeLessThanOrEqual(10 * (await stepsFor(20)));
  });

  it('is nothing while nothing happens: ten requests a minute at most, for all together, and a listing', () =>
    inWorld({}, async (world) => {
      await fiftyPods(world);
      const list = vi.spyOn(world.backend, 'list');
      const { requests } = world.api;
      await world.advance(3_600_000);
      expect(world.api.requests - requests).toBeLessThan(600);
      expect(list.mock.calls.length).toBeLessThan(70);
    }));
});

describe('a pool that is not prepared', () => {
  const unprepared: Scenario = { faults: [{ on: ['prepare', 'stop', 'remove', 'list'], fails: 'unauthorized' }] };

  it('says so on its pods, and creates them as soon as it is', () =>
    inWorld(unprepared, async (world) => {
      await world.advance(10_000);
      world.create('web');
      await world.advance(10_000);
      const [container] = world.api.get('web')?.status?.containerStatuses ?? [];
      expect(container?.state?.waiting).toMatchObject({ reason: 'BackendUnauthorized' });
      world.backend.change({});
      await world.advance(40_000);
      expect(phaseOf(world, 'web')).toBe('Running');
    }));

  it('lets pods go that were never created', () =>
    inWorld(unprepared, async (world) => {
      await world.advance(10_000);
      world.create('web');
      await world.advance(10_000);
      world.delete('web');
      await world.advance(10_000);
      expect(world.api.all).toEqual([]);
    }));

  it('lets pods go that wait until it is prepared again', () =>
    inWorld({}, async (world) => {
      await world.advance(10_000);
      world.backend.change({
        faults: [
          { on: 'create', fails: 'notFound' },
          { on: 'prepare', fails: 'blocked' },
        ],
      });
      world.create('web');
      await world.advance(60_000);
      world.delete('web');
      await world.advance(60_000);
      expect(world.api.all).toEqual([]);
    }));
});

describe('a create that is still on its way when its process ends, and its pod is deleted then', () => {
  // The instance is starting when the create is sent again, since nobody has heard that it was accepted.
  const askedTwice: Scenario = {
    latency: { create: 4000 },
    startDelay: 3500,
    faults: [{ on: 'create', fails: 'unavailable', effect: 'done', timesPerPod: 1 }],
  };

  it('arrives when the pod has ended and gone, if the process was killed: what it starts is removed', () =>
    inWorld(askedTwice, async (world) => {
      const { uid } = instanceRef(world.create('web'));
      await world.advance(6000);
      expect((await world.instances()).map(({ state }) => state)).toEqual(['running']);
      world.crash();
      world.delete('web');
      world.start();
      await world.advance(500);
      expect(world.api.all).toEqual([]);
      expect(await uidsOf(world)).toEqual([]);
      await world.advance(1000);
      expect(await uidsOf(world)).toEqual([uid]);
      await world.advance(120_000);
      expect(await uidsOf(world)).toEqual([]);
    }));

  it('is waited for, if the process was stopped: the pod is started once', () =>
    inWorld(askedTwice, async (world) => {
      const { uid } = instanceRef(world.create('web'));
      await world.advance(6000);
      world.stop();
      world.delete('web');
      world.start();
      await world.advance(120_000);
      expect(world.api.all).toEqual([]);
      expect(await uidsOf(world)).toEqual([]);
      expect(world.traces.get(uid)?.starts).toBe(1);
    }));
});

it('two instances of one UID are noticed by these tests', async () => {
  const world = new CoreWorld({});
  world.start();
  await runningPod(world, 'web');
  await world.advance(1000);
  expect(await world.wrong()).toBeUndefined();
  await world.createAnother('web');
  await world.advance(1000);
  expect(await world.wrong()).toBe('two instances of one UID run');
  await world.close();
});

it('a pod that the first list of a process did not show may have been created before: its end is looked for', () =>
  inWorld({}, async (world) => {
    const { uid } = instanceRef(world.create('batch', 'failing'));
    await world.advance(150);
    world.crash();
    await world.advance(10_000);
    world.api.cacheIsEmpty = true;
    world.start();
    // Its instance is not shown, either.
    world.showNothingFor(10_000);
    await world.advance(5000);
    world.delete('batch');
    world.api.cacheIsEmpty = false;
    world.api.forgetHistory();
    await world.advance(120_000);
    expect(world.api.get('batch')).toBeUndefined();
    expect(world.api.last.get(uid)?.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(7);
  }));
