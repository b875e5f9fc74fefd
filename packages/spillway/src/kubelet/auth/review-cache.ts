export interface ReviewCacheOptions<V> {
  /** The least recently used entry goes first. */
  readonly maxEntries: number;
  /** How long an answer holds. */
  readonly ttlMs: (value: V) => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface Entry<V> {
  readonly value: V;
  readonly expiresAt: number;
}

/**
 * Remembers answers for a while; a question that is under way is not asked a second time. Failures are not remembered.
 *
 * The map is in order of use: what is read moves to the end, what is too much is dropped from the front.
 */
export class ReviewCache<V> {
  readonly #options: ReviewCacheOptions<V>;
  readonly #entries = new Map<string, Entry<V>>();
  readonly #underWay = new Map<string, Promise<V>>();

  constructor(options: ReviewCacheOptions<V>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  async get(key: string, ask: () => Promise<V>): Promise<V> {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      this.#entries.delete(key);
      if (entry.expiresAt > this.#options.now()) {
        this.#entries.set(key, entry);
        return entry.value;
      }
    }
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return underWay;
    const asking = this.#ask(key, ask);
    this.#underWay.set(key, asking);
    try {
      return await asking;
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #ask(key: string, ask: () => Promise<V>): Promise<V> {
    const value = await ask();
    this.#entries.set(key, { value, expiresAt: this.#options.now() + this.#options.ttlMs(value) });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#options.maxEntries) break;
      this.#entries.delete(oldest);
    }
    return value;
  }
}
