import { type HeldBack, Suspicion, type SuspicionOptions } from './suspicion.ts';

export interface SightingsOptions extends SuspicionOptions {
  /** Two listings that say that something is left over must be this far apart. */
  readonly graceMs: number;
  /** As far apart for what was expected to be left over. Default: the same. */
  readonly expectedGraceMs?: number;
}

/** What a complete listing showed. */
export interface Census<T> {
  /** When the listing began. */
  readonly startedMs: number;
  /** What nobody needs, by its key. */
  readonly leftOver: ReadonlyMap<string, T>;
  /** Keys of what there is another reason for to be left over: it is nothing to be suspicious of. Default: none. */
  readonly expected?: Pick<ReadonlySet<string>, 'has'>;
  /** How much there is in all. */
  readonly total: number;
}

export interface Findings<T> {
  /** May be verified and removed. */
  readonly due: ReadonlyMap<string, T>;
  /** Present while nothing may be, because too much is left over at once. */
  readonly heldBack?: HeldBack;
}

/**
 * What is left over and may go. Pure bookkeeping: something is a candidate while complete listings show that nobody needs
 * it, and is due when two of them, a grace window apart, agree. When so much is concerned at once that the fault may be
 * elsewhere, it is held back for a while longer, but not for ever: what nobody needs is billed.
 */
export class Sightings<T> {
  readonly #graceMs: number;
  readonly #expectedGraceMs: number;
  readonly #suspicion: Suspicion;
  /** By key, when a listing must begin that agrees. */
  #dueMs = new Map<string, number>();
  /** When the newest listing began. */
  #listedMs = 0;

  constructor(options: SightingsOptions) {
    const { graceMs, expectedGraceMs = graceMs } = options;
    this.#graceMs = graceMs;
    this.#expectedGraceMs = expectedGraceMs;
    this.#suspicion = new Suspicion(options);
  }

  get size(): number {
    return this.#dueMs.size;
  }

  /** When a listing must begin, at the earliest, that makes another candidate due; undefined: none is waiting for one. */
  get nextDueMs(): number | undefined {
    let first: number | undefined;
    for (const dueMs of this.#dueMs.values()) {
      if (dueMs > this.#listedMs && (first === undefined || dueMs < first)) first = dueMs;
    }
    return first;
  }

  observe({ startedMs, leftOver, expected = new Set(), total }: Census<T>): Findings<T> {
    const next = new Map<string, number>();
    const due = new Map<string, T>();
    let unexpected = 0;
    for (const [key, item] of leftOver) {
      const isExpected = expected.has(key);
      const knownMs = this.#dueMs.get(key);
      const dueMs = Math.min(
        knownMs ?? Number.POSITIVE_INFINITY,
        startedMs + (isExpected ? this.#expectedGraceMs : this.#graceMs),
      );
      next.set(key, dueMs);
      if (knownMs !== undefined && startedMs >= dueMs) due.set(key, item);
      if (!isExpected) unexpected += 1;
    }
    this.#dueMs = next;
    this.#listedMs = startedMs;
    // Before anything is due, nothing is held back that would go otherwise.
    const heldBack = this.#suspicion.observe(startedMs, due.size === 0 ? 0 : unexpected, total);
    return heldBack === undefined ? { due } : { due: new Map(), heldBack };
  }
}
