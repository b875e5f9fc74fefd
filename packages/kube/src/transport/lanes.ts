import type { Clock } from '../clock.ts';
import { TransportError } from '../errors.ts';
import { Fifo } from '../fifo.ts';
import { TokenBucket } from '../token-bucket.ts';

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
  status: { qps: 400, burst: 800, concurrency: 32 },
  events: { qps: 50, burst: 100, concurrency: 4 },
  default: { qps: 200, burst: 400, concurrency: 32 },
};

interface Waiter {
  readonly grant: () => void;
  cancelled: boolean;
}

/** Admits requests in their order, as fast as the limits allow. */
export class Lane {
  readonly #name: LaneName;
  readonly #concurrency: number;
  readonly #bucket: TokenBucket;
  readonly #clock: Clock;
  readonly #waiting = new Fifo<Waiter>();
  #inFlight = 0;
  #timer: AbortController | undefined;

  constructor(name: LaneName, options: LaneOptions, clock: Clock) {
    this.#name = name;
    this.#concurrency = options.concurrency ?? 16;
    this.#bucket = new TokenBucket({ rate: options.qps, burst: options.burst, now: clock.now() });
    this.#clock = clock;
  }

  /** Resolves when a request may be sent; follow with `release`. @throws TransportError "aborted" */
  async acquire(signal: AbortSignal): Promise<void> {
    const givenUp = (): TransportError =>
      new TransportError('aborted', `given up while waiting in lane "${this.#name}"`, { cause: signal.reason });
    if (signal.aborted) throw givenUp();
    if (this.#waiting.length === 0 && this.#admit() === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { grant: resolve, cancelled: false };
    const cancel = (): void => {
      waiter.cancelled = true;
      reject(givenUp());
    };
    signal.addEventListener('abort', cancel, { once: true });
    this.#waiting.push(waiter);
    this.#pump();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  release(): void {
    this.#inFlight--;
    this.#pump();
  }

  /** 0: admitted and counted. Otherwise how long to wait; Infinity: until a release. */
  #admit(): number {
    if (this.#inFlight >= this.#concurrency) return Number.POSITIVE_INFINITY;
    const wait = this.#bucket.take(this.#clock.now());
    if (wait === 0) this.#inFlight++;
    return wait;
  }

  #pump(): void {
    if (this.#timer !== undefined) return;
    for (let next = this.#waiting.peek(); next !== undefined; next = this.#waiting.peek()) {
      if (!next.cancelled) {
        const wait = this.#admit();
        if (wait > 0) {
          if (wait !== Number.POSITIVE_INFINITY) void this.#pumpLater(wait);
          return;
        }
        next.grant();
      }
      this.#waiting.shift();
    }
  }

  async #pumpLater(ms: number): Promise<void> {
    const timer = new AbortController();
    this.#timer = timer;
    await this.#clock.sleep(ms, timer.signal);
    this.#timer = undefined;
    if (!timer.signal.aborted) this.#pump();
  }

  /** Lets the process end: whoever still waits has an aborted signal by then. */
  close(): void {
    this.#timer?.abort();
  }
}
