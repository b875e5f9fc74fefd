import type { ContestantName } from '../contestants/contestant.ts';
import { median } from '../observe/quantile.ts';

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
export type Goal = {
  readonly of?: Exclude<ContestantName, 'spillway'>;
  /** Only with so many; default: with however many. */
  readonly pods?: number;
} & ({ readonly atLeast: number } | { readonly atMost: number });

/** What of a scenario its tables are made of. */
export interface Shown {
  readonly name: string;
  readonly contestants: readonly ContestantName[];
  readonly figures: readonly Figure[];
  /** What its numbers count; default: pods. */
  readonly unit?: string;
  /** `sizes`: one table of all sizes, a row each. Default: a table for each size, a row for each figure. */
  readonly rows?: 'sizes';
}

/** How one turn of a contestant went; `failure` says what went wrong. */
export type Run = {
  readonly scenario: string;
  readonly contestant: ContestantName;
  readonly pods: number;
  readonly round: number;
} & ({ readonly figures: Figures } | { readonly failure: string });

/** Everything that was measured, and how it is shown: the tables and plots can be made anew from it. */
export interface Results {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly arguments: readonly string[];
  readonly machine: object;
  readonly scenarios: readonly Shown[];
  readonly runs: readonly (Run & { readonly startedAt: string; readonly seconds: number })[];
}

/** Several as one: what a later one has of a scenario with so many pods replaces what the ones before have. */
export function merged(all: readonly Pick<Results, 'scenarios' | 'runs'>[]): Pick<Results, 'scenarios' | 'runs'> {
  const scenarios = new Map(all.flatMap((each) => each.scenarios.map((scenario) => [scenario.name, scenario])));
  const runs = new Map<string, Results['runs']>();
  for (const each of all) {
    for (const [key, own] of Map.groupBy(each.runs, ({ scenario, pods }) => `${scenario} ${pods}`)) runs.set(key, own);
  }
  return { scenarios: [...scenarios.values()], runs: [...runs.values()].flat() };
}

/** The median over the rounds; undefined when the contestant does not have the figure. */
export function medianOf(runs: readonly Run[], contestant: ContestantName, key: string): number | undefined {
  return median(runs.filter((run) => run.contestant === contestant).flatMap((run) => figureOf(run, key) ?? []));
}

/**
 * What Spillway's figure is of another's in the same round, as the median over the rounds: what else the machine did in a round
 * concerned both.
 */
export function medianRatio(
  runs: readonly Run[],
  contestant: ContestantName,
  key: string,
  other: ContestantName,
): number | undefined {
  const ratios = runs
    .filter((run) => run.contestant === contestant)
    .flatMap((run) => {
      const own = figureOf(run, key);
      const same = runs.find(({ contestant: name, round }) => name === other && round === run.round);
      const theirs = same && figureOf(same, key);
      return own === undefined || !theirs ? [] : own / theirs;
    });
  return median(ratios);
}

const figureOf = (run: Run, key: string): number | undefined => ('failure' in run ? undefined : run.figures[key]);
