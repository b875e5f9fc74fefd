import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

const options = { baseMs: 1000, capMs: 60_000 };

describe('the back-off', () => {
  it('doubles, is capped, and is jittered between half a step and a whole one', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 10_000 }), (key, attempts) => {
        const step = Math.min(options.capMs, options.baseMs * 2 ** (attempts - 1));
        const ms = backoffMs(key, attempts, options);
        expect(ms).toBeGreaterThanOrEqual(step / 2 - 1);
        expect(ms).toBeLessThanOrEqual(step + 1);
      }),
    );
  });

  it('is the same for the same history, and spreads different pods', () => {
    expect(backoffMs('a', 5, options)).toBe(backoffMs('a', 5, options));
    const times = Array.from({ length: 1000 }, (_, index) => backoffMs(`uid-${index}`, 4, options));
    expect(new Set(times).size).toBeGreaterThan(800);
    const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
    expect(mean).toBeGreaterThan(5700);
    expect(mean).toBeLessThan(6300);
  });
});
