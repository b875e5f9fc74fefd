import {
  type EventRecorder,
  type KubeClient,
  type Pod,
  type PodCondition,
  pods,
  refOf,
  type Store,
  uidOf,
  WorkQueue,
} from '@spillway/kube';
import { retryBackoff } from '../retry-backoff.ts';
import { workThrough } from '../work-through.ts';
import { stuckReason } from './patience.ts';

export interface ReclaimerOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  readonly pods: Store<Pod>;
  readonly isPool: (nodeName: string) => boolean;
  readonly patienceMs: number;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly onReclaimed: (reason: string) => void;
  readonly onError: (error: unknown) => void;
}

/** Takes back pods that were bound to a pool which has had no room for them for too long, so that their successors go elsewhere. */
export class Reclaimer {
  readonly #options: ReclaimerOptions;
  /** Since when a pod is stuck, by our own monotonic clock. */
  readonly #since = new Map<string, number>();
  readonly #queue = new WorkQueue<string>({ rateLimiter: retryBackoff() });

  constructor(options: ReclaimerOptions) {
    this.#options = options;
  }

  podSeen(pod: Pod): void {
    const uid = uidOf(pod);
    if (!this.#options.isPool(pod.spec?.nodeName ?? '') || stuckReason(pod) === undefined) {
      this.#since.delete(uid);
      return;
    }
    if (this.#since.has(uid)) return;
    this.#since.set(uid, performance.now());
    this.#queue.addAfter(uid, this.#options.patienceMs);
  }

  podGone(pod: Pod): void {
    this.#since.delete(uidOf(pod));
  }

  /** Resolves when `signal` is aborted and nothing is under way. */
  async run(signal: AbortSignal): Promise<void> {
    await workThrough(this.#queue, 4, (uid) => this.#reclaim(uid, signal), this.#options.onError, signal);
  }

  async #reclaim(uid: string, signal: AbortSignal): Promise<void> {
    const { client, patienceMs, recorder, onReclaimed } = this.#options;
    const since = this.#since.get(uid);
    const pod = this.#options.pods.getByUid(uid);
    const reason = pod && stuckReason(pod);
    if (since === undefined || pod === undefined || reason === undefined) return;
    const leftMs = since + patienceMs - performance.now();
    if (leftMs > 0) {
      this.#queue.addAfter(uid, leftMs);
      return;
    }
    const message = `The pool has had no room for this pod for ${Math.round(patienceMs / 1000)} s (${reason}). It is deleted, so that its successor can run on another node.`;
    const condition: PodCondition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'NoRoomInPool',
      message,
      lastTransitionTime: `${new Date().toISOString().slice(0, 19)}Z`,
    };
    // Of the pod as it was judged: one that has found room meanwhile is looked at again.
    const seen = { uid, resourceVersion: pod.metadata?.resourceVersion };
    const body = { metadata: seen, status: { conditions: [condition] } };
    const resource = client.resource(pods);
    const { metadata } = await resource.patch(
      refOf(pod),
      { type: 'strategic', body },
      { subresource: 'status', lane: 'background', signal },
    );
    recorder.record(pod, { type: 'Warning', reason: 'NoRoomInPool', message });
    const preconditions = { uid, resourceVersion: metadata?.resourceVersion };
    await resource.delete(refOf(pod), { preconditions, lane: 'background', signal });
    onReclaimed(reason);
  }
}
