import type { Clock } from '../clock.ts';
import { TransportError } from '../errors.ts';
import { TokenBucket } from '../token-bucket.ts';
import type { LaneName } from './lanes.ts';
import { Waiters } from './waiters.ts';

/** One rate for the requests of all lanes together. */
export interface RateOptions {
  /** Requests a second */
  readonly qps: number;
  /** How many may go at once after a pause */
  readonly burst: number;
  /** Lanes of which the earlier go first. Those that are not named come last. */
  readonly order: readonly LaneName[];
}

const usualPauseMs = 1000;
const raiseEveryMs = 1000;
const raisesToFull = 20;
const slowestQps = 0.5;

/**
 * Admits requests by their lane, then in their order. When the server says that it is too much, nothing goes for as long as
 * it asks, then half as much as before, and every second without a complaint a twentieth of the full rate more.
 */
export class SharedRate {
  readonly #options: RateOptions;
  readonly #clock: Clock;
  readonly #waiters: Waiters;
  #qps: number;
  #bucket: TokenBucket;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #raiseAt = Number.POSITIVE_INFINITY;

  constructor(options: RateOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#waiters = new Waiters({ admit: () => this.#admit(), clock, ranks: options.order.length + 1 });
    this.#qps = options.qps;
    this.#bucket = new TokenBucket({ rate: options.qps, burst: options.burst, now: clock.now() });
  }

  /** Resolves when a request may be sent. @throws TransportError "aborted" */
  async acquire(lane: LaneName, signal: AbortSignal): Promise<void> {
    await this.#waiters.wait(
      this.#options.order.indexOf(lane),
      signal,
      () => new TransportError('aborted', 'cancelled while waiting for the rate limit', { cause: signal.reason }),
    );
  }

  /** The server has refused a request because there were too many. */
  throttled(retryAfterMs: number = usualPauseMs): void {
    const { qps } = this.#options;
    const now = this.#clock.now();
    // Refusals of requests that were under way together are one complaint.
    if (now >= this.#pausedUntil) this.#setRate(Math.max(Math.min(slowestQps, qps), this.#qps / 2), now);
    this.#pausedUntil = Math.max(this.#pausedUntil, now + retryAfterMs);
    this.#raiseAt = this.#pausedUntil + raiseEveryMs;
  }

  /** Lets the process end: whoever still waits has an aborted signal by then. */
  close(): void {
    this.#waiters.close();
  }

  /** 0: admitted. Otherwise how many milliseconds to wait. */
  #admit(): number {
    const now = this.#clock.now();
    if (now < this.#pausedUntil) return this.#pausedUntil - now;
    if (now >= this.#raiseAt) this.#raise(now);
    return this.#bucket.take(now);
  }

  #raise(now: number): void {
    const { qps } = this.#options;
    const steps = 1 + Math.floor((now - this.#raiseAt) / raiseEveryMs);
    this.#raiseAt += steps * raiseEveryMs;
    this.#setRate(Math.min(qps, this.#qps + (steps * qps) / raisesToFull), now);
    if (this.#qps === qps) this.#raiseAt = Number.POSITIVE_INFINITY;
  }

  /** What was saved up is gone. */
  #setRate(qps: number, now: number): void {
    const { burst } = this.#options;
    this.#qps = qps;
    this.#bucket = new TokenBucket({ rate: qps, burst: qps === this.#options.qps ? burst : 1, tokens: 1, now });
  }
}
