/** How long something takes: always the same, evenly between two times, or log-normal as answers of services are. */
export type Duration =
  | number
  | { readonly minMs: number; readonly maxMs: number }
  | { readonly medianMs: number; readonly p99Ms: number };

/** 99 of 100 normally distributed values lie below this many standard deviations. */
const z99 = 2.326;
/** A log-normal distribution has no upper end; nobody wants to rehearse the age of the universe. */
const longestOfMedian = 100;

/** Draws one duration, in milliseconds. @param random 0 ≤ x < 1 */
export function drawMs(duration: Duration, random: () => number): number {
  if (typeof duration === 'number') return duration;
  if ('minMs' in duration) return duration.minMs + random() * (duration.maxMs - duration.minMs);
  const { medianMs, p99Ms } = duration;
  if (medianMs <= 0) return 0;
  const sigma = Math.log(Math.max(p99Ms, medianMs) / medianMs) / z99;
  return Math.min(medianMs * Math.exp(sigma * normal(random)), medianMs * longestOfMedian);
}

/** Box–Muller. */
function normal(random: () => number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}
