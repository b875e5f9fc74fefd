import {
  ApiError,
  type Binding,
  type KubeObject,
  type Node,
  type Pod,
  type Store,
  TransportError,
  systemClock,
} from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { bodyOf, fakeClient } from '../../pods/testing/fake-client.ts';
import { realNode, testPod, unschedulable, virtualNode } from '../testing/objects.ts';
import { testProfile } from '../testing/profiles.ts';
import type { ScheduleProfile } from '../rules/schedule-profile.ts';
import { type FieldTable, passed, refused } from '../../podspec/fit/fields.ts';
import type { Pool } from '../../podspec/fit/fit.ts';
import { unknownSupport } from '../../podspec/fit/support.ts';
import { refusal } from '../../podspec/review/refusal.ts';
import { noClaims } from '../../podspec/testing/claims.ts';
import { Binder } from './binder.ts';
import { ClusterNodes } from './cluster-nodes.ts';

const pool = (name: string, fields: FieldTable = { '*': passed }): Pool => ({
  name,
  nodeName: `vk-${name}`,
  taints: [],
  support: { ...unknownSupport, fields },
  sizing: 'none',
});
/** Runs nothing. */
const picky: FieldTable = { containers: refused('volume-unsupported'), '*': passed };

interface Setting {
  readonly pools?: readonly Pool[];
  readonly nodes?: readonly Node[];
  readonly profile?: ScheduleProfile;
  /** Answers of the API server to bindings, before it takes them. */
  readonly failures?: Error[];
  /** What comes instead of the answers to bindings that it took. */
  readonly lostAnswers?: Error[];
}

/** A cluster with some pools, in which pods come in and bindings go out. */
class World {
  readonly bindings: [pod: string, node: string][] = [];
  readonly patches: object[] = [];
  readonly events: string[] = [];
  readonly binder: Binder;
  conflicts = 0;
  /** The scheduler binds this one before us, once. */
  faster: ((pod: Pod) => void) | undefined;
  readonly #pods = new Map<string, Pod>();
  readonly #failures: Error[];
  readonly #lostAnswers: Error[];

  constructor({ pools = [pool('a')], nodes, profile, failures = [], lostAnswers = [] }: Setting) {
    this.#failures = failures;
    this.#lostAnswers = lostAnswers;
    const store: Pick<Store<Pod>, 'getByUid'> = { getByUid: (uid) => this.#pods.get(uid) };
    this.binder = new Binder({
      client: fakeClient({
        create: async (_, object) => this.#bind(object),
        patch: async (_, __, patch) => {
          this.patches.push(bodyOf(patch));
          return {};
        },
      }),
      pools,
      pods: store,
      nodes: new ClusterNodes(pools.map(({ nodeName }) => nodeName)),
      claims: noClaims,
      profileOf: () => profile,
      overflowDelayMs: 0,
      clock: systemClock,
      recorder: { record: (_, { reason }) => void this.events.push(reason) },
      observer: { bound: () => {}, bindFailed: (name, code) => void this.events.push(`failed ${name} ${code}`) },
      onError: () => {},
    });
    const there = nodes ?? pools.map(({ nodeName }) => virtualNode(nodeName));
    for (const node of [...there, realNode()]) this.binder.nodeSeen(node);
  }

  see(pod: Pod): void {
    this.#pods.set(pod.metadata?.uid ?? '', pod);
    this.binder.podSeen(pod);
  }

  async run(test: () => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const running = this.binder.run(stop.signal);
    try {
      await test();
    } finally {
      stop.abort();
      await running;
    }
  }

  #bind({ metadata, target }: KubeObject & Pick<Partial<Binding>, 'target'>): object {
    const failure = this.#failures.shift();
    if (failure !== undefined) throw failure;
    const uid = metadata?.uid ?? '';
    const { faster } = this;
    const pending = this.#pods.get(uid);
    if (faster !== undefined && pending !== undefined) {
      this.faster = undefined;
      faster(pending);
      this.conflicts += 1;
      throw new ApiError('pod is already assigned', { status: 409, reason: 'Conflict' });
    }
    this.bindings.push([uid, target?.name ?? '']);
    const pod = this.#pods.get(uid);
    if (pod !== undefined) this.see({ ...pod, spec: { containers: [], ...pod.spec, nodeName: target?.name ?? '' } });
    const lost = this.#lostAnswers.shift();
    if (lost !== undefined) throw lost;
    return {};
  }
}

const enforced = (uid: string): Pod => testPod({ uid, burst: 'enforce', spec: { schedulerName: 'spillway' } });
const overflowing = (uid: string): Pod => unschedulable(testPod({ uid, burst: 'localPrefer' }));
const small = { allocatable: { cpu: '1' } };

