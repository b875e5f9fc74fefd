/** After this time no successor of a pod comes any more: controllers wait for minutes at most. */
const memoryMs = 3_600_000;

/**
 * Which controllers have had a pod given back. What comes to a virtual node from one of them afterwards shows that nothing keeps
 * its pods away, so that to give it back, too, would go on for ever.
 */
export class Successors {
  readonly #givenBack = new Map<string, number>();

  /** @param seenMs when the pod was seen to be stuck, by a monotonic clock */
  isOne(controller: string, seenMs: number): boolean {
    const givenBackMs = this.#givenBack.get(controller);
    return givenBackMs !== undefined && seenMs > givenBackMs;
  }

  givenBack(controller: string, nowMs: number): void {
    // The oldest come first.
    for (const [other, atMs] of this.#givenBack) {
      if (nowMs - atMs <= memoryMs) break;
      this.#givenBack.delete(other);
    }
    if (!this.#givenBack.has(controller)) this.#givenBack.set(controller, nowMs);
  }
}
