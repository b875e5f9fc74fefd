import { setTimeout as delay } from 'node:timers/promises';

/** Finds something, or nothing yet: undefined, false or null. An error is nothing yet, too. */
export type Probe<T> = () => Promise<T | undefined | false | null> | T | undefined | false | null;
export type Eventually = <T>(what: string, probe: Probe<T>) => Promise<T>;

interface Patience {
  /** What the failure ends with, such as a log. */
  readonly evidence?: () => Promise<string>;
  /** Default: two minutes. */
  readonly patienceMs?: number;
}

const longestPauseMs = 200;

/** Polls until the probe finds something. `what` is said when it never does. */
export const eventually: Eventually = eventuallyWith({});

export function eventuallyWith({ evidence, patienceMs = 120_000 }: Patience): Eventually {
  return async (what, probe) => {
    const deadline = Date.now() + patienceMs;
    let last: unknown;
    for (let pauseMs = 10; Date.now() < deadline; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
      try {
        const found = await probe();
        if (found !== undefined && found !== false && found !== null) return found;
        last = undefined;
      } catch (error) {
        last = error;
      }
      await delay(pauseMs);
    }
    const found = evidence === undefined ? '' : `; ${await evidence()}`;
    throw new Error(`gave up waiting for ${what}${found}`, { cause: last });
  };
}

/** Repeats an assertion until it holds. */
export async function eventuallyHolds<T>(assertion: () => Promise<T>): Promise<T> {
  const [value] = await eventually('an assertion to hold', async (): Promise<[T]> => [await assertion()]);
  return value;
}
