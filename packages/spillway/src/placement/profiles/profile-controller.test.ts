import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { silentLogger, type Pod } from '@spillway/kube';
import { fakeClient } from '../../pods/testing/fake-client.ts';
import { parseJson } from '../rules/admitted.ts';
import { testPod } from '../testing/objects.ts';
import { testProfile } from '../testing/profiles.ts';
import { ProfileWorld } from '../testing/profile-world.ts';
import { ProfileController } from './profile-controller.ts';

const limits = fc.record({
  local: fc.integer({ min: 0, max: 4 }),
  cci: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
});
const step = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), count: fc.integer({ min: 1, max: 6 }) }),
  fc.record({
    kind: fc.constantFrom('touch' as const, 'end' as const, 'delete' as const, 'vanish' as const, 'overflow' as const),
    pod: fc.nat(),
  }),
  fc.record({ kind: fc.constant('refuse' as const), writes: fc.integer({ min: 1, max: 3 }), lost: fc.boolean() }),
  fc.record({ kind: fc.constant('restart' as const) }),
  fc.record({ kind: fc.constant('deliver' as const) }),
  fc.record({ kind: fc.constant('profile' as const) }),
  fc.record({ kind: fc.constant('wait' as const) }),
);

describe('the pods of a profile with limits', () => {
  property.prop([limits, fc.array(step, { maxLength: 40 })], { numRuns: 100 })(
    'are never more on a side than its limit, whatever ends, fails or restarts, and none waits beside a free place',
    (limit, steps) =>
      ProfileWorld.with(limit, async (world) => {
        for (const each of steps) {
          await world.play(each);
          world.checkLimits();
        }
        await world.settle();
        world.checkLimits();
      }),
  );

  it('fill the local side first, in their order', () =>
    ProfileWorld.with({ local: 2, cci: 1 }, async (world) => {
      await world.play({ kind: 'create', count: 4 });
      await world.settle();
      expect(world.sides()).toEqual(['local', 'local', 'cci', undefined]);
      await world.play({ kind: 'delete', pod: 0 });
      await world.settle();
      // It still runs.
      expect(world.sides()).toEqual(['local', 'local', 'cci', undefined]);
      await world.play({ kind: 'vanish', pod: 0 });
      await world.settle();
      expect(world.sides()).toEqual(['local', 'cci', 'local']);
    }));

  it('give their local place to the next when they burst for lack of room', () =>
    ProfileWorld.with({ local: 1, cci: undefined }, async (world) => {
      await world.play({ kind: 'create', count: 2 });
      await world.settle();
      expect(world.sides()).toEqual(['local', 'cci']);
      await world.play({ kind: 'overflow', pod: 0 });
      await world.play({ kind: 'create', count: 1 });
      await world.settle();
      expect(world.sides()).toEqual(['local', 'cci', 'local']);
      await world.statusIs({ local: { pods: 1 }, cci: { pods: 2 } });
    }));

  it('keep their places while the cluster is being told, also when everything is judged again', () =>
    ProfileWorld.with({ local: 1, cci: 0 }, async (world) => {
      await world.play({ kind: 'create', count: 2 });
      await world.play({ kind: 'deliver' });
      await world.play({ kind: 'wait' });
      await world.play({ kind: 'profile' });
      await world.settle();
      expect(world.sides()).toEqual(['local', undefined]);
      for (let times = 0; times < 10; times += 1) await world.play({ kind: 'wait' });
      expect(world.sides()).toEqual(['local', undefined]);
    }));

  it('are no more than the limit when what a process sent arrives after the next one has taken over', () =>
    ProfileWorld.with({ local: 1, cci: 0 }, async (world) => {
      await world.play({ kind: 'create', count: 2 });
      await world.play({ kind: 'deliver' });
      await world.play({ kind: 'wait' });
      await world.play({ kind: 'restart' });
      await world.settle();
      // Told when all that was on its way is known.
      world.createUngated();
      await world.settle();
      await world.statusIs({ local: { pods: 1 }, waiting: { pods: 1 }, uncounted: { pods: 1 } });
      world.checkLimits();
      expect(world.sides().filter((side) => side === 'local')).toHaveLength(1);
    }));

  it('wait for a profile that the cluster has and the watch has not shown yet', () =>
    ProfileWorld.with({ local: 1, cci: 0 }, async (world) => {
      world.hideProfile();
      await world.play({ kind: 'create', count: 3 });
      await Promise.all([world.profilesListed(), world.play({ kind: 'deliver' })]);
      expect(world.gated()).toBe(3);
      await world.play({ kind: 'profile' });
      await world.settle();
      expect(world.sides()).toEqual(['local', undefined, undefined]);
    }));

  it('go free when their profile goes', () =>
    ProfileWorld.with({ local: 0, cci: 0 }, async (world) => {
      await world.play({ kind: 'create', count: 1 });
      await world.settle();
      expect(world.gated()).toBe(1);
      world.removeProfile();
      await world.settle();
      await expect.poll(() => world.gated()).toBe(0);
    }));

  it('say on the profile how many are where, and who came without being counted', () =>
    ProfileWorld.with({ local: 1, cci: 1 }, async (world) => {
      await world.play({ kind: 'create', count: 3 });
      world.createUngated();
      await world.settle();
      await world.statusIs({ local: { pods: 1 }, cci: { pods: 1 }, waiting: { pods: 1 }, uncounted: { pods: 1 } });
      expect(world.conditions()).toEqual({ LimitsKept: 'False', PodsWaiting: 'True', Overridden: 'False' });
    }));
});

it('a profile that cannot be followed says which field that is, and decides for no pod', () => {
  const events: (string | undefined)[] = [];
  const controller = new ProfileController({
    client: fakeClient({}),
    pods: { getByUid: () => undefined, values: () => new Map<string, Pod>().values() },
    isVirtual: () => false,
    ask: () => [],
    recorder: { record: (_, { reason, message }) => events.push(`${reason}: ${message}`) },
    observer: { profileCounted: () => {} },
    logger: silentLogger,
  });
  const good = testProfile('web');
  const pod = testPod({
    metadata: { labels: { app: 'web' }, annotations: { 'scheduling.cci.io/managed-by-profile': 'web' } },
  });
  controller.profileSeen(good);
  expect(controller.profileOf(pod)).toBe(good);
  // Of another add-on's kind, whose schema takes it.
  controller.profileSeen(parseJson(JSON.stringify({ ...good, spec: { strategy: 'auto', objectLabels: 'app=web' } })));
  controller.podSeen(pod);
  expect(controller.profileOf(pod)).toBeUndefined();
  expect(events).toEqual([expect.stringMatching(/^Invalid: The profile is ignored: spec\.objectLabels: /)]);
});
