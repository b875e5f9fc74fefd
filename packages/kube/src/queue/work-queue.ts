import type { Clock } from '../clock.ts';
import type { RateLimiter } from './rate-limiter.ts';

export interface WorkQueueOptions<K> {
  /** Default: 5 ms doubling to 1000 s for each key, and 10 a second (burst 100) for all together, as in client-go */
  readonly rateLimiter?: RateLimiter<K>;
  readonly clock?: Clock;
}

/**
 * client-go's work queue: a key is in the queue at most once, is never given to two workers at a time, and comes again
 * when it was added while it was being worked on.
 */
export class WorkQueue<K> {
  constructor(options: WorkQueueOptions<K> = {}) {
    void options;
  }

  /** Keys that wait for a worker */
  get length(): number {
    throw new Error('not implemented');
  }

  get shuttingDown(): boolean {
    throw new Error('not implemented');
  }

  add(key: K): void {
    throw new Error(`not implemented ${String(key)}`);
  }

  /** The earlier of two times wins. */
  addAfter(key: K, delayMs: number): void {
    throw new Error(`not implemented ${String(key)} ${delayMs}`);
  }

  addRateLimited(key: K): void {
    throw new Error(`not implemented ${String(key)}`);
  }

  /** The key did well: its next back-off starts from the beginning. */
  forget(key: K): void {
    throw new Error(`not implemented ${String(key)}`);
  }

  tries(key: K): number {
    throw new Error(`not implemented ${String(key)}`);
  }

  /** Waits for a key. Undefined when the queue is shut down and empty, or `signal` is aborted. Follow with `done`. */
  get(signal?: AbortSignal): Promise<K | undefined> {
    throw new Error(`not implemented ${signal?.aborted}`);
  }

  done(key: K): void {
    throw new Error(`not implemented ${String(key)}`);
  }

  /** No more additions; what is queued can still be got. */
  shutDown(): void {
    throw new Error('not implemented');
  }

  /** As shutDown, and resolves when nothing is queued or being worked on. */
  shutDownWithDrain(): Promise<void> {
    throw new Error('not implemented');
  }
}
