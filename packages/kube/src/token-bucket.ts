/** `rate` tokens a second, at most `burst` saved up; may be overdrawn, which the next takers wait for. */
export class TokenBucket {
  readonly #rate: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(options: { rate: number; burst: number; now: number }) {
    this.#rate = options.rate;
    this.#burst = Math.max(1, options.burst);
    this.#tokens = this.#burst;
    this.#at = options.now;
  }

  /** Takes a token if there is one. Otherwise takes none and answers how many milliseconds until there is. */
  take(now: number): number {
    const wait = this.#wait(now);
    if (wait === 0) this.#tokens -= 1;
    return wait;
  }

  /** Takes a token in any case and answers how many milliseconds its owner has to wait before using it. */
  reserve(now: number): number {
    const wait = this.#wait(now);
    this.#tokens -= 1;
    return wait;
  }

  #wait(now: number): number {
    if (this.#rate === Number.POSITIVE_INFINITY) {
      this.#tokens = this.#burst;
      return 0;
    }
    // A clock that is set back gives no tokens and takes none.
    this.#tokens = Math.min(this.#burst, this.#tokens + (Math.max(0, now - this.#at) / 1000) * this.#rate);
    this.#at = now;
    return this.#tokens >= 1 ? 0 : Math.max(1, Math.ceil(((1 - this.#tokens) / this.#rate) * 1000));
  }
}
