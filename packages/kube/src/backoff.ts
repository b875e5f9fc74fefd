export interface BackoffSteps {
  readonly firstMs: number;
  readonly maxMs: number;
}

export interface BackoffOptions extends BackoffSteps {
  /** Healthy for so long, and it starts from the beginning */
  readonly resetAfterMs: number;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
}

/**
 * Doubling, capped and endless.
 *
 * @param failures failed attempts so far, from 1
 */
export function doubledMs(failures: number, { firstMs, maxMs }: BackoffSteps): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
}

/**
 * {@link doubledMs}, jittered between half and the whole of the step. The jitter is a function of `key` and the number of
 * failures, so that the same history always gives the same times, while different keys spread.
 */
export function backoffMs(key: string, failures: number, steps: BackoffSteps): number {
  const step = doubledMs(failures, steps);
  return Math.round(step / 2 + (step / 2) * unit(`${key}/${failures}`));
}

/** Doubling delays, each lengthened by up to its own length, so that many clients do not come back at the same time. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** How long to wait after a failure at `now`. */
  next(now: number): number {
    const { maxMs, resetAfterMs, random } = this.#options;
    this.#failures = now - this.#lastAt > resetAfterMs ? 1 : this.#failures + 1;
    const delay = Math.min(maxMs, doubledMs(this.#failures, this.#options) * (1 + random()));
    // Time spent waiting is not health.
    this.#lastAt = now + delay;
    return delay;
  }
}

/** FNV-1a with a final mix, as a number from 0 to 1. */
function unit(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01_00_01_93);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c_1b_3c_6d);
  return ((hash ^ (hash >>> 12)) >>> 0) / 0xff_ff_ff_ff;
}
