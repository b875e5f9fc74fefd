import {
  backoffMs,
  ApiError,
  type Clock,
  isConflict,
  isInvalid,
  isNotFound,
  type KubeClient,
  type Pod,
  pods,
  type PodStatus,
  isOlder,
  parseObject,
  systemClock,
  uidOf,
  withPartsOf,
  WorkQueue,
} from '@spillway/kube';
import type { Annotations } from '../../podspec/sizing/shown.ts';
import { instanceRef } from '../../podspec/pod-facts.ts';
import { answered, type PendingWrite, sent, turnAtMs, wanted, type WriteResult } from './pending-write.ts';
import { same, statusPatch } from './status-patch.ts';

export interface StatusWriterOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  /** The pod as the cluster has it, by UID; undefined: it is gone. */
  readonly live: (uid: string) => Pod | undefined;
  /** The API server says that this status is invalid. It is tried again, later each time. */
  readonly onRefused: (pod: Pod, status: PodStatus, error: ApiError) => void;
  /** A write failed and will be tried again. */
  readonly onError?: (pod: Pod, error: unknown) => void;
  readonly onWritten?: (result: 'written' | 'unchanged' | 'gone' | 'refused' | 'failed') => void;
  /** Writes under way at a time. Default: 32. */
  readonly concurrency?: number;
  readonly clock?: Clock;
}

interface Wanted {
  readonly status: PodStatus;
  readonly annotations: Annotations;
}

const retry = { firstMs: 200, maxMs: 30_000 };
const retryRefused = { firstMs: 1000, maxMs: 60_000 };

/**
 * Brings statuses into the cluster. Keeps only the newest for each UID, compares it with the live one, writes what
 * differs and nothing else, and tries for ever as long as the pod is there.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #clock: Clock;
  readonly #pending = new Map<string, PendingWrite<Wanted>>();
  /** Answers to our own writes, until the watch has brought something as new: as many as pods when it is behind. */
  readonly #answers = new Map<string, Pod>();
  readonly #queue: WorkQueue<string>;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#queue = new WorkQueue({ clock: this.#clock });
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
    this.#set(uid, wanted(before, { status, annotations }, tellsSame));
  }

  /** What is live was listed anew: it is newer than the answers to what we wrote, also when versions are given anew. */
  relisted(): void {
    this.#answers.clear();
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
    const before = this.#pending.get(uid);
    const write = sent(before, this.#clock.now());
    if (write === undefined) {
      // Its turn was for a status that is written since, or is later now.
      if (before) this.#schedule(uid, before);
      return;
    }
    this.#pending.set(uid, write);
    const result = await this.#send(uid, write, signal);
    // Forgotten meanwhile; whatever is wanted since has its own turn.
    const now = this.#pending.get(uid);
    if (result !== undefined && now?.kind === 'sent') this.#set(uid, answered(now, result, tellsSame));
  }

  /** Nothing: the process ends. */
  async #send(
    uid: string,
    { sent: { status, annotations }, attempts }: PendingWrite<Wanted> & { kind: 'sent' },
    signal: AbortSignal,
  ): Promise<WriteResult | undefined> {
    const { onWritten, client } = this.#options;
    const live = this.#newest(uid);
    const patch = live && statusPatch(live, status, annotations);
    if (live === undefined || patch === undefined) {
      onWritten?.(live === undefined ? 'gone' : 'unchanged');
      return { kind: live === undefined ? 'gone' : 'written' };
    }
    try {
      const answer = await client
        .resource(pods)
        .patch(
          instanceRef(live),
          { type: 'strategic', body: patch },
          { subresource: 'status', lane: 'status', parse: parseObject, signal },
        );
      if (this.#options.live(uid) !== undefined) this.#answers.set(uid, withPartsOf(answer, live));
      onWritten?.('written');
      return { kind: 'written' };
    } catch (error) {
      if (signal.aborted) return undefined;
      const result = this.#resultOf(error, uid, attempts + 1);
      onWritten?.(result.kind);
      if (isInvalid(error) && result.kind === 'refused') this.#options.onRefused(live, status, error);
      // It has changed since it was looked at.
      else if (!isOfAnother(error) && !isConflict(error)) this.#options.onError?.(live, error);
      return result;
    }
  }

  #resultOf(error: unknown, uid: string, attempts: number): WriteResult {
    const kind = isAboutTheStatus(error) && !isOfAnother(error) ? 'refused' : 'failed';
    const delayMs = backoffMs(`${uid}/status`, attempts, kind === 'refused' ? retryRefused : retry);
    return { kind, untilMs: this.#clock.now() + Math.max(delayMs, retryAfterMs(error)) };
  }

  #set(uid: string, pending: PendingWrite<Wanted> | undefined): void {
    if (pending === undefined) {
      this.#pending.delete(uid);
      this.#settleIdle();
      return;
    }
    this.#pending.set(uid, pending);
    this.#schedule(uid, pending);
  }

  /** What is not sent has its turn in the queue, always. */
  #schedule(uid: string, pending: PendingWrite<Wanted>): void {
    const now = this.#clock.now();
    const atMs = turnAtMs(pending, now);
    if (Number.isFinite(atMs)) this.#queue.addAfter(uid, atMs - now);
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

/**
 * There is no such pod there, or one with its name: it is gone, or another cluster answers. Which of both, the watch tells; only
 * that forgets a status.
 */
function isOfAnother(error: unknown): boolean {
  if (isNotFound(error)) return true;
  if (!(error instanceof ApiError) || (error.status !== 422 && error.status !== 409)) return false;
  const fields = error.details?.causes?.map(({ field }) => field) ?? [];
  return fields.includes('metadata.uid') || /metadata\.uid|uid mismatch|precondition/i.test(error.message);
}

/** And not about the caller, the time, or how busy the server is; another status may be taken. */
function isAboutTheStatus(error: unknown): boolean {
  if (!(error instanceof ApiError) || error.status < 400 || error.status >= 500) return false;
  return ![401, 408, 409, 429].includes(error.status);
}

/** But for the times of transitions, which are new each time for what is not in the cluster yet. */
function tellsSame(a: Wanted, b: Wanted): boolean {
  return same(timeless(a.status), timeless(b.status)) && same(a.annotations, b.annotations);
}

function timeless(status: PodStatus): object {
  return {
    ...status,
    conditions: status.conditions?.map((condition) => ({ ...condition, lastTransitionTime: undefined })),
  };
}

function retryAfterMs(error: unknown): number {
  return error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
}
