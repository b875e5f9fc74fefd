/** Two clocks, in milliseconds. */
export interface Clocks {
  /** Goes on while the process is stopped; is never set */
  readonly monotonic: () => number;
  /** Goes on while the machine sleeps as well; may be set */
  readonly wall: () => number;
}

interface Reading {
  readonly monotonic: number;
  readonly wall: number;
}

export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
}

/** One time of being the leader, as the callback of `runLeaderElection` sees it. */
export interface Leadership {
  /** Aborted when it is lost: stop acting at once, write nothing more. */
  readonly lost: AbortSignal;
  /** Aborted when it is time to end: on a graceful stop, during which the lease is still renewed, and when it is lost. */
  readonly signal: AbortSignal;
  /**
   * To be asked right before every act. Looks at the clock, so that it is right also when the process was stopped or
   * its event loop blocked, and no timer could fire; then it aborts `lost` first.
   * @throws LeadershipLostError
   */
  check(): void;
}

/** Knows until when we may act. Once lost, it stays lost. */
export class Tenure implements Leadership {
  readonly signal: AbortSignal;
  readonly #clocks: Clocks;
  readonly #deadlineMs: number;
  readonly #lost = new AbortController();
  #renewed: Reading;

  /** @param from when the request was sent that made us the leader */
  constructor(options: { clocks: Clocks; renewDeadlineMs: number; from: Reading; stop: AbortSignal }) {
    this.#clocks = options.clocks;
    this.#deadlineMs = options.renewDeadlineMs;
    this.#renewed = options.from;
    this.signal = AbortSignal.any([options.stop, this.#lost.signal]);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Until the renew deadline. The clock that went further counts: the machine may have slept. */
  get leftMs(): number {
    const now = readClocks(this.#clocks);
    const passed = Math.max(now.monotonic - this.#renewed.monotonic, now.wall - this.#renewed.wall);
    return this.#deadlineMs - passed;
  }

  /** @param at when the request was sent, not when it was answered: the others count from then at the earliest */
  renewed(at: Reading): void {
    this.#renewed = at;
  }

  lose(why: string): void {
    if (!this.#lost.signal.aborted) this.#lost.abort(new LeadershipLostError(why));
  }

  check(): void {
    if (this.leftMs <= 0) this.lose(`it could not be renewed within ${this.#deadlineMs / 1000} s`);
    this.#lost.signal.throwIfAborted();
  }

  /** Like `check`, without throwing. */
  get held(): boolean {
    if (this.leftMs <= 0) this.lose(`it could not be renewed within ${this.#deadlineMs / 1000} s`);
    return !this.#lost.signal.aborted;
  }
}

export const readClocks = ({ monotonic, wall }: Clocks): Reading => ({ monotonic: monotonic(), wall: wall() });
