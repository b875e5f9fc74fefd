import type { ContestantName } from './options.ts';

/** Of one burst of one contestant. */
export interface Measurement {
  readonly createdPerSecond: number;
  readonly runningPerSecond: number;
  readonly readyP50Seconds: number;
  readonly readyP99Seconds: number;
  readonly deletedPerSecond: number;
  readonly rssRunningBytes: number;
  readonly rssPeakBytes: number;
  readonly cpuSeconds: number;
  readonly apiCallsPerPod: number;
  /** By verb and resource, for each pod. */
  readonly apiCalls: Readonly<Record<string, number>>;
  readonly longestStallSeconds?: number;
  readonly heapBeforeBytes?: number;
  readonly heapAfterBytes?: number;
  readonly heapGrowthRatio?: number;
}

/** The measurements that are one number. */
export type Figure = Exclude<keyof Measurement, 'apiCalls'>;

/** Whose burst of which size in which round. */
export interface Turn {
  readonly contestant: ContestantName;
  readonly pods: number;
  readonly round: number;
}

/** How a turn went; `failure` says what went wrong. */
export type Run = Turn & ({ readonly measurement: Measurement } | { readonly failure: string });

/** One wave of pods that were placed. */
export interface PlacementResult {
  readonly kind: 'overflow' | 'enforce';
  readonly binder: 'spillway' | 'generator';
  readonly pods: number;
  /** From the first creation until all are bound. */
  readonly boundPerSecond: number;
  /** From the moment the watch shows the one until it shows the other. */
  readonly unschedulableP50Seconds?: number;
  readonly unschedulableP99Seconds?: number;
  readonly createdP50Seconds: number;
  readonly createdP99Seconds: number;
}

/** The median over the rounds; undefined when the contestant does not have the figure. */
export function medianOf(
  runs: readonly Run[],
  contestant: ContestantName,
  pods: number,
  figure: Figure,
): number | undefined {
  const values = runs
    .filter((run) => run.contestant === contestant && run.pods === pods)
    .map((run) => ('failure' in run ? undefined : run.measurement[figure]))
    .filter((value) => value !== undefined)
    .toSorted((a, b) => a - b);
  const middle = values.length / 2;
  const [low, high] = [values[Math.ceil(middle) - 1], values[Math.floor(middle)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
