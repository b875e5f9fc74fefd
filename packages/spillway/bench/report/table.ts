import type { ContestantName } from '../contestants/contestant.ts';
import { type Figure, type Goal, medianOf, type Run } from './results.ts';

const titles: Readonly<Record<ContestantName, string>> = { spillway: 'Spillway', bare: 'bare', kwok: 'KWOK' };

/** Medians of the runs of one scenario, a Markdown table for each size, with the relation of the first contestant to each other. */
export function renderTables(
  runs: readonly Run[],
  contestants: readonly ContestantName[],
  figures: readonly Figure[],
): string {
  const sizes = [...new Set(runs.map(({ pods }) => pods))];
  return sizes
    .map((pods) =>
      renderSize(
        pods,
        runs.filter((run) => run.pods === pods),
        contestants,
        figures,
      ),
    )
    .join('\n');
}

function renderSize(
  pods: number,
  runs: readonly Run[],
  contestants: readonly ContestantName[],
  figures: readonly Figure[],
): string {
  const [first, ...others] = contestants;
  const judged = first === 'spillway' && figures.some(({ goals }) => goals !== undefined);
  const head = [
    `${pods.toLocaleString('en')} pods, ${runs[0]?.scenario ?? ''}`,
    ...contestants.map((name) => titles[name]),
    ...others.map((name) => `of ${titles[name]}`),
    ...(judged ? ['goal', ''] : []),
  ];
  const body = figures.map((figure) => {
    const values = contestants.map((name) => medianOf(runs, name, figure.key));
    const [own, ...theirs] = values;
    return [
      figure.label,
      ...values.map((value) => (value === undefined ? '–' : shown(figure, value))),
      ...theirs.map((value) => ratio(own, value)?.toFixed(2) ?? '–'),
      ...(judged ? verdict(figure, own, (name) => medianOf(runs, name, figure.key)) : []),
    ];
  });
  const failed = contestants.map((name) => {
    const turns = runs.filter((run) => run.contestant === name);
    return `${turns.filter((run) => 'failure' in run).length} of ${turns.length}`;
  });
  const anyFailed = failed.some((text) => !text.startsWith('0 '));
  return markdown([head, ...body, ...(anyFailed ? [['failed rounds', ...failed]] : [])]);
}

/** The goals, and whether each was met. */
function verdict(
  { goals = [], factor = 1 }: Figure,
  own: number | undefined,
  figureOf: (name: ContestantName) => number | undefined,
): [string, string] {
  const met = goals.map((goal) => {
    const reached = goal.of === undefined ? own && own * factor : ratio(own, figureOf(goal.of));
    if (reached === undefined) return '–';
    return ('atLeast' in goal ? reached >= goal.atLeast : reached <= goal.atMost) ? 'met' : 'missed';
  });
  return [goals.map(goalText).join(', '), met.join(', ')];
}

function goalText(goal: Goal): string {
  const limit = 'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`;
  return goal.of === undefined ? limit : `${limit} of ${titles[goal.of]}`;
}

const ratio = (own: number | undefined, other: number | undefined): number | undefined =>
  own === undefined || other === undefined ? undefined : own / other;

const shown = ({ decimals, factor = 1 }: Figure, value: number): string => (value * factor).toFixed(decimals);

function markdown(lines: readonly (readonly string[])[]): string {
  const [head = []] = lines;
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0), 4));
  const row = (line: readonly string[]): string => {
    const cells = widths.map((width, column) => {
      const text = line[column] ?? '';
      return column === 0 ? text.padEnd(width) : text.padStart(width);
    });
    return `| ${cells.join(' | ')} |\n`;
  };
  const rule = `|${widths.map((width, column) => `${'-'.repeat(width + 1)}${column === 0 ? '-' : ':'}`).join('|')}|\n`;
  const [first = '', ...rest] = lines.map(row);
  return [first, rule, ...rest].join('');
}
