import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

test('after the burst, tokens come at the rate', () => {
  const bucket = new TokenBucket({ rate: 10, burst: 2, now: 0 });
  expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([0, 0, 100]);
  expect(bucket.take(99)).toBe(1);
  expect(bucket.take(100)).toBe(0);
});

test('reservations queue up behind each other', () => {
  const bucket = new TokenBucket({ rate: 10, burst: 1, now: 0 });
  expect([bucket.reserve(0), bucket.reserve(0), bucket.reserve(0)]).toEqual([0, 100, 200]);
});

test('an infinite rate never waits', () => {
  const bucket = new TokenBucket({ rate: Number.POSITIVE_INFINITY, burst: 1, now: 0 });
  expect([bucket.take(0), bucket.take(0), bucket.reserve(0)]).toEqual([0, 0, 0]);
});

test.prop([
  fc.integer({ min: 1, max: 1000 }),
  fc.integer({ min: 1, max: 50 }),
  fc.array(fc.integer({ min: -50, max: 500 }), { maxLength: 200 }),
])(
  'in no span more tokens than burst plus rate times its length, also when the clock jumps back',
  (rate, burst, steps) => {
    const bucket = new TokenBucket({ rate, burst, now: 0 });
    let now = 0;
    let passed = 0;
    let taken = 0;
    for (const step of steps) {
      now += step;
      passed += Math.max(0, step);
      if (bucket.take(now) === 0) taken++;
      expect(taken).toBeLessThanOrEqual(burst + (passed / 1000) * rate + 1e-6);
    }
  },
);
