import type { Instance } from '../backends/backend.ts';

export interface SweepOptions {
  /** Two observations of an instance without a pod must be this far apart. */
  readonly graceMs: number;
}

interface Sighting {
  readonly firstMs: number;
  readonly instance: Instance;
}

/**
 * Which instances are left without a pod. Pure bookkeeping: an instance is a candidate while complete listings show it
 * and nobody owns it, and is due when two of them, a grace window apart, agree. Whoever removes it asks the API server
 * first.
 */
export class OrphanLedger {
  readonly #graceMs: number;
  #sightings = new Map<string, Sighting>();

  constructor({ graceMs }: SweepOptions) {
    this.#graceMs = graceMs;
  }

  get size(): number {
    return this.#sightings.size;
  }

  /** When the first candidate can be due; undefined: there is none. */
  get nextDueMs(): number | undefined {
    let first: number | undefined;
    for (const { firstMs } of this.#sightings.values()) if (first === undefined || firstMs < first) first = firstMs;
    return first === undefined ? undefined : first + this.#graceMs;
  }

  /**
   * @param startedMs when the complete listing began
   * @param unowned what it showed and nobody owns; what is not among them is no candidate any more
   * @returns instances that are due
   */
  observe(startedMs: number, unowned: Iterable<Instance>): readonly Instance[] {
    const next = new Map<string, Sighting>();
    const due: Instance[] = [];
    for (const instance of unowned) {
      const firstMs = this.#sightings.get(instance.ref.uid)?.firstMs ?? startedMs;
      next.set(instance.ref.uid, { firstMs, instance });
      if (startedMs - firstMs >= this.#graceMs) due.push(instance);
    }
    this.#sightings = next;
    return due;
  }
}
