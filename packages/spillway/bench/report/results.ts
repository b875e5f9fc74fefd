import type { ContestantName } from '../contestants/contestant.ts';

/** Measured in one turn; what a contestant does not have is left out. */
export type Figures = Readonly<Record<string, number>>;

/** A row of the table. */
export interface Figure {
  /** In `Figures` and in the JSON. */
  readonly key: string;
  readonly label: string;
  readonly decimals: number;
  /** From the unit of the JSON (seconds, bytes) to that of the label. */
  readonly factor?: number;
  readonly goals?: readonly Goal[];
}

/** What Spillway is to reach: of a contestant's figure, or as it stands, in the unit of the label. */
export type Goal = { readonly of?: Exclude<ContestantName, 'spillway'> } & (
  | { readonly atLeast: number }
  | { readonly atMost: number }
);

/** How one turn of a contestant went; `failure` says what went wrong. */
export type Run = {
  readonly scenario: string;
  readonly contestant: ContestantName;
  readonly pods: number;
  readonly round: number;
} & ({ readonly figures: Figures } | { readonly failure: string });

/** The median over the rounds; undefined when the contestant does not have the figure. */
export function medianOf(runs: readonly Run[], contestant: ContestantName, key: string): number | undefined {
  const values = runs
    .filter((run) => run.contestant === contestant)
    .map((run) => ('failure' in run ? undefined : run.figures[key]))
    .filter((value) => value !== undefined)
    .toSorted((a, b) => a - b);
  const middle = values.length / 2;
  const [low, high] = [values[Math.ceil(middle) - 1], values[Math.floor(middle)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
