import { ApiError, type Pod, type Store } from '@spillway/kube';
import { expect, it } from 'vitest';
import { bodyOf, fakeClient } from '../../pods/testing/fake-client.ts';
import { testPod } from '../testing/objects.ts';
import { Reclaimer } from './reclaimer.ts';

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs', controller: true };

function pod(reason: string | undefined, resourceVersion: string): Pod {
  const state = reason === undefined ? { running: {} } : { waiting: { reason } };
  return testPod({
    burst: 'auto',
    metadata: { labels: { 'virtual-kubelet.io/burst-to-cci': 'auto' }, ownerReferences: [owner], resourceVersion },
    spec: { nodeName: 'vk' },
    status: {
      phase: reason === undefined ? 'Running' : 'Pending',
      containerStatuses: [{ name: 'app', image: '', imageID: '', ready: false, restartCount: 0, state }],
    },
  });
}

/** An API server with one pod, of which every write is refused that is about another version of it. */
class World {
  now: Pod = pod('SoldOut', '1');
  readonly deleted: string[] = [];
  reclaimed = 0;
  /** What happens to the pod before a write arrives. */
  before: (verb: string) => void = () => {};
  readonly reclaimer: Reclaimer;

  constructor() {
    const store: Pick<Store<Pod>, 'getByUid'> = { getByUid: () => this.now };
    const check = (version: string | undefined): void => {
      if (version !== this.now.metadata?.resourceVersion) {
        throw new ApiError('the object has been modified', { status: 409, reason: 'Conflict' });
      }
    };
    this.reclaimer = new Reclaimer({
      client: fakeClient({
        patch: async (_, __, patch) => {
          this.before('patch');
          check(bodyOf<Pod>(patch).metadata?.resourceVersion);
          this.see({
            ...this.now,
            metadata: { ...this.now.metadata, resourceVersion: `${Number(this.now.metadata?.resourceVersion) + 1}` },
          });
          return this.now;
        },
        delete: async (_, { name }, options: { preconditions?: { resourceVersion?: string } }) => {
          this.before('delete');
          check(options.preconditions?.resourceVersion);
          this.deleted.push(name);
          return this.now;
        },
      }),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is asked of it
      pods: store as Store<Pod>,
      isPool: () => true,
      patienceMs: 0,
      recorder: { record: () => {} },
      onReclaimed: () => void (this.reclaimed += 1),
      onError: () => {},
    });
  }

  see(changed: Pod): void {
    this.now = changed;
    this.reclaimer.podSeen(changed);
  }

  async run(test: () => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const running = this.reclaimer.run(stop.signal);
    this.see(this.now);
    await test();
    stop.abort();
    await running;
  }
}

it('takes back a pod for which its pool has no room', async () => {
  const world = new World();
  await world.run(() => expect.poll(() => world.reclaimed).toBe(1));
  expect(world.deleted).toEqual(['web-uid-1']);
});

it.each(['patch', 'delete'])('leaves a pod alone that finds room right before its %s', async (verb) => {
  const world = new World();
  const found = Promise.withResolvers<void>();
  world.before = (now) => {
    if (now !== verb) return;
    world.see(pod(undefined, '7'));
    found.resolve();
  };
  await world.run(() => found.promise);
  expect([world.deleted, world.reclaimed]).toEqual([[], 0]);
});
