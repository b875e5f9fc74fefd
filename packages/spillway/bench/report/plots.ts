import type { Figure, Results, Run, Shown } from './results.ts';
import { medianOf, medianRatio } from './results.ts';
import { type Bar, barChart, lineChart } from './svg.ts';
import { titleOf, titles } from './titles.ts';

/** SVG files by name, of what there is in the results: what Spillway is of others, and what it takes by the number of pods. */
export function plotsOf({ scenarios, runs }: Pick<Results, 'scenarios' | 'runs'>): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const bars = scenarios.flatMap((scenario) => barsOf(scenario, runs));
  if (bars.length > 0)
    files.set('bench-ratios.svg', barChart('Spillway, in relation to others; the marks are goals', bars));
  for (const scenario of scenarios.filter(({ rows }) => rows === 'sizes')) {
    const own = runs.filter((run) => run.scenario === scenario.name);
    const lines = scenario.figures
      .filter(({ key }) => key.startsWith('rss') || key.startsWith('heap'))
      .map((figure) => ({ name: figure.label.replace(/, MiB$/, ''), points: pointsOf(figure, own) }))
      .filter(({ points }) => points.length > 0);
    if (lines.length === 0) continue;
    files.set(`bench-${scenario.name}.svg`, lineChart('Memory by the number of pods', { x: 'pods', y: 'MiB' }, lines));
  }
  return files;
}

function barsOf(scenario: Shown, runs: readonly Run[]): readonly Bar[] {
  const own = runs.filter((run) => run.scenario === scenario.name);
  return sizesOf(own).flatMap((pods) =>
    scenario.figures.flatMap((figure) =>
      (figure.goals ?? []).flatMap((goal) => {
        if (goal.of === undefined || !('atLeast' in goal)) return [];
        const value = medianRatio(ofSize(own, pods), 'spillway', figure.key, goal.of);
        const label = `${titleOf(scenario, pods)}: ${figure.label.replace(/, pods\/s$/, '')}, of ${titles[goal.of]}`;
        return value === undefined ? [] : [{ label, value, goal: goal.atLeast }];
      }),
    ),
  );
}

function pointsOf({ key, factor = 1 }: Figure, runs: readonly Run[]): readonly (readonly [number, number])[] {
  return sizesOf(runs).flatMap((pods) => {
    const value = medianOf(ofSize(runs, pods), 'spillway', key);
    return value === undefined ? [] : [[pods, value * factor] as const];
  });
}

const sizesOf = (runs: readonly Run[]): readonly number[] =>
  [...new Set(runs.map(({ pods }) => pods))].toSorted((a, b) => a - b);

const ofSize = (runs: readonly Run[], pods: number): readonly Run[] => runs.filter((run) => run.pods === pods);
