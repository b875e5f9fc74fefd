import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

const options = { firstMs: 800, maxMs: 30_000, resetAfterMs: 120_000 };

test('delays double up to the longest one', () => {
  const backoff = new Backoff({ ...options, random: () => 0 });
  expect(Array.from({ length: 8 }, () => backoff.next(0))).toEqual([
    800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000,
  ]);
});

test('each is lengthened by chance, never beyond the longest', () => {
  const backoff = new Backoff({ ...options, random: () => 0.5 });
  expect(Array.from({ length: 7 }, () => backoff.next(0))).toEqual([
    1_200, 2_400, 4_800, 9_600, 19_200, 30_000, 30_000,
  ]);
});

test('after two minutes without a failure they start from the beginning; waiting does not count', () => {
  const backoff = new Backoff({ ...options, random: () => 0 });
  expect(backoff.next(0)).toBe(800);
  expect(backoff.next(120_800)).toBe(1_600);
  expect(backoff.next(120_800 + 1_600 + 120_001)).toBe(800);
});
