/** Says how long a key has to wait before it is tried again. */
export interface RateLimiter<K> {
  /** Milliseconds; counts as a try */
  when(key: K): number;
  forget(key: K): void;
  /** How often `when` was asked since the last `forget` */
  tries(key: K): number;
}
