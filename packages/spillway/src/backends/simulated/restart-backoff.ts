/**
 * Restart back-off as the kubelet's: at once after the first end, then 10 s, doubling to 5 min, and again from the start
 * when a container ran for 10 min. The level travels with the container (an annotation), so that a restarted Spillway goes
 * on where it was.
 */
const initialMs = 10_000;
const maxMs = 300_000;
const resetAfterMs = 600_000;

interface EndedContainer {
  readonly backoffMs: number;
  readonly createdAt: number;
  readonly finishedAt: number;
}

/** When the next attempt may start. */
export function restartAt(ended: EndedContainer): number {
  return ended.finishedAt + (ranLong(ended) ? 0 : ended.backoffMs);
}

/** The level to write on the next attempt. */
export function nextBackoff(ended: EndedContainer): number {
  return ranLong(ended) ? initialMs : grow(ended.backoffMs);
}

/** The delay after one more failure: 10 s, doubling to 5 min. */
export function grow(delayMs: number): number {
  return Math.min(Math.max(delayMs * 2, initialMs), maxMs);
}

function ranLong({ createdAt, finishedAt }: EndedContainer): boolean {
  return finishedAt - createdAt > resetAfterMs;
}
