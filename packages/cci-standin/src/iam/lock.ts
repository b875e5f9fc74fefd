/** Failures of one access key in a row. */
export interface Failures {
  readonly count: number;
  readonly lastAt: number;
}

const mostInARow = 5;
const lockMs = 5 * 60_000;

/** More than five failures in a row lock a key for five minutes; attempts while it is locked do not prolong that. */
export function isLocked(failures: Failures | undefined, now: number): boolean {
  return failures !== undefined && failures.count > mostInARow && now < failures.lastAt + lockMs;
}

/** A key that was locked starts again with one failure. */
export function afterFailure(failures: Failures | undefined, now: number): Failures {
  const count = failures === undefined || failures.count > mostInARow ? 0 : failures.count;
  return { count: count + 1, lastAt: now };
}
