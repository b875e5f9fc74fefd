import type { Clock } from '../clock.ts';
import { TransportError } from '../errors.ts';

// The API server sends a bookmark about every minute.
const bookmarkSilenceMs = 180_000;

export interface LivenessOptions {
  readonly clock: Clock;
  /** For the message: "pods" */
  readonly about: string;
  /** The watch must have ended by then, whatever came */
  readonly limitMs: number;
}

/**
 * Notices that a watch is dead although its connection looks alive: the other side vanished without a word, or a proxy
 * in between holds the line. Cheap enough to be told of every event.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  readonly #watching = new AbortController();
  readonly #guarding = new AbortController();
  readonly #startedAt: number;
  #guard: Promise<void> = Promise.resolve();
  #silenceMs = Number.POSITIVE_INFINITY;
  #seenAt: number;
  #failure: TransportError | undefined;
  #detach: (() => void) | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#startedAt = this.#seenAt = options.clock.now();
  }

  /** The signal to watch with: aborted when `signal` is, or when the watch is found dead. Follow with `end`. */
  begin(signal: AbortSignal): AbortSignal {
    const onAbort = (): void => this.#watching.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#detach = () => signal.removeEventListener('abort', onAbort);
    this.#guard = this.#run();
    return this.#watching.signal;
  }

  /** Why the watch was aborted, when it was found dead. */
  get failure(): TransportError | undefined {
    return this.#failure;
  }

  seen(): void {
    this.#seenAt = this.#options.clock.now();
  }

  /** From now on something must come at least this often. */
  expectWithin(ms: number): void {
    this.#silenceMs = ms;
  }

  /** The server has sent a bookmark, so it will go on to. */
  expectBookmarks(): void {
    this.#silenceMs = bookmarkSilenceMs;
  }

  async end(): Promise<void> {
    this.#guarding.abort();
    this.#detach?.();
    await this.#guard;
  }

  async #run(): Promise<void> {
    const { clock, about, limitMs } = this.#options;
    while (!this.#guarding.signal.aborted) {
      const now = clock.now();
      const left = Math.min(this.#startedAt + limitMs, this.#seenAt + this.#silenceMs) - now;
      if (left <= 0) {
        const silence = Math.round((now - this.#seenAt) / 1000);
        this.#failure = new TransportError('timeout', `${about}: the watch is dead, nothing came for ${silence} s`);
        this.#watching.abort(this.#failure);
        return;
      }
      // Not longer than the shortest limit: what is expected may change in the meantime.
      await clock.sleep(Math.min(left, 60_000), this.#guarding.signal);
    }
  }
}
