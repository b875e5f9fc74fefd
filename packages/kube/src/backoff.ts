export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Healthy for so long, and it starts from the beginning */
  readonly resetAfterMs: number;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
}

/** Doubling delays, each lengthened by up to its own length, so that many clients do not come back at the same time. */
export class Backoff {
  readonly #options: BackoffOptions;
  #nextMs: number;
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#nextMs = options.firstMs;
  }

  /** How long to wait after a failure at `now`. */
  next(now: number): number {
    const { firstMs, maxMs, resetAfterMs, random } = this.#options;
    if (now - this.#lastAt > resetAfterMs) this.#nextMs = firstMs;
    const delay = Math.min(maxMs, this.#nextMs * (1 + random()));
    this.#nextMs = Math.min(maxMs, this.#nextMs * 2);
    // Time spent waiting is not health.
    this.#lastAt = now + delay;
    return delay;
  }
}
