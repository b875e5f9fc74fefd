import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { Backoff, backoffMs } from './backoff.ts';

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

const steps = { firstMs: 1000, maxMs: 60_000 };

describe('the back-off', () => {
  it('doubles, is capped, and is jittered between half a step and a whole one', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 10_000 }), (key, attempts) => {
        const step = Math.min(steps.maxMs, steps.firstMs * 2 ** (attempts - 1));
        const ms = backoffMs(key, attempts, steps);
        expect(ms).toBeGreaterThanOrEqual(step / 2 - 1);
        expect(ms).toBeLessThanOrEqual(step + 1);
      }),
    );
  });

  it('is the same for the same history, and spreads different pods', () => {
    expect(backoffMs('a', 5, steps)).toBe(backoffMs('a', 5, steps));
    const times = Array.from({ length: 1000 }, (_, index) => backoffMs(`uid-${index}`, 4, steps));
    expect(new Set(times).size).toBeGreaterThan(800);
    const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
    expect(mean).toBeGreaterThan(5700);
    expect(mean).toBeLessThan(6300);
  });
});
