import type { Grouping, Report, Row, Usage } from '../ledger/report.ts';
import { quantitiesText } from '../podspec/sizing/shown.ts';
import { coloured } from './output.ts';
import { table } from './table.ts';

const columns: Readonly<Record<Grouping, readonly (readonly [heading: string, cell: (row: Row) => string])[]>> = {
  namespace: [['NAMESPACE', ({ namespace = '' }) => namespace]],
  pool: [['POOL', ({ pool = '' }) => pool]],
  size: [['SIZE', sizeOf]],
  pod: [
    ['NAMESPACE', ({ namespace = '' }) => namespace],
    ['POD', ({ name = '' }) => name],
    ['SIZE', sizeOf],
    ['START', ({ start = '' }) => start],
    ['END', ({ end }) => end ?? coloured('green', 'running')],
    ['REASON', ({ reason = '-' }) => reason],
  ],
};

/** For people: a row for each group, and what they come to. */
export function renderLedger({ by, since, until, total, rows }: Report): string {
  const time = `${since === undefined ? 'Until' : `From ${since} until`} ${until}`;
  if (rows.length === 0) return `${time} nothing was billed.\n`;
  const own = columns[by];
  const lines = rows.map((row) => [...own.map(([, cell]) => cell(row)), ...usageCells(row, by)]);
  const sum = ['TOTAL', ...own.slice(1).map(() => ''), ...usageCells(total, by)];
  const headings = [...own.map(([heading]) => heading), ...usageHeadings(by)];
  return `${time}; running at its end: ${total.running}\n\n${table(headings, [...lines, sum.map((cell) => coloured('bold', cell))])}`;
}

function usageHeadings(by: Grouping): string[] {
  return [...(by === 'pod' ? [] : ['PODS', 'RUNNING']), 'POD-SECONDS', 'VCPU-SECONDS', 'GIB-SECONDS'];
}

function usageCells({ pods, running, podSeconds, vcpuSeconds, gibSeconds }: Usage, by: Grouping): string[] {
  return [...(by === 'pod' ? [] : [pods, running]), podSeconds, vcpuSeconds, gibSeconds].map(String);
}

function sizeOf({ cpu = '', memory = '' }: Row): string {
  return quantitiesText({ cpu, memory });
}
