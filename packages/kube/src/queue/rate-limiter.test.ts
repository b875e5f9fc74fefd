import { expect, test } from 'vitest';
import { TestClock } from '../../test/test-clock.ts';
import { bucketRateLimiter, exponentialRateLimiter, maxOfRateLimiters } from './rate-limiter.ts';

test('a key that fails waits twice as long each time, until it is forgotten', () => {
  const limiter = exponentialRateLimiter<string>({ firstMs: 5, maxMs: 30 });
  expect([1, 2, 3, 4, 5].map(() => limiter.when('a'))).toEqual([5, 10, 20, 30, 30]);
  expect(limiter.when('b')).toBe(5);
  expect(limiter.tries('a')).toBe(5);
  limiter.forget('a');
  expect(limiter.tries('a')).toBe(0);
  expect(limiter.when('a')).toBe(5);
});

test('a key that failed for ever still has a finite wait', () => {
  const limiter = exponentialRateLimiter<string>({ firstMs: 5, maxMs: 1_000_000 });
  for (let i = 0; i < 5_000; i++) limiter.when('a');
  expect(limiter.when('a')).toBe(1_000_000);
});

test('of several limits the longest wait counts', () => {
  const clock = new TestClock(0);
  const limiter = maxOfRateLimiters(
    exponentialRateLimiter<string>({ firstMs: 5, maxMs: 1_000 }),
    bucketRateLimiter({ qps: 10, burst: 2, clock }),
  );
  expect(['a', 'b', 'c', 'd'].map((key) => limiter.when(key))).toEqual([5, 5, 100, 200]);
});
