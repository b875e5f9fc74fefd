import { few, type HeldBack, resolveSweepOptions, type SweepOptions } from './sweep.ts';

/** What a complete listing lacks of the instances that were seen before and of whose end nobody told. */
export interface Absence {
  /** When the listing began. */
  readonly startedMs: number;
  readonly missing: number;
  readonly seen: number;
}

/**
 * Whether a listing is believed that suddenly lacks most of what was there. A service that answers for the wrong project
 * or from an empty cache says that its listing is complete, too; to believe it at once would fail all pods and then end
 * their instances. So it is not believed for a while, but not for ever: all may really be lost.
 */
export class MassAbsence {
  readonly #maxFraction: number;
  readonly #suspicionMs: number;
  #untilMs: number | undefined;

  constructor(options: SweepOptions) {
    const { maxSweepFraction, suspicionMs } = resolveSweepOptions(options);
    this.#maxFraction = maxSweepFraction;
    this.#suspicionMs = suspicionMs;
  }

  /** Present: nothing may be concluded from what this listing lacks. */
  observe({ startedMs, missing, seen }: Absence): HeldBack | undefined {
    if (missing <= few || missing <= seen * this.#maxFraction) {
      this.#untilMs = undefined;
      return undefined;
    }
    this.#untilMs ??= startedMs + this.#suspicionMs;
    return startedMs >= this.#untilMs ? undefined : { candidates: missing, total: seen, untilMs: this.#untilMs };
  }
}
