import type { Clock } from '../clock.ts';
import { Fifo } from '../fifo.ts';

interface Waiter {
  readonly grant: () => void;
  cancelled: boolean;
}

export interface WaitersOptions {
  /** 0: admitted and counted. Otherwise how many milliseconds to wait; Infinity: until `pump` is called. */
  readonly admit: () => number;
  readonly clock: Clock;
  /** Those of a lower rank go first. Default: 1 */
  readonly ranks?: number;
}

/** Who waits to be admitted: by rank, then in the order in which they came. */
export class Waiters {
  readonly #options: WaitersOptions;
  readonly #waiting: readonly Fifo<Waiter>[];
  #timer: AbortController | undefined;

  constructor(options: WaitersOptions) {
    this.#options = options;
    this.#waiting = Array.from({ length: options.ranks ?? 1 }, () => new Fifo<Waiter>());
  }

  /**
   * Resolves when it is this one's turn.
   *
   * @param rank -1: the last
   * @throws what `givenUp` makes, when `signal` is aborted before
   */
  async wait(rank: number, signal: AbortSignal, givenUp: () => Error): Promise<void> {
    if (signal.aborted) throw givenUp();
    if (this.#waiting.every(({ length }) => length === 0) && this.#options.admit() === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { grant: resolve, cancelled: false };
    const cancel = (): void => {
      waiter.cancelled = true;
      reject(givenUp());
    };
    signal.addEventListener('abort', cancel, { once: true });
    this.#waiting.at(rank)?.push(waiter);
    this.pump();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  /** More may be admitted than before. */
  pump(): void {
    if (this.#timer !== undefined) return;
    for (const waiting of this.#waiting) {
      for (let next = waiting.peek(); next !== undefined; next = waiting.peek()) {
        if (!next.cancelled) {
          const wait = this.#options.admit();
          if (wait > 0) {
            if (wait !== Number.POSITIVE_INFINITY) void this.#pumpLater(wait);
            return;
          }
          next.grant();
        }
        waiting.shift();
      }
    }
  }

  /** Lets the process end: whoever still waits has an aborted signal by then. */
  close(): void {
    this.#timer?.abort();
  }

  async #pumpLater(ms: number): Promise<void> {
    const timer = new AbortController();
    this.#timer = timer;
    await this.#options.clock.sleep(ms, timer.signal);
    this.#timer = undefined;
    if (!timer.signal.aborted) this.pump();
  }
}
