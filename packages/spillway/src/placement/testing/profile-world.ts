import {
  ApiError,
  type ObjectRef,
  type Patch,
  type Pod,
  type PodSpec,
  silentLogger,
  TransportError,
} from '@spillway/kube';
import { expect } from 'vitest';
import { profileGate, profileSideAnnotation } from '../../podspec/contract.ts';
import { bodyOf, fakeClient } from '../../pods/testing/fake-client.ts';
import { ProfileController } from '../profiles/profile-controller.ts';
import type { ScheduleProfile, ScheduleProfileStatus } from '../rules/schedule-profile.ts';
import { testPod } from './objects.ts';
import { testProfile } from './profiles.ts';

export type Step =
  | { readonly kind: 'create'; readonly count: number }
  /** `overflow`: real nodes have no room for a pod that may leave them, and it is bound to the virtual node. */
  | { readonly kind: 'touch' | 'end' | 'delete' | 'vanish' | 'overflow'; readonly pod: number }
  /** The next writes fail; `lost`: they are done, and only the answer is. */
  | { readonly kind: 'refuse'; readonly writes: number; readonly lost: boolean }
  /** `deliver`: the watch shows what has happened so far; until then the controller sees the past. */
  | { readonly kind: 'restart' | 'wait' | 'deliver' | 'profile' };

export interface Limits {
  readonly local: number;
  readonly cci: number | undefined;
}

/** A cluster with one profile and its pods, and a profile controller that can be restarted. */
export class ProfileWorld {
  readonly #limits: Limits;
  /** As the cluster has them. */
  readonly #pods = new Map<string, Pod>();
  /** As the watch has shown them. */
  readonly #seen = new Map<string, Pod>();
  #events: { readonly uid: string; readonly pod: Pod | undefined }[] = [];
  #profile: ScheduleProfile;
  #hasProfile = true;
  #lists = 0;
  #controller: ProfileController;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #refusals = 0;
  #lost = false;
  #serial = 0;

  static async with(limits: Limits, test: (world: ProfileWorld) => Promise<void>): Promise<void> {
    const world = new ProfileWorld(limits);
    try {
      await test(world);
    } finally {
      await world.#end();
    }
  }

