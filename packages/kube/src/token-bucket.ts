/** `rate` tokens a second, of which `burst` are saved up at most. May be overdrawn, which the next takers wait for. */
export class TokenBucket {
  readonly #msPerToken: number;
  readonly #burstMs: number;
  /** When the bucket would be full again if nobody took any more */
  #fullAt: number;
  #now: number;

  /** `tokens`: how many there are at first. Default: as many as can be saved up */
  constructor({ rate, burst, now, tokens = burst }: { rate: number; burst: number; now: number; tokens?: number }) {
    this.#msPerToken = 1000 / rate;
    this.#burstMs = (Math.max(1, burst) - 1) * this.#msPerToken;
    this.#now = now;
    this.#fullAt = now + (burst === tokens ? 0 : (burst - tokens) * this.#msPerToken);
  }

  /** Takes a token if there is one. Otherwise takes none and answers how many milliseconds until there is. */
  take(now: number): number {
    const wait = this.#wait(now);
    if (wait === 0) this.#fullAt += this.#msPerToken;
    return wait;
  }

  /** Takes a token in any case and answers how many milliseconds its owner has to wait before using it. */
  reserve(now: number): number {
    const wait = this.#wait(now);
    this.#fullAt += this.#msPerToken;
    return wait;
  }

  #wait(now: number): number {
    // A clock that is set back gives no tokens and takes none.
    if (now < this.#now) this.#fullAt -= this.#now - now;
    this.#now = now;
    this.#fullAt = Math.max(this.#fullAt, now);
    return Math.max(0, Math.ceil(this.#fullAt - now - this.#burstMs));
  }
}
