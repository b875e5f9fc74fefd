import type { Instance } from '../../backends/backend.ts';

export interface SweepOptions {
  /** Two observations of an instance without a pod must be this far apart. */
  readonly graceMs: number;
  /** When more than this part of all instances has no pod, something else may be wrong. Default: 0.5. */
  readonly maxSweepFraction?: number;
  /** How much longer such a suspicious sweep waits. Default: 10 minutes. */
  readonly suspicionMs?: number;
}

/** What a complete listing of the backend showed. */
export interface Census {
  /** When the listing began. */
  readonly startedMs: number;
  /** Instances that no known pod owns. */
  readonly unowned: Iterable<Instance>;
  /** How many instances there are in all. */
  readonly total: number;
}

export interface Findings {
  /** Instances that may be verified and removed. */
  readonly due: readonly Instance[];
  /** Present while a suspicious sweep is held back. */
  readonly heldBack?: HeldBack;
}

export interface HeldBack {
  readonly candidates: number;
  readonly total: number;
  readonly untilMs: number;
}

interface Sighting {
  readonly firstMs: number;
  readonly instance: Instance;
}

/** So few are never suspicious, whatever part of all they are. */
export const few = 3;

export function resolveSweepOptions(options: SweepOptions): Required<SweepOptions> {
  return { maxSweepFraction: 0.5, suspicionMs: 600_000, ...options };
}

/**
 * Which instances are left without a pod. Pure bookkeeping: an instance is a candidate while complete listings show it
 * and nobody owns it, and is due when two of them, a grace window apart, agree. When so many are concerned at once that
 * the fault may be elsewhere, they are held back for a while longer, but not for ever: what nobody owns is billed.
 * Whoever removes one asks the API server first.
 */
export class Sightings {
  readonly #graceMs: number;
  readonly #maxFraction: number;
  readonly #suspicionMs: number;
  #sightings = new Map<string, Sighting>();
  /** When a suspicious sweep may go on; undefined: none is held back. */
  #untilMs: number | undefined;

  constructor(options: SweepOptions) {
    const { graceMs, maxSweepFraction, suspicionMs } = resolveSweepOptions(options);
    this.#graceMs = graceMs;
    this.#maxFraction = maxSweepFraction;
    this.#suspicionMs = suspicionMs;
  }

  get size(): number {
    return this.#sightings.size;
  }

  /** When a candidate can be due at the earliest; undefined: there is none. */
  get nextDueMs(): number | undefined {
    let first: number | undefined;
    for (const { firstMs } of this.#sightings.values()) if (first === undefined || firstMs < first) first = firstMs;
    return first === undefined ? undefined : Math.max(first + this.#graceMs, this.#untilMs ?? 0);
  }

  observe({ startedMs, unowned, total }: Census): Findings {
    const next = new Map<string, Sighting>();
    const due: Instance[] = [];
    for (const instance of unowned) {
      const firstMs = this.#sightings.get(instance.ref.uid)?.firstMs ?? startedMs;
      next.set(instance.ref.uid, { firstMs, instance });
      if (startedMs - firstMs >= this.#graceMs) due.push(instance);
    }
    this.#sightings = next;
    const candidates = next.size;
    if (candidates <= few || candidates <= total * this.#maxFraction) {
      this.#untilMs = undefined;
      return { due };
    }
    if (due.length > 0) this.#untilMs ??= startedMs + this.#suspicionMs;
    if (this.#untilMs === undefined || startedMs >= this.#untilMs) return { due };
    return { due: [], heldBack: { candidates, total, untilMs: this.#untilMs } };
  }
}
