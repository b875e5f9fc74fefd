import { type Figure, type Goal, medianOf, medianRatio, type Run, type Shown } from './results.ts';
import { titleOf, titles } from './titles.ts';

/** Medians of the runs of one scenario as Markdown tables, and what the first contestant's are of each other's. */
export function renderTables(runs: readonly Run[], scenario: Shown): string {
  const own = runs.filter((run) => run.scenario === scenario.name);
  const sizes = [...new Set(own.map(({ pods }) => pods))];
  if (scenario.rows === 'sizes') return sizes.length === 0 ? '' : renderSizes(own, sizes, scenario);
  return sizes.map((pods) => renderSize(runsOf(own, pods), pods, scenario)).join('\n');
}

/** Every goal of what was measured, and whether it was reached, as one Markdown table. */
export function renderGoals(runs: readonly Run[], scenarios: readonly Shown[]): string {
  const lines = scenarios.flatMap((scenario) => {
    const own = runs.filter((run) => run.scenario === scenario.name);
    const sizes = [...new Set(own.map(({ pods }) => pods))];
    return sizes.flatMap((pods) => {
      const same = runsOf(own, pods);
      return scenario.figures.flatMap((figure) =>
        goalsOf(figure, pods).map((goal) => {
          const reached = reachedOf(same, figure, goal);
          const places = goal.of === undefined ? figure.decimals : 2;
          const measured = reached === undefined ? '–' : reached.toFixed(places);
          return [`${titleOf(scenario, pods)}: ${figure.label}`, measured, goalText(goal), verdict(goal, reached)];
        }),
      );
    });
  });
  return lines.length === 0 ? '' : markdown([['goals', 'measured', 'goal', ''], ...lines]);
}

function renderSizes(runs: readonly Run[], sizes: readonly number[], { name, unit = 'pods', figures }: Shown): string {
  const head = [`${name}, ${unit}`, ...figures.map(({ label }) => label)];
  const rows = sizes.map((pods) => {
    const values = figures.map((figure) => shown(figure, medianOf(runsOf(runs, pods), 'spillway', figure.key)));
    return [pods.toLocaleString('en'), ...values];
  });
  return markdown([head, ...rows]);
}

function renderSize(runs: readonly Run[], pods: number, scenario: Shown): string {
  const { figures } = scenario;
  const contestants = scenario.contestants.filter((name) => runs.some(({ contestant }) => contestant === name));
  const [first = 'spillway', ...others] = contestants;
  const judged = first === 'spillway' && figures.some((figure) => goalsOf(figure, pods).length > 0);
  const head = [
    titleOf(scenario, pods),
    ...contestants.map((name) => titles[name]),
    ...others.map((name) => `of ${titles[name]}`),
    ...(judged ? ['goal', ''] : []),
  ];
  const body = figures.map((figure) => {
    const goals = goalsOf(figure, pods);
    const met = goals.map((goal) => verdict(goal, reachedOf(runs, figure, goal)));
    return [
      figure.label,
      ...contestants.map((name) => shown(figure, medianOf(runs, name, figure.key))),
      ...others.map((name) => medianRatio(runs, first, figure.key, name)?.toFixed(2) ?? '–'),
      ...(judged ? [goals.map(goalText).join(', '), met.join(', ')] : []),
    ];
  });
  const failed = contestants.map((name) => {
    const turns = runs.filter((run) => run.contestant === name);
    return `${turns.filter((run) => 'failure' in run).length} of ${turns.length}`;
  });
  const anyFailed = failed.some((text) => !text.startsWith('0 '));
  return markdown([head, ...body, ...(anyFailed ? [['failed rounds', ...failed]] : [])]);
}

const runsOf = (runs: readonly Run[], pods: number): readonly Run[] => runs.filter((run) => run.pods === pods);

const goalsOf = ({ goals = [] }: Figure, pods: number): readonly Goal[] =>
  goals.filter((goal) => goal.pods === undefined || goal.pods === pods);

/** In the unit of the goal. */
function reachedOf(runs: readonly Run[], { key, factor = 1 }: Figure, { of }: Goal): number | undefined {
  if (of !== undefined) return medianRatio(runs, 'spillway', key, of);
  const own = medianOf(runs, 'spillway', key);
  return own === undefined ? undefined : own * factor;
}

function verdict(goal: Goal, reached: number | undefined): string {
  if (reached === undefined) return '–';
  return ('atLeast' in goal ? reached >= goal.atLeast : reached <= goal.atMost) ? 'met' : 'missed';
}

function goalText(goal: Goal): string {
  const limit = 'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`;
  return goal.of === undefined ? limit : `${limit} of ${titles[goal.of]}`;
}

const shown = ({ decimals, factor = 1 }: Figure, value: number | undefined): string =>
  value === undefined ? '–' : (value * factor).toFixed(decimals);

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
