export interface ReconnectSteps {
  readonly firstMs: number;
  readonly maxMs: number;
}

const reconnectSteps: ReconnectSteps = { firstMs: 1000, maxMs: 30_000 };

/**
 * How long to wait before the next attempt. Any time up to a limit that doubles: however many agents lose their server at the same
 * moment, they do not come back at the same moment.
 *
 * @param failures attempts that failed one after another; 0: the stream was open
 * @param random 0 ≤ x < 1
 */
export function pauseMs(failures: number, random: number, { firstMs, maxMs }: ReconnectSteps = reconnectSteps): number {
  return Math.floor(random * Math.min(maxMs, firstMs * 2 ** Math.min(failures, 30)));
}