  private constructor(limits: Limits) {
    this.#limits = limits;
    this.#profile = testProfile('web', {
      location: {
        local: { maxNum: limits.local },
        ...(limits.cci === undefined ? {} : { cci: { maxNum: limits.cci } }),
      },
    });
    this.#controller = this.#start();
  }

  async play(step: Step): Promise<void> {
    switch (step.kind) {
      case 'create':
        for (let count = 0; count < step.count; count += 1) this.#create([{ name: profileGate }]);
        return;
      case 'refuse':
        this.#refusals = step.writes;
        this.#lost = step.lost;
        return;
      case 'restart': {
        // What the one before has sent may arrive when the next one has listed everything.
        const ending = this.#end();
        this.#controller = this.#start();
        await ending;
        return;
      }
      case 'profile':
        // Somebody has written it anew, and everything is judged again.
        this.#profile = { ...this.#profile, metadata: { ...this.#profile.metadata, generation: (this.#serial += 1) } };
        this.#controller.profileSeen(this.#profile);
        return;
      case 'deliver':
        this.#deliver();
        return;
      case 'wait':
        await turn();
        return;
      default: {
        const pod = [...this.#pods.values()][step.pod % Math.max(1, this.#pods.size)];
        if (pod !== undefined) this.#change(pod, step.kind);
      }
    }
  }

  createUngated(): void {
    this.#create([]);
  }

  removeProfile(): void {
    this.#hasProfile = false;
    this.#controller.profileGone(this.#profile);
  }

  /** The cluster has the profile, and the watch does not show it. */
  hideProfile(): void {
    this.#controller.profileGone(this.#profile);
  }

  /** Resolves when the controller has asked the cluster for profiles and what it did then has been done. */
  async profilesListed(): Promise<void> {
    const before = this.#lists;
    await expect.poll(() => this.#lists).toBeGreaterThan(before);
    for (let turns = 0; turns < 10; turns += 1) await turn();
  }

  /** Writes succeed again; resolves when nobody waits beside a free place. */
  async settle(): Promise<void> {
    this.#refusals = 0;
    await expect
      .poll(() => {
        this.#deliver();
        return this.#waitingInVain();
      })
      .toBe(0);
  }

  sides(): readonly (string | undefined)[] {
    return Array.from(this.#pods.values(), ({ metadata }) => metadata?.annotations?.[profileSideAnnotation]);
  }

  gated(): number {
    return [...this.#pods.values()].filter(isGated).length;
  }

  checkLimits(): void {
    expect(this.#on('local')).toBeLessThanOrEqual(this.#limits.local);
    expect(this.#on('cci')).toBeLessThanOrEqual(this.#limits.cci ?? Number.POSITIVE_INFINITY);
  }

  async statusIs(status: ScheduleProfileStatus): Promise<void> {
    await expect.poll(() => this.#profile.status).toMatchObject(status);
  }

  conditions(): Record<string, string> {
    return Object.fromEntries((this.#profile.status?.conditions ?? []).map(({ type, status }) => [type, status]));
  }

  #on(side: string): number {
    return [...this.#pods.values()].filter(
      (pod) =>
        (pod.spec?.nodeName === 'vk' ? 'cci' : pod.metadata?.annotations?.[profileSideAnnotation]) === side &&
        !hasEnded(pod),
    ).length;
  }

  #waitingInVain(): number {
    const { local, cci = Number.POSITIVE_INFINITY } = this.#limits;
    if (this.#on('local') >= local && this.#on('cci') >= cci) return 0;
    return [...this.#pods.values()].filter((pod) => isGated(pod) && !hasEnded(pod)).length;
  }

  #start(): ProfileController {
    this.#stop = new AbortController();
    const store = {
      getByUid: (uid: string) => this.#seen.get(uid),
      values: () => this.#seen.values(),
    };
    const controller = new ProfileController({
      client: fakeClient({ list: () => this.#list(), patch: (_, ref, patch) => this.#patch(ref, patch) }),
      pods: store,
      isVirtual: (name) => name === 'vk',
      ask: () => [],
      recorder: { record: () => {} },
      observer: { profileCounted: () => {} },
      logger: silentLogger,
    });
    // A new process lists all pods as they are, and not in the order in which they came.
    this.#events = [];
    this.#seen.clear();
    for (const [uid, pod] of [...this.#pods].toReversed()) this.#seen.set(uid, pod);
    for (const pod of this.#seen.values()) controller.podSeen(pod);
    controller.profileSeen(this.#profile);
    controller.profilesSynced();
    this.#running = controller.run(this.#stop.signal);
    return controller;
  }

  async #end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #create(schedulingGates: { name: string }[]): void {
    const uid = `pod-${(this.#serial += 1)}`;
    const pod = testPod({ uid, metadata: { labels: { app: 'web' } }, spec: { schedulingGates } });
    this.#pods.set(uid, pod);
    this.#events.push({ uid, pod });
  }

  #deliver(): void {
    for (const { uid, pod } of this.#events.splice(0)) {
      const before = this.#seen.get(uid);
      if (pod === undefined) {
        this.#seen.delete(uid);
        if (before !== undefined) this.#controller.podGone(before);
      } else {
        this.#seen.set(uid, pod);
        this.#controller.podSeen(pod);
      }
    }
  }

  #change(pod: Pod, how: 'touch' | 'end' | 'delete' | 'vanish' | 'overflow'): void {
    const uid = pod.metadata?.uid ?? '';
    if (how === 'vanish') {
      this.#pods.delete(uid);
      this.#events.push({ uid, pod: undefined });
      return;
    }
    if (how === 'overflow') {
      const isKept = pod.spec?.affinity !== undefined || isGated(pod) || hasEnded(pod);
      if (!isKept) this.#store(uid, { ...pod, spec: { containers: [], ...pod.spec, nodeName: 'vk' } });
    } else if (how === 'touch') this.#store(uid, pod);
    else
      this.#store(
        uid,
        how === 'end'
          ? { ...pod, status: { phase: 'Failed' } }
          : { ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
      );
  }

  #store(uid: string, pod: Pod): void {
    const resourceVersion = String(Number(pod.metadata?.resourceVersion) + 1);
    const stored = { ...pod, metadata: { ...pod.metadata, resourceVersion } };
    this.#pods.set(uid, stored);
    this.#events.push({ uid, pod: stored });
  }

  async #list(): Promise<{ items: ScheduleProfile[] }> {
    await turn();
    this.#lists += 1;
    return { items: this.#hasProfile ? [this.#profile] : [] };
  }

  async #patch(ref: ObjectRef, patch: Patch): Promise<Pod> {
    // A write takes longer than it takes others to act.
    for (let turns = 0; turns < 3; turns += 1) await turn();
    if (ref.name === 'web') {
      const { status } = bodyOf<{ status: ScheduleProfileStatus }>(patch);
      this.#profile = { ...this.#profile, status };
      return {};
    }
    const body = bodyOf<Pod>(patch);
    const refused = this.#refusals > 0;
    if (refused) this.#refusals -= 1;
    if (refused && !this.#lost) throw new TransportError('timeout', 'no answer');
    const uid = body.metadata?.uid ?? '';
    const pod = this.#pods.get(uid);
    if (pod === undefined) throw new ApiError('gone', { status: 404 });
    const version = body.metadata?.resourceVersion ?? pod.metadata?.resourceVersion;
    if (pod.metadata?.resourceVersion !== version) throw new ApiError('newer', { status: 409 });
    const annotations = { ...pod.metadata?.annotations, ...body.metadata?.annotations };
    this.#store(uid, {
      ...pod,
      metadata: { ...pod.metadata, annotations },
      spec: { containers: [], ...pod.spec, ...affinityOf(body), ...(body.spec && { schedulingGates: [] }) },
    });
    if (refused) throw new TransportError('timeout', 'no answer');
    return {};
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const affinityOf = ({ spec }: Pod): Pick<PodSpec, 'affinity'> =>
  spec?.affinity === undefined ? {} : { affinity: spec.affinity };

function isGated({ spec }: Pod): boolean {
  return (spec?.schedulingGates ?? []).length > 0;
}

function hasEnded({ status }: Pod): boolean {
  return status?.phase === 'Failed';
}
