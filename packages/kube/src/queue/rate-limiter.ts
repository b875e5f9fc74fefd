import { type BackoffSteps, doubledMs } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import { TokenBucket } from '../token-bucket.ts';

/** Says how long a key has to wait before it is tried again. */
export interface RateLimiter<K> {
  /** Milliseconds; counts as a try */
  when(key: K): number;
  forget(key: K): void;
  /** How often `when` was asked since the last `forget` */
  tries(key: K): number;
}

/** firstMs, twice that, … for each key by itself. */
export function exponentialRateLimiter<K>(options: BackoffSteps): RateLimiter<K> {
  const tries = new Map<K, number>();
  return {
    when(key) {
      const before = tries.get(key) ?? 0;
      tries.set(key, before + 1);
      return doubledMs(before + 1, options);
    },
    forget: (key) => void tries.delete(key),
    tries: (key) => tries.get(key) ?? 0,
  };
}

/** All keys together. */
export function bucketRateLimiter<K>(options: { qps: number; burst: number; clock: Clock }): RateLimiter<K> {
  const bucket = new TokenBucket({ rate: options.qps, burst: options.burst, now: options.clock.now() });
  return { when: () => bucket.reserve(options.clock.now()), forget: () => undefined, tries: () => 0 };
}

/** The longest wait of several. */
export function maxOfRateLimiters<K>(...limiters: readonly RateLimiter<K>[]): RateLimiter<K> {
  return {
    when: (key) => limiters.reduce((longest, limiter) => Math.max(longest, limiter.when(key)), 0),
    forget: (key) => {
      for (const limiter of limiters) limiter.forget(key);
    },
    tries: (key) => limiters.reduce((most, limiter) => Math.max(most, limiter.tries(key)), 0),
  };
}
