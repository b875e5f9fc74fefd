import { setTimeout as delay } from 'node:timers/promises';

/** Resolves after `ms`, or early when `signal` is aborted; never rejects. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    // Aborted: who waits looks at the signal.
  }
}
