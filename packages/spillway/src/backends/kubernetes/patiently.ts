import { ApiError, backoffMs, systemClock, TransportError } from '@spillway/kube';

const attempts = 5;

/** For one of many calls, which together would hardly ever succeed if each failure ended them all. */
export async function patiently<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await call();
    } catch (error) {
      const mayPass = error instanceof TransportError || (error instanceof ApiError && error.status >= 500);
      if (!mayPass || failures === attempts || signal.aborted) throw error;
      await systemClock.sleep(backoffMs('patiently', failures, { firstMs: 100, maxMs: 2000 }), signal);
    }
  }
}

/** All pages of a listing. */
export async function collected<T>(
  pages: () => AsyncIterable<{ readonly items: readonly T[] }>,
  signal: AbortSignal,
): Promise<readonly T[]> {
  return await patiently(async () => {
    const found: T[] = [];
    for await (const { items } of pages()) found.push(...items);
    return found;
  }, signal);
}
