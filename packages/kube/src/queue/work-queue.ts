import { type Clock, systemClock } from '../clock.ts';
import { Fifo } from '../fifo.ts';
import { trusted } from '../json.ts';
import { DelayHeap } from './delay-heap.ts';
import { bucketRateLimiter, exponentialRateLimiter, maxOfRateLimiters, type RateLimiter } from './rate-limiter.ts';

export interface WorkQueueOptions<K> {
  /** Default: 5 ms doubling to 1000 s for each key, and 10 a second (burst 100) for all together, as in client-go */
  readonly rateLimiter?: RateLimiter<K> | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * client-go's work queue (util/workqueue): a key is in the queue at most once, is never given to two workers at a time,
 * and comes again when it was added while it was being worked on.
 */
export class WorkQueue<K> {
  readonly #clock: Clock;
  readonly #rateLimiter: RateLimiter<K>;
  /** Order of the keys that are dirty and not being worked on */
  readonly #queue = new Fifo<K>();
  /** Need work */
  readonly #dirty = new Set<K>();
  /** Are with a worker */
  readonly #processing = new Set<K>();
  readonly #delayed = new DelayHeap<K>();
  readonly #waiting = new Set<(key: { readonly key: K } | undefined) => void>();
  #draining: PromiseWithResolvers<void> | undefined;
  #alarm: { readonly at: number; readonly cancel: AbortController } | undefined;
  #shuttingDown = false;

  constructor(options: WorkQueueOptions<K> = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#rateLimiter =
      options.rateLimiter ??
      maxOfRateLimiters(
        exponentialRateLimiter({ firstMs: 5, maxMs: 1_000_000 }),
        bucketRateLimiter({ qps: 10, burst: 100, clock: this.#clock }),
      );
  }

  /** Keys that wait for a worker; delayed ones do not count. */
  get length(): number {
    return this.#queue.length;
  }

  get shuttingDown(): boolean {
    return this.#shuttingDown;
  }

  add(key: K): void {
    if (this.#shuttingDown || this.#dirty.has(key)) return;
    this.#dirty.add(key);
    // Otherwise `done` puts it into the queue.
    if (!this.#processing.has(key)) this.#enqueue(key);
  }

  /** Of two times for the same key the earlier wins. */
  addAfter(key: K, delayMs: number): void {
    if (this.#shuttingDown) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    this.#delayed.add(key, this.#clock.now() + delayMs);
    this.#setAlarm();
  }

  addRateLimited(key: K): void {
    this.addAfter(key, this.#rateLimiter.when(key));
  }

  /** The key did well: its next back-off starts from the beginning. */
  forget(key: K): void {
    this.#rateLimiter.forget(key);
  }

  /** How often the key was added rate-limited since it was last forgotten */
  tries(key: K): number {
    return this.#rateLimiter.tries(key);
  }

  /** Waits for a key. Undefined when the queue is shut down and empty, or `signal` is aborted. Follow with `done`. */
  async get(signal?: AbortSignal): Promise<K | undefined> {
    if (signal?.aborted === true) return undefined;
    if (this.#queue.length > 0) return this.#take();
    if (this.#shuttingDown) return undefined;
    const { promise, resolve } = Promise.withResolvers<{ readonly key: K } | undefined>();
    const onAbort = (): void => {
      if (this.#waiting.delete(resolve)) resolve(undefined);
    };
    this.#waiting.add(resolve);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return (await promise)?.key;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** The worker is finished with the key, well or not. */
  done(key: K): void {
    this.#processing.delete(key);
    if (this.#dirty.has(key)) this.#enqueue(key);
    else this.#settleDrain();
  }

  /** No more additions; what is queued can still be got, what is delayed is dropped. */
  shutDown(): void {
    this.#shuttingDown = true;
    this.#delayed.clear();
    this.#alarm?.cancel.abort();
    this.#alarm = undefined;
    for (const resolve of this.#waiting) resolve(undefined);
    this.#waiting.clear();
  }

  /** As shutDown, and resolves when nothing is queued or being worked on. */
  shutDownWithDrain(): Promise<void> {
    this.shutDown();
    this.#draining ??= Promise.withResolvers();
    this.#settleDrain();
    return this.#draining.promise;
  }

  #enqueue(key: K): void {
    this.#queue.push(key);
    const [resolve] = this.#waiting;
    if (resolve === undefined) return;
    this.#waiting.delete(resolve);
    // Taken at once, so that nobody else gets it before the waiting worker runs.
    resolve({ key: this.#take() });
  }

  /** The queue is not empty. */
  #take(): K {
    const key = trusted<K>(this.#queue.shift());
    this.#dirty.delete(key);
    this.#processing.add(key);
    return key;
  }

  #settleDrain(): void {
    if (this.#queue.length === 0 && this.#processing.size === 0) this.#draining?.resolve();
  }

  /** One timer, for the first delayed key. */
  #setAlarm(): void {
    const at = this.#delayed.nextAt;
    if (at === undefined || (this.#alarm !== undefined && this.#alarm.at <= at)) return;
    this.#alarm?.cancel.abort();
    const cancel = new AbortController();
    this.#alarm = { at, cancel };
    void this.#ring(at, cancel.signal);
  }

  async #ring(at: number, cancelled: AbortSignal): Promise<void> {
    await this.#clock.sleep(Math.max(0, at - this.#clock.now()), cancelled);
    if (cancelled.aborted) return;
    this.#alarm = undefined;
    const now = this.#clock.now();
    for (let due = this.#delayed.takeDue(now); due !== undefined; due = this.#delayed.takeDue(now)) this.add(due.key);
    this.#setAlarm();
  }
}
