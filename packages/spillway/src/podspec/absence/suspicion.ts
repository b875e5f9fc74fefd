export interface SuspicionOptions {
  /** When more than this part of all is concerned at once, something else may be wrong. Default: 0.5. */
  readonly maxFraction?: number | undefined;
  /** How long listings have to say so before they are believed. Default: 10 minutes. */
  readonly suspicionMs?: number | undefined;
}

/** What is concerned, of how many, and what is left of the time that listings have to say so. */
export interface HeldBack {
  readonly candidates: number;
  readonly total: number;
  readonly remainingMs: number;
}

/** So few are never suspicious, whatever part of all they are. */
const few = 3;

/** A listing stands for the time since the one before it, but for no more than this: nobody looked in a longer pause. */
export const mostPerListingMs = 90_000;

/**
 * Whether listings are believed that would have consequences for most of what there is. A service that answers for the
 * wrong project or from an empty cache says that its listing is complete, too. So they are not believed until they have said
 * the same for long; but then they are, because it may be true. Grows with listings, not with time: an outage proves nothing.
 */
export class Suspicion {
  readonly #maxFraction: number;
  readonly #suspicionMs: number;
  /** How long listings have said so, and when the newest of them began; undefined: the newest did not say so. */
  #said: { readonly ms: number; readonly untilMs: number } | undefined;

  constructor({ maxFraction = 0.5, suspicionMs = 600_000 }: SuspicionOptions) {
    this.#maxFraction = maxFraction;
    this.#suspicionMs = suspicionMs;
  }

  /** A complete listing that began at `startedMs` concerns `candidates` of `total`. Present: not to be believed yet. */
  observe(startedMs: number, candidates: number, total: number): HeldBack | undefined {
    if (candidates <= few || candidates <= total * this.#maxFraction) {
      this.#said = undefined;
      return undefined;
    }
    const { ms, untilMs } = this.#said ?? { ms: 0, untilMs: startedMs };
    this.#said = { ms: ms + Math.min(startedMs - untilMs, mostPerListingMs), untilMs: startedMs };
    const remainingMs = this.#suspicionMs - this.#said.ms;
    return remainingMs > 0 ? { candidates, total, remainingMs } : undefined;
  }
}
