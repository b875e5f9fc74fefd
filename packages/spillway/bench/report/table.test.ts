import { expect, test } from 'vitest';
import type { ContestantName } from '../contestants/contestant.ts';
import { type Figure, type Figures, medianOf, type Run } from './results.ts';
import { renderTables } from './table.ts';

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
    goals: [{ atMost: 100 }],
  },
  { key: 'cpuSeconds', label: 'CPU, s', decimals: 1 },
];
const everybody = ['spillway', 'bare', 'kwok'] as const;

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

test('people see the medians side by side, what one is of the others, and which goals are met', () => {
  const lines = renderTables(runs, everybody, figures)
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' '));
  expect(lines).toEqual([
    '| 1,000 pods, lifecycle | Spillway | bare | KWOK | of bare | of KWOK | goal | |',
    expect.stringMatching(/^\|-+\|(-+:\|){7}$/),
    '| Running and Ready, pods/s | 180.0 | 200.0 | 150.0 | 0.90 | 1.20 | ≥ 0.95 of bare, ≥ 1 of KWOK | missed, met |',
    '| longest stall of the event loop, ms | 50 | – | – | – | – | ≤ 100 | met |',
    '| CPU, s | 3.0 | 3.0 | 3.0 | 1.00 | 1.00 | | |',
    '',
  ]);
});

test('a round that failed is shown as failed, and the median is that of the others', () => {
  const failed: Run = { scenario: 'lifecycle', contestant: 'kwok', pods: 1000, round: 3, failure: 'kwok ended' };
  const lines = renderTables([...runs, failed], everybody, figures).split('\n');
  expect(lines).toContainEqual(expect.stringMatching(/^\| failed rounds +\| +0 of 3 \| +0 of 1 \| +1 of 3 \|/));
  expect(lines).toContainEqual(
    expect.stringMatching(/^\| Running and Ready, pods\/s +\| +180\.0 \| +200\.0 \| +150\.0 \|/),
  );
  expect(renderTables(runs, everybody, figures)).not.toContain('failed');
});

test('one system alone is compared with nothing, and a goal that nobody measured is not met', () => {
  const table = renderTables(
    runs.filter(({ contestant }) => contestant === 'spillway'),
    ['spillway'],
    figures,
  );
  expect(table).not.toContain('of bare |');
  expect(table).toMatch(/≥ 0\.95 of bare, ≥ 1 of KWOK \| +–, – \|/);
});
