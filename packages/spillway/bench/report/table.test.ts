import { expect, test } from 'vitest';
import type { ContestantName } from '../contestants/contestant.ts';
import {
  type Figure,
  type Figures,
  medianOf,
  medianRatio,
  merged,
  type Results,
  type Run,
  type Shown,
} from './results.ts';
import { renderGoals, renderTables } from './table.ts';

const figures: readonly Figure[] = [
  {
    key: 'runningPerSecond',
    label: 'Running and Ready, pods/s',
    decimals: 1,
    goals: [
      { of: 'bare', atLeast: 0.95 },
      { of: 'kwok', atLeast: 1 },
    ],
  },
  {
    key: 'stallSeconds',
    label: 'longest stall of the event loop, ms',
    decimals: 0,
    factor: 1000,
    goals: [{ atMost: 100 }, { pods: 5000, atMost: 10 }],
  },
  { key: 'cpuSeconds', label: 'CPU, s', decimals: 1 },
];
const lifecycle: Shown = { name: 'lifecycle', contestants: ['spillway', 'bare', 'kwok'], figures };

const run = (contestant: ContestantName, round: number, changes: Figures): Run => ({
  scenario: 'lifecycle',
  contestant,
  pods: 1000,
  round,
  figures: { cpuSeconds: 3, ...changes },
});

const runs = [
  run('spillway', 1, { runningPerSecond: 300, stallSeconds: 0.04 }),
  run('bare', 1, { runningPerSecond: 200 }),
  run('kwok', 1, { runningPerSecond: 100 }),
  run('kwok', 2, { runningPerSecond: 200 }),
  run('spillway', 2, { runningPerSecond: 100, stallSeconds: 0.05 }),
  run('spillway', 3, { runningPerSecond: 180, stallSeconds: 0.9 }),
];

test('the median is the middle one, or between the two in the middle', () => {
  expect(medianOf(runs, 'spillway', 'runningPerSecond')).toBe(180);
  expect(medianOf(runs, 'kwok', 'runningPerSecond')).toBe(150);
  expect(medianOf(runs, 'kwok', 'stallSeconds')).toBeUndefined();
});

test('systems are compared within a round, and then the median is taken', () => {
  expect(medianRatio(runs, 'spillway', 'runningPerSecond', 'kwok')).toBe(1.75);
  expect(medianRatio(runs, 'spillway', 'stallSeconds', 'kwok')).toBeUndefined();
});

test('people see the medians side by side, what one is of the others, and which goals are met', () => {
  const lines = renderTables(runs, lifecycle)
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' '));
  expect(lines).toEqual([
    '| 1,000 pods, lifecycle | Spillway | bare | KWOK | of bare | of KWOK | goal | |',
    expect.stringMatching(/^\|-+\|(-+:\|){7}$/),
    '| Running and Ready, pods/s | 180.0 | 200.0 | 150.0 | 1.50 | 1.75 | ≥ 0.95 of bare, ≥ 1 of KWOK | met, met |',
    '| longest stall of the event loop, ms | 50 | – | – | – | – | ≤ 100 | met |',
    '| CPU, s | 3.0 | 3.0 | 3.0 | 1.00 | 1.00 | | |',
    '',
  ]);
});

test('a round that failed is shown as failed, and the median is that of the others', () => {
  const failed: Run = { scenario: 'lifecycle', contestant: 'kwok', pods: 1000, round: 3, failure: 'kwok ended' };
  const lines = renderTables([...runs, failed], lifecycle).split('\n');
  expect(lines).toContainEqual(expect.stringMatching(/^\| failed rounds +\| +0 of 3 \| +0 of 1 \| +1 of 3 \|/));
  expect(lines).toContainEqual(
    expect.stringMatching(/^\| Running and Ready, pods\/s +\| +180\.0 \| +200\.0 \| +150\.0 \|/),
  );
  expect(renderTables(runs, lifecycle)).not.toContain('failed');
});

test('one system alone is compared with nothing, and a goal that nobody measured is not met', () => {
  const table = renderTables(
    runs.filter(({ contestant }) => contestant === 'spillway'),
    lifecycle,
  );
  expect(table).not.toContain('of bare |');
  expect(table).toMatch(/≥ 0\.95 of bare, ≥ 1 of KWOK \| +–, – \|/);
});

test('all goals of a run are one table, each with what was measured', () => {
  const lines = renderGoals(runs, [lifecycle])
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' '));
  expect(lines).toEqual([
    '| goals | measured | goal | |',
    expect.any(String),
    '| 1,000 pods, lifecycle: Running and Ready, pods/s | 1.50 | ≥ 0.95 of bare | met |',
    '| 1,000 pods, lifecycle: Running and Ready, pods/s | 1.75 | ≥ 1 of KWOK | met |',
    '| 1,000 pods, lifecycle: longest stall of the event loop, ms | 50 | ≤ 100 | met |',
    '',
  ]);
});

test('what depends on the number of pods alone has a row for each number', () => {
  const sizes: Shown = { name: 'lifecycle', contestants: ['spillway'], figures, rows: 'sizes' };
  const small: Run = { scenario: 'lifecycle', contestant: 'spillway', pods: 10, round: 1, figures: { cpuSeconds: 1 } };
  const lines = renderTables([...runs, small], sizes).split('\n');
  expect(lines[0]).toMatch(/^\| lifecycle, pods +\| +Running and Ready, pods\/s +\|/);
  expect(lines.slice(2).map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
    '| 1,000 | 180.0 | 50 | 3.0 |',
    '| 10 | – | – | 1.0 |',
    '',
  ]);
});

const at = (pods: number, seconds: number): Results['runs'][number] => ({
  ...run('spillway', 1, {}),
  pods,
  startedAt: '',
  seconds,
});

test('of several results, the last of each scenario and size counts', () => {
  const scenarios = [lifecycle];
  const all = merged([
    { scenarios, runs: [at(10, 1), at(20, 2)] },
    { scenarios, runs: [at(20, 3)] },
  ]);
  expect(all.scenarios).toEqual([lifecycle]);
  expect(all.runs.map(({ pods, seconds }) => [pods, seconds])).toEqual([
    [10, 1],
    [20, 3],
  ]);
});
