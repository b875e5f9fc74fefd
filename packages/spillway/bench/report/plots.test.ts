import { expect, test } from 'vitest';
import { plotsOf } from './plots.ts';
import type { Figures, Results, Shown } from './results.ts';

const lifecycle: Shown = {
  name: 'lifecycle',
  contestants: ['spillway', 'bare'],
  figures: [
    { key: 'rate', label: 'Ready, pods/s', decimals: 1, goals: [{ of: 'bare', atLeast: 0.5 }] },
    { key: 'rate', label: 'kwok did not run', decimals: 1, goals: [{ of: 'kwok', atLeast: 1 }] },
  ],
};
const footprint: Shown = {
  name: 'footprint',
  contestants: ['spillway'],
  rows: 'sizes',
  figures: [{ key: 'rssBytes', label: 'idle <RSS>, MiB', decimals: 0, factor: 0.5 }],
};
const run = (
  scenario: string,
  contestant: 'spillway' | 'bare',
  pods: number,
  figures: Figures,
): Results['runs'][number] => ({ scenario, contestant, pods, figures, round: 1, startedAt: '', seconds: 1 });
const runs = [
  run('lifecycle', 'spillway', 10, { rate: 30 }),
  run('lifecycle', 'bare', 10, { rate: 40 }),
  run('footprint', 'spillway', 100, { rssBytes: 400 }),
  run('footprint', 'spillway', 0, { rssBytes: 200 }),
];

test('a bar is as long as what Spillway is of another, and its mark is at the goal', () => {
  const svg = plotsOf({ scenarios: [lifecycle], runs }).get('bench-ratios.svg') ?? '';
  // The longest takes all of the room.
  expect(svg).toContain('width="310"');
  expect(svg).toContain('x1="556.7" x2="556.7"');
  expect(svg).toContain('>10 pods, lifecycle: Ready, of bare<');
  expect(svg).toContain('>0.75<');
  expect(svg).not.toContain('KWOK');
});

test('a line goes from the fewest pods to the most, from zero', () => {
  const svg = plotsOf({ scenarios: [footprint], runs }).get('bench-footprint.svg') ?? '';
  expect(svg).toContain('<polyline points="60,175 520,50"');
  expect(svg).toContain('>idle &lt;RSS&gt;: 200<');
});

test('of what was not measured there are no plots', () => {
  expect(plotsOf({ scenarios: [lifecycle, footprint], runs: [] }).size).toBe(0);
});
