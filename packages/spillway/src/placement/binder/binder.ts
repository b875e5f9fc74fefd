import {
  ApiError,
  type Binding,
  type EventRecorder,
  isConflict,
  isNotFound,
  type KubeClient,
  nameOf,
  namespaceOf,
  type Node,
  type Pod,
  pods,
  type RateLimiter,
  refOf,
  type Store,
  uidOf,
  WorkQueue,
  type Clock,
} from '@spillway/kube';
import type { ClaimSources } from '../../podspec/claims.ts';
import { type Misfit, type Pool, type PoolFit, refusedByAll } from '../../podspec/fit/fit.ts';
import { footprint } from '../../podspec/resources.ts';
import { eventText, poolSentences } from '../../podspec/review/told.ts';
import { retryBackoff } from '../retry-backoff.ts';
import { nodeTypesOf, type ScheduleProfile } from '../rules/schedule-profile.ts';
import { workThrough } from '../work-through.ts';
import { bindingOf } from './binding.ts';
import { PoolCapacity } from './capacity.ts';
import { choosePool } from './choose-pool.ts';
import type { ClusterNodes } from './cluster-nodes.ts';
import { notBurstablePatch, unschedulablePatch } from './messages.ts';
import { type Turn, turnOf } from './overflow.ts';
import { type PodPolicy, policyOf } from './pod-policy.ts';
import { Stopwatch } from './stopwatch.ts';
import { WaitingPods } from './waiting-pods.ts';

export interface BinderOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  /** In the order of the configuration: the first that can take a pod gets it. */
  readonly pools: readonly Pool[];
  readonly pods: Pick<Store<Pod>, 'getByUid'>;
  readonly nodes: ClusterNodes;
  readonly claims: ClaimSources;
  readonly profileOf: (pod: Pod) => ScheduleProfile | undefined;
  readonly overflowDelayMs: number;
  /** Slows binding to what the backends can start. Absent: as fast as the API server. */
  readonly rate?: RateLimiter<string> | undefined;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly clock: Clock;
  readonly observer: BinderObserver;
  readonly onError: (error: unknown) => void;
}

/** For metrics. */
export interface BinderObserver {
  /** Seconds from when the watch showed it; undefined: that was before we looked. */
  readonly bound: (what: {
    readonly pool: string;
    readonly policy: string;
    readonly why: 'enforce' | 'overflow';
    readonly secondsSinceUnschedulable: number | undefined;
    readonly secondsSinceCreated: number | undefined;
  }) => void;
  readonly bindFailed: (pool: string, code: string) => void;
}

/** Bindings under way at a time. */
const binders = 32;

/** A binding that was sent and is not known to have been done. */
interface Assignment {
  readonly nodeName: string;
  readonly confirmed: () => void;
}

/**
 * Binds what may run on virtual nodes only, and what the scheduler has given up on for lack of room. A pod is looked at when
 * it changes; one that no pool takes waits until pools, nodes or claims change.
 */
export class Binder {
  readonly #options: BinderOptions;
  readonly #capacity = new PoolCapacity();
  readonly #queue = new WorkQueue<string>({ rateLimiter: retryBackoff() });
  readonly #waiting = new WaitingPods({ wake: (uid) => this.#queue.add(uid) });
  readonly #stopwatch = new Stopwatch();
  /** By UID. The answer confirms it or, when that is lost, the pod that is seen bound. */
  readonly #assignments = new Map<string, Assignment>();

  constructor(options: BinderOptions) {
    this.#options = options;
  }

  /** How many pods wait, by why. */
  get waiting(): ReadonlyMap<string, number> {
    return this.#waiting.counts();
  }

  podSeen(pod: Pod): void {
    const uid = uidOf(pod);
    const nodeName = pod.spec?.nodeName ?? '';
    if (nodeName !== '') {
      this.#assignedTo(nodeName, uid);
      this.#forget(uid);
      const isFreed = this.#options.nodes.isPool(nodeName)
        ? this.#capacity.observe(uid, nodeName, pod)
        : // The scheduler was faster: the place that was kept for it is free again.
          this.#capacity.release(uid);
      if (isFreed) this.#waiting.wakeAll();
      return;
    }
    if (policyOf(pod) === undefined) {
      this.#forget(uid);
      return;
    }
    this.#stopwatch.see(pod);
    this.#queue.add(uid);
  }

  podGone(pod: Pod): void {
    this.#forget(uidOf(pod));
    if (this.#capacity.release(uidOf(pod))) this.#waiting.wakeAll();
  }

  nodeSeen(node: Node): void {
    const isDecisive = this.#options.nodes.set(node);
    const isMore = this.#options.nodes.isPool(nameOf(node)) && this.#capacity.setNode(nameOf(node), node);
    if (isDecisive || isMore) this.#waiting.wakeAll();
  }

  nodeGone(node: Node): void {
    this.#options.nodes.delete(node);
    this.#capacity.removeNode(nameOf(node));
    this.#waiting.wakeAll();
  }

  /** Something has changed that decides about these pods. */
  lookAgain(these: Iterable<Pod>): void {
    for (const pod of these) this.podSeen(pod);
  }

  /** Resolves when `signal` is aborted and nothing is under way. Start it when all that it decides by is known. */
  async run(signal: AbortSignal): Promise<void> {
    this.#stopwatch.start();
    await workThrough(this.#queue, binders, (uid) => this.#examine(uid, signal), this.#options.onError, signal);
    this.#waiting.stop();
  }

  #forget(uid: string): void {
    this.#waiting.delete(uid);
    this.#stopwatch.forget(uid);
    this.#assignments.delete(uid);
  }

  #assignedTo(nodeName: string, uid: string): void {
    const assignment = this.#assignments.get(uid);
    if (assignment?.nodeName !== nodeName) return;
    this.#assignments.delete(uid);
    assignment.confirmed();
  }

