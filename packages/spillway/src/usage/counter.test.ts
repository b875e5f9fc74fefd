import { describe, expect, it } from 'vitest';
import { counted, type Counter } from './counter.ts';

/** What metrics-server and Prometheus make of two counters. */
const rate = (from: Counter, to: Counter): number => (to.seconds - from.seconds) / ((to.atMs - from.atMs) / 1000);

const measure = (atSeconds: number, cores: number, windowSeconds = 15): Parameters<typeof counted>[1] => ({
  atMs: atSeconds * 1000,
  windowMs: windowSeconds * 1000,
  cores,
});

describe('a counter of CPU time', () => {
  it('begins with what the first measurement proves', () => {
    expect(counted(undefined, measure(100, 0.4))).toEqual({ atMs: 100_000, seconds: 6 });
  });

  it('is never zero, which readers take for unknown', () => {
    expect(counted(undefined, measure(100, 0)).seconds * 1e9).toBeGreaterThanOrEqual(1);
  });

  it.each([
    ['follow on each other', 15],
    ['leave gaps, because not each was seen', 30],
    ['overlap', 10],
    ['are of a minute, and seen twice in it', 27],
  ])('rises with the rate that was measured when measurements %s', (_, step) => {
    let before = counted(undefined, measure(1000, 0.1));
    for (const [index, cores] of [0.2, 1.7, 0, 0.031].entries()) {
      const next = counted(before, measure(1000 + (index + 1) * step, cores));
      expect(rate(before, next)).toBeCloseTo(cores, 9);
      before = next;
    }
  });

  it('does not change with a measurement that is told again, or an older one', () => {
    const counter = counted(undefined, measure(100, 0.4));
    expect(counted(counter, measure(100, 3))).toBe(counter);
    expect(counted(counter, measure(85, 3))).toBe(counter);
  });

  it('claims nothing of an hour in which nothing was measured', () => {
    const counter = counted(undefined, measure(100, 1));
    expect(counted(counter, measure(3700, 1)).seconds).toBe(30);
  });
});
