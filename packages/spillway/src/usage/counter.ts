/** CPU time that was used until a moment, as far as it was measured. */
export interface Counter {
  readonly atMs: number;
  readonly seconds: number;
}

/** How many cores were in use, on average, in the time before a moment. */
export interface MeasuredCores {
  readonly atMs: number;
  readonly windowMs: number;
  readonly cores: number;
}

/** Of longer times without a measurement nothing is claimed. */
const longestGapMs = 120_000;

/** Readers take a counter that says zero for one that says nothing. */
const leastSeconds = 1e-9;

/**
 * The counter after another measurement. Who divides the difference of two counters by that of their times, as metrics-server and
 * Prometheus do, gets what was measured: also when the windows of the measurements leave gaps, or overlap. A new counter has what
 * its first window proves. A measurement that is not newer changes nothing.
 */
export function counted(before: Counter | undefined, { atMs, windowMs, cores }: MeasuredCores): Counter {
  if (before === undefined) return { atMs, seconds: Math.max(leastSeconds, (cores * windowMs) / 1000) };
  if (atMs <= before.atMs) return before;
  const gapMs = atMs - before.atMs;
  const coveredMs = gapMs <= longestGapMs ? gapMs : windowMs;
  return { atMs, seconds: before.seconds + (cores * coveredMs) / 1000 };
}
