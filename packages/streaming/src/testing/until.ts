import { setImmediate } from 'node:timers/promises';

/** Waits for a condition; the test's own time-out is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

/** Lets everything happen that is going to happen without further input: a value that stays the same for many turns. */
export async function settled(value: () => number): Promise<number> {
  let last = value();
  for (let same = 0; same < 200; same++) {
    await setImmediate();
    if (value() !== last) {
      last = value();
      same = 0;
    }
  }
  return last;
}
