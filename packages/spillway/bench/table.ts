import type { ContestantName } from './options.ts';
import { type Figure, medianOf, type Run } from './results.ts';

interface Row {
  readonly figure: Figure;
  readonly label: string;
  readonly show: (value: number) => string;
}

const decimals =
  (digits: number, factor = 1) =>
  (value: number): string =>
    (value * factor).toFixed(digits);
const megabytes = decimals(0, 1 / 2 ** 20);

const rows: readonly Row[] = [
  { figure: 'runningPerSecond', label: 'Running and Ready, pods/s', show: decimals(1) },
  { figure: 'readyP50Seconds', label: 'creation to Ready, p50, s', show: decimals(2) },
  { figure: 'readyP99Seconds', label: 'creation to Ready, p99, s', show: decimals(2) },
  { figure: 'deletedPerSecond', label: 'deleted, pods/s', show: decimals(1) },
  { figure: 'createdPerSecond', label: 'created by the generator, pods/s', show: decimals(1) },
  { figure: 'rssRunningBytes', label: 'memory (RSS), all Running, MiB', show: megabytes },
  { figure: 'rssPeakBytes', label: 'memory (RSS), highest, MiB', show: megabytes },
  { figure: 'cpuSeconds', label: 'CPU, s', show: decimals(1) },
  { figure: 'apiCallsPerPod', label: 'API calls per pod', show: decimals(2) },
  { figure: 'longestStallSeconds', label: 'longest stall of the event loop, ms', show: decimals(0, 1000) },
  { figure: 'heapBeforeBytes', label: 'heap after collection, before, MiB', show: decimals(1, 1 / 2 ** 20) },
  { figure: 'heapAfterBytes', label: 'heap after collection, afterwards, MiB', show: decimals(1, 1 / 2 ** 20) },
  { figure: 'heapGrowthRatio', label: 'heap afterwards / before', show: decimals(2) },
];

const titles: Readonly<Record<ContestantName, string>> = { spillway: 'Spillway', kwok: 'KWOK' };

/** Medians of all sizes as Markdown tables, with the relation of the first contestant to the second. */
export function renderTables(runs: readonly Run[], contestants: readonly ContestantName[]): string {
  const sizes = [...new Set(runs.map(({ pods }) => pods))];
  return sizes.map((pods) => renderSize(runs, contestants, pods)).join('\n');
}

function renderSize(runs: readonly Run[], contestants: readonly ContestantName[], pods: number): string {
  const compared = contestants.length === 2;
  const head = [
    `${pods.toLocaleString('en')} pods`,
    ...contestants.map((name) => titles[name]),
    ...(compared ? ['ratio'] : []),
  ];
  const body = rows.map(({ figure, label, show }) => {
    const values = contestants.map((name) => medianOf(runs, name, pods, figure));
    const [first, second] = values;
    const ratio = first === undefined || second === undefined ? '–' : (first / second).toFixed(2);
    const shown = values.map((value) => (value === undefined ? '–' : show(value)));
    return [label, ...shown, ...(compared ? [ratio] : [])];
  });
  const failed = contestants.map((name) => {
    const turns = runs.filter((run) => run.contestant === name && run.pods === pods);
    return `${turns.filter((run) => 'failure' in run).length} of ${turns.length}`;
  });
  const failures = failed.every((text) => text.startsWith('0 '))
    ? []
    : [['failed rounds', ...failed, ...(compared ? ['–'] : [])]];
  return markdown([head, ...body, ...failures]);
}

export function markdown(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0), 4));
  const render = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |\n`;
  const [head = [], ...body] = lines.map(render);
  const rule = `|${widths.map((width, column) => `${'-'.repeat(width + 1)}${column === 0 ? '-' : ':'}`).join('|')}|\n`;
  return [head, rule, ...body].join('');
}
