import {
  backoffMs,
  ApiError,
  type Clock,
  isForbidden,
  isInvalid,
  isNotFound,
  type KubeClient,
  type Pod,
  pods,
  type PodStatus,
  isOlder,
  uidOf,
  WorkQueue,
} from '@spillway/kube';
import type { Annotations } from '../../podspec/sizing/shown.ts';
import { instanceRef } from '../../podspec/pod-facts.ts';
import { statusPatch } from './status-patch.ts';

export interface StatusWriterOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  /** The pod as the cluster has it, by UID; undefined: it is gone. */
  readonly live: (uid: string) => Pod | undefined;
  /** The API server will never take this status. */
  readonly onRefused: (pod: Pod, error: ApiError) => void;
  /** A write failed and will be tried again. */
  readonly onError?: (pod: Pod, error: unknown) => void;
  readonly onWritten?: (result: 'written' | 'unchanged' | 'gone' | 'refused' | 'failed') => void;
  /** Writes under way at a time. Default: 32. */
  readonly concurrency?: number;
  readonly clock?: Clock;
}

interface Pending {
  readonly status: PodStatus;
  readonly annotations: Annotations;
  readonly attempts: number;
}

const retry = { firstMs: 200, maxMs: 30_000 };

/**
 * Brings statuses into the cluster. Keeps only the newest for each UID, compares it with the live one, writes what
 * differs and nothing else, and tries for ever as long as the pod is there.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #pending = new Map<string, Pending>();
  /** Answers to our own writes, until the watch has brought something as new. */
  readonly #answers = new Map<string, Pod>();
  readonly #queue: WorkQueue<string>;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({ clock: options.clock });
  }

  /** Pods whose newest status is not written yet. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** @param annotations written together with the status */
  write(pod: Pod, status: PodStatus, annotations: Annotations = {}): void {
    const uid = uidOf(pod);
    const before = this.#pending.get(uid);
    if (before === undefined && statusPatch(this.#newest(uid) ?? pod, status, annotations) === undefined) return;
    this.#pending.set(uid, { status, annotations, attempts: before?.attempts ?? 0 });
    // One that failed has its turn already, after its back-off.
    if (before === undefined || before.attempts === 0) this.#queue.add(uid);
  }

  /** The pod is gone. */
  forget(uid: string): void {
    this.#pending.delete(uid);
    this.#answers.delete(uid);
    this.#settleIdle();
  }

  /** Resolves when `signal` is aborted and no write is under way. */
  async run(signal: AbortSignal): Promise<void> {
    const workers = Array.from({ length: this.#options.concurrency ?? 32 }, () => this.#work(signal));
    await Promise.all(workers);
  }

  /** Resolves when everything is written, or `signal` is aborted. */
  async flush(signal: AbortSignal): Promise<void> {
    if (this.#pending.size === 0 || signal.aborted) return;
    this.#idle ??= Promise.withResolvers();
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = (): void => resolve();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.race([this.#idle.promise, promise]);
    signal.removeEventListener('abort', stop);
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      const uid = await this.#queue.get(signal);
      if (uid === undefined) return;
      try {
        await this.#writeNewest(uid, signal);
      } finally {
        this.#queue.done(uid);
      }
    }
  }

  async #writeNewest(uid: string, signal: AbortSignal): Promise<void> {
    const pending = this.#pending.get(uid);
    if (pending === undefined) return;
    const live = this.#newest(uid);
    const patch = live && statusPatch(live, pending.status, pending.annotations);
    if (live === undefined || patch === undefined) {
      this.#finish(uid, pending, live === undefined ? 'gone' : 'unchanged');
      return;
    }
    try {
      const answer = await this.#options.client
        .resource(pods)
        .patch(
          instanceRef(live),
          { type: 'strategic', body: patch },
          { subresource: 'status', lane: 'status', signal },
        );
      if (this.#options.live(uid) !== undefined) this.#answers.set(uid, answer);
      this.#finish(uid, pending, 'written');
    } catch (error) {
      if (!signal.aborted) this.#failed(uid, pending, live, error);
    }
  }

  #failed(uid: string, pending: Pending, live: Pod, error: unknown): void {
    if (isNotFound(error) || isReplaced(error)) {
      this.#finish(uid, pending, 'gone');
    } else if (isInvalid(error)) {
      this.#finish(uid, pending, 'refused');
      this.#options.onRefused(live, error);
    } else {
      this.#options.onWritten?.('failed');
      this.#options.onError?.(live, error);
      const attempts = pending.attempts + 1;
      const newest = this.#pending.get(uid);
      if (newest === undefined) return;
      this.#pending.set(uid, { ...newest, attempts });
      const delayMs = backoffMs(`${uid}/status`, attempts, retry);
      this.#queue.addAfter(uid, Math.max(delayMs, retryAfterMs(error)));
    }
  }

  /** Unless a newer status came meanwhile. */
  #finish(uid: string, pending: Pending, result: 'written' | 'unchanged' | 'gone' | 'refused'): void {
    this.#options.onWritten?.(result);
    if (this.#pending.get(uid) === pending) this.#pending.delete(uid);
    this.#settleIdle();
  }

  #settleIdle(): void {
    if (this.#pending.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #newest(uid: string): Pod | undefined {
    const live = this.#options.live(uid);
    const answer = this.#answers.get(uid);
    if (answer === undefined) return live;
    if (live !== undefined && !isOlder(live, answer)) {
      this.#answers.delete(uid);
      return live;
    }
    return live && answer;
  }
}

/** The patch names the UID; it cannot be changed, so a pod of the same name with another one refuses the patch. */
function isReplaced(error: unknown): boolean {
  if (!(error instanceof ApiError) || (error.status !== 422 && error.status !== 409)) return false;
  const fields = error.details?.causes?.map(({ field }) => field) ?? [];
  return fields.includes('metadata.uid') || /metadata\.uid|uid mismatch|precondition/i.test(error.message);
}

function retryAfterMs(error: unknown): number {
  if (error instanceof ApiError && error.retryAfterMs !== undefined) return error.retryAfterMs;
  // The authoriser forgets a deleted pod before the watch tells us.
  return isForbidden(error) ? 1000 : 0;
}
