export interface WaitingPodsOptions {
  /** Looks at the pod again. */
  readonly wake: (uid: string) => void;
  /** Between two wakes of all. Default: 500. */
  readonly paceMs?: number;
}

/** Pods that no pool takes now, in the order in which they came. All are woken when something changes that may help them. */
export class WaitingPods {
  readonly #options: WaitingPodsOptions;
  /** UID → why it waits */
  readonly #pods = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #wokenAt = Number.NEGATIVE_INFINITY;

  constructor(options: WaitingPodsOptions) {
    this.#options = options;
  }

  /** O(n), for when somebody asks. */
  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const why of this.#pods.values()) counts.set(why, (counts.get(why) ?? 0) + 1);
    return counts;
  }

  add(uid: string, why: string): void {
    this.#pods.set(uid, why);
  }

  delete(uid: string): void {
    this.#pods.delete(uid);
  }

  /** Soon, and once for all calls until then. */
  wakeAll(): void {
    if (this.#timer !== undefined || this.#pods.size === 0) return;
    const dueMs = this.#wokenAt + (this.#options.paceMs ?? 500) - performance.now();
    this.#timer = setTimeout(() => this.#wake(), Math.max(0, dueMs));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wake(): void {
    this.#timer = undefined;
    this.#wokenAt = performance.now();
    for (const uid of this.#pods.keys()) this.#options.wake(uid);
  }
}
