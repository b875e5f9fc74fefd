export interface ReviewCacheOptions<V> {
  /** Of good answers, and as many of bad ones. The least recently used entry goes first. */
  readonly maxEntries: number;
  readonly isGood: (value: V) => boolean;
  /** How long a good and a bad answer hold, in milliseconds. */
  readonly goodMs: number;
  readonly badMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface Entry<V> {
  readonly value: V;
  readonly expiresAt: number;
}

/**
 * Remembers answers for a while; a question that is under way is not asked a second time. Failures are not remembered. Good
 * and bad answers are kept apart: however many are refused, nobody is forgotten for whom a good answer was given.
 *
 * The maps are in order of use: what is read moves to the end, what is too much is dropped from the front.
 */
export class ReviewCache<V> {
  readonly #options: ReviewCacheOptions<V>;
  /** Those that do not hold any more are kept, too: they tell whom we know. */
  readonly #good = new Map<string, Entry<V>>();
  readonly #bad = new Map<string, Entry<V>>();
  readonly #underWay = new Map<string, Promise<V>>();

  constructor(options: ReviewCacheOptions<V>) {
    this.#options = options;
  }

  get size(): number {
    return this.#good.size + this.#bad.size;
  }

  /** @param ask is told whether the last answer was a good one, however long ago */
  async get(key: string, ask: (known: boolean) => Promise<V>): Promise<V> {
    const entry = used(this.#good, key) ?? used(this.#bad, key);
    if (entry !== undefined && entry.expiresAt > this.#options.now()) return entry.value;
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

  async #ask(key: string, ask: (known: boolean) => Promise<V>): Promise<V> {
    const { isGood, goodMs, badMs, maxEntries, now } = this.#options;
    const value = await ask(this.#good.has(key));
    const good = isGood(value);
    const [entries, others] = good ? [this.#good, this.#bad] : [this.#bad, this.#good];
    others.delete(key);
    entries.set(key, { value, expiresAt: now() + (good ? goodMs : badMs) });
    for (const oldest of entries.keys()) {
      if (entries.size <= maxEntries) break;
      entries.delete(oldest);
    }
    return value;
  }
}

function used<V>(entries: Map<string, V>, key: string): V | undefined {
  const entry = entries.get(key);
  if (entry === undefined) return undefined;
  entries.delete(key);
  entries.set(key, entry);
  return entry;
}
