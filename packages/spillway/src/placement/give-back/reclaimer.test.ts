import { ApiError, type Pod, type Store } from '@spillway/kube';
import { expect, it } from 'vitest';
import { bodyOf, fakeClient } from '../../pods/testing/fake-client.ts';
import { testPod } from '../testing/objects.ts';
import { Reclaimer } from './reclaimer.ts';

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs', controller: true };

function pod(reason: string | undefined, resourceVersion: string, uid = 'uid-1'): Pod {
  const state = reason === undefined ? { running: {} } : { waiting: { reason } };
  return testPod({
    uid,
    metadata: { uid, labels: { 'virtual-kubelet.io/burst-to-cci': 'auto' }, ownerReferences: [owner], resourceVersion },
    spec: { nodeName: 'vk' },
    status: {
      phase: reason === undefined ? 'Running' : 'Pending',
      containerStatuses: [{ name: 'app', image: '', imageID: '', ready: false, restartCount: 0, state }],
    },
  });
}

const versionOf = ({ metadata }: Pod): string | undefined => metadata?.resourceVersion;

/** An API server with some pods, of which every write to a status and every deletion is refused that is about another version. */
class World {
  readonly pods = new Map<string, Pod>();
  readonly deleted: string[] = [];
  readonly annotated: string[] = [];
  readonly told: string[] = [];
  hasAlternative = true;
  /** What happens to the pod before a write arrives. */
  before: (verb: string) => void = () => {};
  /** What its controller does when it is gone. */
  after: () => void = () => {};
  readonly reclaimer: Reclaimer;

  constructor(...there: readonly Pod[]) {
    for (const each of there) this.pods.set(each.metadata?.uid ?? '', each);
    const store: Pick<Store<Pod>, 'getByUid'> = { getByUid: (uid) => this.pods.get(uid) };
    this.reclaimer = new Reclaimer({
      client: fakeClient({
        patch: async (_, { name }, patch, options) => {
          this.before('patch');
          const body = bodyOf<Pod>(patch);
          const now = this.#named(name);
          if ('subresource' in options) this.#check(now, versionOf(body));
          else this.annotated.push(name);
          const changed = {
            ...now,
            metadata: { ...now.metadata, ...body.metadata, resourceVersion: `${Number(versionOf(now)) + 1}` },
          };
          this.see(changed);
          return changed;
        },
        delete: async (_, { name }, options: { preconditions?: { resourceVersion?: string } }) => {
          this.before('delete');
          const now = this.#named(name);
          this.#check(now, options.preconditions?.resourceVersion);
          this.deleted.push(name);
          this.pods.delete(now.metadata?.uid ?? '');
          this.reclaimer.podGone(now);
          this.after();
          return now;
        },
      }),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is asked of it
      pods: store as Store<Pod>,
      isPool: () => true,
      hasAlternative: () => this.hasAlternative,
      patienceMs: { noRoom: 0, refused: 0 },
      recorder: { record: (_, { reason }) => void this.told.push(reason) },
      onReclaimed: () => {},
      onError: () => {},
    });
  }

  see(changed: Pod): void {
    this.pods.set(changed.metadata?.uid ?? '', changed);
    this.reclaimer.podSeen(changed);
  }

  async run(test: () => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const running = this.reclaimer.run(stop.signal);
    for (const each of this.pods.values()) this.reclaimer.podSeen(each);
    await test();
    stop.abort();
    await running;
  }

  #named(name: string): Pod {
    const found = [...this.pods.values()].find(({ metadata }) => metadata?.name === name);
    if (found === undefined) throw new ApiError('not found', { status: 404, reason: 'NotFound' });
    return found;
  }

  #check(now: Pod, version: string | undefined): void {
    if (version === versionOf(now)) return;
    throw new ApiError('the object has been modified', { status: 409, reason: 'Conflict' });
  }
}

it('takes back a pod for which its pool has no room', async () => {
  const world = new World(pod('SoldOut', '1'));
  await world.run(() => expect.poll(() => world.deleted).toEqual(['web-uid-1']));
  expect(world.told).toEqual(['NoRoomInPool']);
});

it.each(['patch', 'delete'])('leaves a pod alone that finds room right before its %s', async (verb) => {
  const world = new World(pod('SoldOut', '1'));
  const found = Promise.withResolvers<void>();
  world.before = (now) => {
    if (now !== verb) return;
    world.see(pod(undefined, '7'));
    found.resolve();
  };
  await world.run(() => found.promise);
  expect(world.deleted).toEqual([]);
});

it('gives back all pods of a controller that their pool does not run', async () => {
  const uids = ['1', '2', '3', '4', '5', '6'];
  const world = new World(...uids.map((uid) => pod('NotSupportedByPool', '1', uid)));
  await world.run(() => expect.poll(() => world.deleted.toSorted()).toEqual(uids.map((uid) => `web-${uid}`)));
  expect(new Set(world.told)).toEqual(new Set(['NotSupportedByPool']));
});

it('does not go round in circles: a successor that nothing keeps away stays and is told, also after a restart', async () => {
  const world = new World(pod('NotSupportedByPool', '1', '1'));
  world.after = () => {
    if (world.deleted.length < 10) world.see(pod('NotSupportedByPool', '1', `${world.deleted.length + 1}`));
  };
  await world.run(() => expect.poll(() => world.annotated).toEqual(['web-2']));
  expect([world.deleted, world.told]).toEqual([['web-1'], ['NotSupportedByPool', 'NotGivenBack']]);
  const next = new World(...world.pods.values());
  await next.run(() => new Promise((resolve) => setTimeout(resolve, 20)));
  expect(next.deleted).toEqual([]);
});

it('leaves a pod where it is when it could be nowhere else', async () => {
  const world = new World(pod('NotSupportedByPool', '1'));
  world.hasAlternative = false;
  await world.run(() => new Promise((resolve) => setTimeout(resolve, 20)));
  expect(world.deleted).toEqual([]);
});
