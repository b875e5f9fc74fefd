import { setImmediate } from 'node:timers/promises';

/** Waits for a condition; the test's own time-out is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

/** Where the value comes to rest: it stays the same for many turns of the event loop, or it is above `limit`. */
export async function settled(value: () => number, limit: number = Number.POSITIVE_INFINITY): Promise<number> {
  let last = value();
  for (let same = 0; same < 200 && last <= limit; same++) {
    await setImmediate();
    if (value() !== last) {
      last = value();
      same = 0;
    }
  }
  return last;
}
