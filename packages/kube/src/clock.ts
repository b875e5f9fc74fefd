import { setTimeout as delay } from 'node:timers/promises';

/** Time as a dependency, so that tests of waiting code do not wait. */
export interface Clock {
  /** Milliseconds since the epoch */
  readonly now: () => number;
  /** Resolves after `ms`, or as soon as `signal` is aborted. Never rejects: callers look at the signal. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** A clock that also runs something later. */
export interface Timing extends Clock {
  /** Once. The answer takes it back. */
  readonly after: (ms: number, run: () => void) => () => void;
}

// Node fires longer timers at once.
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Timing = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, ms), longestTimerMs));
    return () => clearTimeout(timer);
  },
  async sleep(ms, signal) {
    try {
      for (let left = ms; left > 0 || left === ms; left -= longestTimerMs) {
        await delay(Math.min(left, longestTimerMs), undefined, signal === undefined ? {} : { signal });
      }
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
  },
};