describe('the binder', () => {
  it('gives pods to the first pool of the configuration that has room, and the rest when there is room again', async () => {
    const nodes = [virtualNode('vk-a', small), virtualNode('vk-b', small)];
    const world = new World({ pools: [pool('a'), pool('b')], nodes });
    await world.run(async () => {
      for (const uid of ['1', '2', '3', '4', '5']) world.see(enforced(uid));
      await expect.poll(() => world.bindings.map(([, node]) => node)).toEqual(['vk-a', 'vk-a', 'vk-b', 'vk-b']);
      await expect.poll(() => world.events).toContain('FailedScheduling');
      expect(world.binder.waiting).toEqual(new Map([['room', 1]]));
      world.binder.podGone(enforced('3'));
      await expect.poll(() => world.bindings.at(-1)).toEqual(['5', 'vk-b']);
    });
    expect(world.events.filter((reason) => reason === 'Scheduled')).toHaveLength(5);
    expect(world.events.filter((reason) => reason === 'FailedScheduling')).toHaveLength(1);
  });

  it('tells of a binding once, also when the answer to it is lost', async () => {
    const world = new World({ lostAnswers: [new TransportError('unreachable', 'the connection was reset')] });
    await world.run(async () => {
      for (const uid of ['1', '2']) world.see(enforced(uid));
      await expect.poll(() => world.bindings).toHaveLength(2);
    });
    expect(world.events.toSorted()).toEqual(['Scheduled', 'Scheduled', 'failed a none']);
  });

  it('keeps to the virtual nodes that the profile names', async () => {
    const type = 'bursting.cci.io/node-type';
    const nodes = [
      virtualNode('vk-a', { labels: { [type]: 'slow' } }),
      virtualNode('vk-b', { labels: { [type]: 'fast' } }),
    ];
    const profile = testProfile('web', { virtualNodes: [{ type: 'fast' }] });
    const world = new World({ pools: [pool('a'), pool('b')], nodes, profile });
    await world.run(async () => {
      world.see(overflowing('1'));
      await expect.poll(() => world.bindings).toEqual([['1', 'vk-b']]);
    });
  });

  it('says once on a pod that may burst and that every pool refuses why it stays local', async () => {
    const world = new World({ pools: [pool('a', picky)] });
    await world.run(async () => {
      world.see(overflowing('1'));
      await expect.poll(() => world.events).toEqual(['NotBurstable']);
      const { message, remedy } = refusal('volume-unsupported', '');
      const text = `Pool a: spec.containers: ${message}. ${remedy}`;
      expect(world.patches).toEqual([{ metadata: { uid: '1', annotations: { 'spillway.dev/not-burstable': text } } }]);
      const told = testPod({
        uid: '1',
        metadata: {
          labels: { 'virtual-kubelet.io/burst-to-cci': 'localPrefer' },
          annotations: { 'spillway.dev/not-burstable': text },
        },
      });
      world.see(unschedulable(told));
      world.see(enforced('2'));
      await expect.poll(() => world.events).toEqual(['NotBurstable', 'FailedScheduling']);
      expect(world.patches).toHaveLength(2);
    });
    expect(world.bindings).toEqual([]);
  });

  it('tries again after a conflict or an error, and holds no room for what it could not bind', async () => {
    const failures = [new ApiError('newer', { status: 409 }), new ApiError('busy', { status: 500 })];
    const world = new World({ nodes: [virtualNode('vk-a', { allocatable: { cpu: '500m' } })], failures });
    await world.run(async () => {
      world.see(enforced('1'));
      await expect.poll(() => world.bindings).toEqual([['1', 'vk-a']]);
    });
    expect(world.events).toEqual(['failed a 500', 'Scheduled']);
  });

  it('gives the place of a pod to another when the scheduler was faster, also when that is seen before our own answer', async () => {
    const nodes = [virtualNode('vk-a', small)];
    const world = new World({ nodes });
    const requests = { requests: { cpu: '1' } };
    const whole = (uid: string): Pod =>
      unschedulable(
        testPod({ uid, burst: 'localPrefer', spec: { containers: [{ name: 'app', resources: requests }] } }),
      );
    world.faster = (pod) => world.see({ ...pod, spec: { containers: [], ...pod.spec, nodeName: 'node-1' } });
    await world.run(async () => {
      world.see(whole('first'));
      await expect.poll(() => world.conflicts).toBe(1);
      world.see(whole('second'));
      await expect.poll(() => world.bindings).toEqual([['second', 'vk-a']]);
    });
  });

  it('looks again at pods for which room was not the matter when the real nodes change', async () => {
    const world = new World({});
    await world.run(async () => {
      const spec = { nodeSelector: { 'kubernetes.io/os': 'linux' } };
      world.see(unschedulable(testPod({ uid: '1', burst: 'auto', spec })));
      await expect.poll(() => world.binder.waiting).toEqual(new Map([['elsewhere', 1]]));
      world.binder.nodeSeen(virtualNode('vk-a', { labels: { 'kubernetes.io/os': 'linux' } }));
      world.binder.nodeSeen(realNode('b', { labels: { 'kubernetes.io/os': 'linux' } }));
      await expect.poll(() => world.bindings).toEqual([['1', 'vk-a']]);
    });
  });
});
