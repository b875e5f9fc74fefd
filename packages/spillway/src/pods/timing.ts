import { type Clock, systemClock } from '@spillway/kube';

/** Time as the core sees it: all of its waiting goes through here. */
export interface Timing extends Clock {
  /** Runs something later, once. The answer takes it back. */
  readonly after: (ms: number, run: () => void) => () => void;
}

/** Longest delay that a timer takes. */
const maxDelayMs = 2 ** 31 - 1;

export const systemTiming: Timing = {
  ...systemClock,
  after: (ms, run) => {
    const handle = setTimeout(run, Math.min(Math.max(0, ms), maxDelayMs));
    return () => clearTimeout(handle);
  },
};