  async #examine(uid: string, signal: AbortSignal): Promise<void> {
    const pod = this.#options.pods.getByUid(uid);
    const policy = pod && policyOf(pod);
    const turn: Turn = pod ? this.#turnOf(pod, policy) : { kind: 'scheduler' };
    switch (turn.kind) {
      case 'scheduler':
        this.#waiting.delete(uid);
        return;
      case 'elsewhere':
        this.#waiting.add(uid, turn.kind);
        return;
      case 'later':
        this.#queue.addAfter(uid, turn.atMs - this.#options.clock.now());
        return;
      case 'ours':
        if (pod !== undefined && policy !== undefined) await this.#place(pod, policy, turn.why, signal);
    }
  }

  #turnOf(pod: Pod, policy: PodPolicy | undefined): Turn {
    const { nodes, clock, overflowDelayMs: delayMs } = this.#options;
    return turnOf(pod, policy, { nowMs: clock.now(), delayMs, realNodes: () => nodes.real() });
  }

  async #place(pod: Pod, policy: PodPolicy, why: 'enforce' | 'overflow', signal: AbortSignal): Promise<void> {
    const { nodes, pools, claims, profileOf } = this.#options;
    const uid = uidOf(pod);
    const amounts = footprint(pod);
    const profile = profileOf(pod);
    const choice = choosePool(pod, {
      pools,
      claims,
      nodeOf: ({ nodeName }) => nodes.pool(nodeName),
      shortage: (nodeName, wanted) => this.#capacity.shortage(nodeName, wanted),
      nodeTypes: profile === undefined ? [] : nodeTypesOf(profile),
    });
    if ('misfits' in choice) {
      this.#waiting.add(uid, choice.misfits[0]?.fit.kind ?? 'noPool');
      await this.#explain(pod, why, choice.misfits, signal);
      return;
    }
    this.#waiting.delete(uid);
    this.#capacity.reserve(uid, choice.pool.nodeName, amounts);
    try {
      await this.#bind(pod, policy, why, choice.pool, signal);
    } catch (error) {
      if (this.#options.pods.getByUid(uid)?.spec?.nodeName === undefined) this.#capacity.release(uid);
      throw error;
    }
  }

  async #bind(
    pod: Pod,
    policy: PodPolicy,
    why: 'enforce' | 'overflow',
    { name: pool, nodeName }: Pool,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, clock, observer, rate, profileOf, recorder } = this.#options;
    const uid = uidOf(pod);
    const waitMs = rate?.when(uid) ?? 0;
    if (waitMs > 0) {
      await clock.sleep(waitMs, signal);
      signal.throwIfAborted();
    }
    const seconds = this.#stopwatch.of(uid);
    const confirmed = (): void => {
      observer.bound({ pool, policy: policy.value, why, ...seconds() });
      recorder.record(pod, {
        type: 'Normal',
        reason: 'Scheduled',
        message: `Successfully assigned ${namespaceOf(pod)}/${nameOf(pod)} to ${nodeName}`,
      });
    };
    this.#assignments.set(uid, { nodeName, confirmed });
    try {
      const binding = bindingOf(pod, { nodeName, policy, location: profileOf(pod)?.spec.location });
      await client.resource(pods).create<Binding>(binding, { subresource: 'binding', lane: 'binding', signal });
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error) && !signal.aborted) {
        observer.bindFailed(pool, error instanceof ApiError ? String(error.status) : 'none');
      }
      throw error;
    }
    this.#assignedTo(nodeName, uid);
  }

  async #explain(
    pod: Pod,
    why: 'enforce' | 'overflow',
    misfits: readonly PoolFit<Misfit>[],
    signal: AbortSignal,
  ): Promise<void> {
    const resource = this.#options.client.resource(pods);
    const tell = (reason: string, sentences: readonly string[]): void =>
      this.#options.recorder.record(pod, { type: 'Warning', reason, message: eventText(sentences, nameOf(pod)) });
    if (why === 'enforce') {
      const sentences = misfits.length === 0 ? [noPool] : poolSentences(reasonsByPool(misfits));
      const now = `${new Date(this.#options.clock.now()).toISOString().slice(0, 19)}Z`;
      const body = unschedulablePatch(pod, sentences.join(' '), now);
      if (body === undefined) return;
      await resource.patch(
        refOf(pod),
        { type: 'strategic', body },
        { subresource: 'status', lane: 'background', signal },
      );
      tell('FailedScheduling', sentences);
      return;
    }
    const sentences = poolSentences(refusedByAll(misfits));
    const body = sentences.length === 0 ? undefined : notBurstablePatch(pod, sentences.join(' '));
    if (body === undefined) return;
    await resource.patch(refOf(pod), { type: 'merge', body }, { lane: 'background', signal });
    tell('NotBurstable', sentences);
  }
}

const noPool = 'No virtual node of a pool is registered yet. Check that spillway serve is running.';

function reasonsByPool(misfits: readonly PoolFit<Misfit>[]): ReadonlyMap<string, Misfit['reasons']> {
  return new Map(misfits.map(({ pool, fit }) => [pool.name, fit.reasons]));
}
