import { expect, test } from 'vitest';
import { grow, nextBackoff, restartAt } from './restart-backoff.ts';

/** Ends `count` times in a row, each after `ranMs`, restarted as soon as allowed; returns the waits in seconds. */
function waits(count: number, ranMs: number): number[] {
  const result: number[] = [];
  let backoffMs = 0;
  let createdAt = 0;
  for (let attempt = 0; attempt < count; attempt++) {
    const ended = { backoffMs, createdAt, finishedAt: createdAt + ranMs };
    result.push((restartAt(ended) - ended.finishedAt) / 1000);
    backoffMs = nextBackoff(ended);
    createdAt = restartAt(ended);
  }
  return result;
}

test('a container that ends again and again is restarted at once, then after 10 s, doubling to 5 min', () => {
  expect(waits(8, 500)).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
});

test('one that ran for more than 10 min is restarted at once', () => {
  expect(waits(3, 600_001)).toEqual([0, 0, 0]);
  const ended = { backoffMs: 300_000, createdAt: 0, finishedAt: 600_001 };
  expect(nextBackoff(ended)).toBe(10_000);
});

test('a delay grows from 10 s to 5 min', () => {
  expect([0, 10_000, 200_000, 300_000].map(grow)).toEqual([10_000, 20_000, 300_000, 300_000]);
});
