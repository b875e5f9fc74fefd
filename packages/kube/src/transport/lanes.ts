import type { Clock } from '../clock.ts';
import { TransportError } from '../errors.ts';
import { TokenBucket } from '../token-bucket.ts';
import { Waiters } from './waiters.ts';

/** Requests of one lane never wait for those of another: each has a rate and a number of connections of its own. */
export type LaneName = string;

export interface LaneOptions {
  /** Requests a second; Infinity: no limit */
  readonly qps: number;
  /** How many may go at once after a pause */
  readonly burst: number;
  /** How many may be under way at the same time. Default: 16 */
  readonly concurrency?: number;
}

/** A lane that nobody configured gets the limits of `default`, for itself. */
export const defaultLanes: Readonly<Record<'default', LaneOptions> & Record<LaneName, LaneOptions>> = {
  lease: { qps: Number.POSITIVE_INFINITY, burst: 1, concurrency: 4 },
  node: { qps: 20, burst: 40, concurrency: 4 },
  status: { qps: 1000, burst: 2000, concurrency: 32 },
  events: { qps: 50, burst: 100, concurrency: 4 },
  default: { qps: 500, burst: 1000, concurrency: 32 },
};

/** Admits requests in their order, as fast as the limits allow. */
export class Lane {
  readonly #name: LaneName;
  readonly #concurrency: number;
  readonly #bucket: TokenBucket;
  readonly #clock: Clock;
  readonly #waiters: Waiters;
  #inFlight = 0;

  constructor(name: LaneName, options: LaneOptions, clock: Clock) {
    this.#name = name;
    this.#concurrency = options.concurrency ?? 16;
    this.#bucket = new TokenBucket({ rate: options.qps, burst: options.burst, now: clock.now() });
    this.#clock = clock;
    this.#waiters = new Waiters({ admit: () => this.#admit(), clock });
  }

  /** Resolves when a request may be sent; follow with `release`. @throws TransportError "aborted" */
  async acquire(signal: AbortSignal): Promise<void> {
    await this.#waiters.wait(
      0,
      signal,
      () => new TransportError('aborted', `cancelled while waiting in lane "${this.#name}"`, { cause: signal.reason }),
    );
  }

  release(): void {
    this.#inFlight--;
    this.#waiters.pump();
  }

  /** 0: admitted and counted. Otherwise how long to wait; Infinity: until a release. */
  #admit(): number {
    if (this.#inFlight >= this.#concurrency) return Number.POSITIVE_INFINITY;
    const wait = this.#bucket.take(this.#clock.now());
    if (wait === 0) this.#inFlight++;
    return wait;
  }

  /** Lets the process end: whoever still waits has an aborted signal by then. */
  close(): void {
    this.#waiters.close();
  }
}
