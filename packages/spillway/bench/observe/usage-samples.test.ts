import { expect, test } from 'vitest';
import { highestShare } from './usage-samples.ts';

test('the highest share of a core is that of the busiest seconds in a row', () => {
  const cpuSeconds = [0, 0, 1, 1.5, 1.5, 1.5];
  const samples = cpuSeconds.map((cpu, second) => ({ atSeconds: second, cpuSeconds: cpu }));
  expect(highestShare(samples, 1)).toBe(1);
  expect(highestShare(samples, 2)).toBe(0.75);
  expect(highestShare(samples, 3)).toBe(0.5);
});

test('of less time than that, nothing is known', () => {
  expect(
    highestShare(
      [
        { atSeconds: 0, cpuSeconds: 0 },
        { atSeconds: 1, cpuSeconds: 1 },
      ],
      2,
    ),
  ).toBe(0);
  expect(highestShare([], 1)).toBe(0);
});
