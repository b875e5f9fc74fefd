import { exponentialRateLimiter, type RateLimiter } from '@spillway/kube';

/** Between tries of what the API server did not take. */
export function retryBackoff(): RateLimiter<string> {
  return exponentialRateLimiter({ firstMs: 100, maxMs: 30_000 });
}
