import { expect, test } from 'vitest';
import { medianOf, type Measurement, type Run } from './results.ts';
import { renderTables } from './table.ts';

const measurement: Measurement = {
  createdPerSecond: 300,
  runningPerSecond: 200,
  readyP50Seconds: 0.5,
  readyP99Seconds: 1,
  deletedPerSecond: 100,
  rssRunningBytes: 100 * 2 ** 20,
  rssPeakBytes: 120 * 2 ** 20,
  cpuSeconds: 3,
  apiCallsPerPod: 3.5,
  apiCalls: { 'PATCH pods/status': 2 },
};

const run = (contestant: 'spillway' | 'kwok', round: number, changes: Partial<Measurement>): Run => ({
  contestant,
  pods: 1000,
  round,
  measurement: { ...measurement, ...changes },
});

const runs = [
  run('spillway', 1, { runningPerSecond: 300, longestStallSeconds: 0.04 }),
  run('kwok', 1, { runningPerSecond: 100 }),
  run('kwok', 2, { runningPerSecond: 200 }),
  run('spillway', 2, { runningPerSecond: 100, longestStallSeconds: 0.05 }),
  run('spillway', 3, { runningPerSecond: 180, longestStallSeconds: 0.9 }),
];

test('the median is the middle one, or between the two in the middle', () => {
  expect(medianOf(runs, 'spillway', 1000, 'runningPerSecond')).toBe(180);
  expect(medianOf(runs, 'kwok', 1000, 'runningPerSecond')).toBe(150);
  expect(medianOf(runs, 'kwok', 1000, 'longestStallSeconds')).toBeUndefined();
  expect(medianOf(runs, 'kwok', 5000, 'runningPerSecond')).toBeUndefined();
});

test('people see the medians side by side, and what one is of the other', () => {
  const lines = renderTables(runs, ['spillway', 'kwok']).split('\n');
  expect(lines[0]).toMatch(/^\| 1,000 pods +\| Spillway \| +KWOK \| ratio \|$/);
  expect(lines).toContainEqual(
    expect.stringMatching(/^\| Running and Ready, pods\/s +\| +180\.0 \| 150\.0 \| +1\.20 \|$/),
  );
  expect(lines).toContainEqual(
    expect.stringMatching(/^\| longest stall of the event loop, ms +\| +50 \| +– \| +– \|$/),
  );
});

test('a round that failed is shown as failed, and the median is that of the others', () => {
  const failed: Run = { contestant: 'kwok', pods: 1000, round: 3, failure: 'kwok ended with code 1' };
  const lines = renderTables([...runs, failed], ['spillway', 'kwok']).split('\n');
  expect(lines).toContainEqual(expect.stringMatching(/^\| failed rounds +\| +0 of 3 \| +1 of 3 \| +– \|$/));
  expect(lines).toContainEqual(expect.stringMatching(/^\| Running and Ready, pods\/s +\| +180\.0 \| +150\.0 \|/));
  expect(renderTables(runs, ['spillway', 'kwok'])).not.toContain('failed');
});

test('one system alone is compared with nothing', () => {
  expect(renderTables(runs, ['spillway'])).not.toContain('ratio');
});
