/** Requests of one lane never wait for those of another: each has connections and a token bucket of its own. */
export type LaneName = string;

export interface LaneOptions {
  /** Requests a second; Infinity: no limit */
  readonly qps: number;
  /** How many may go at once after a pause */
  readonly burst: number;
  /** Connections that the lane may open. Default: 4 */
  readonly connections?: number;
}
