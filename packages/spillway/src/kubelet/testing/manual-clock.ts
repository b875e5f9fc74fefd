import type { Clock } from '@spillway/kube';

interface Sleeper {
  readonly ms: number;
  readonly wake: () => void;
}

/** Time that passes when a test says so. */
export class ManualClock implements Clock {
  #now: number;
  readonly #sleepers: Sleeper[] = [];
  #arrived = Promise.withResolvers<void>();

  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#sleepers.push({ ms, wake: resolve });
    signal?.addEventListener('abort', () => resolve(), { once: true });
    this.#arrived.resolve();
    return promise;
  }

  /** Waits until somebody sleeps, lets the time pass, and tells how long it was. */
  async pass(): Promise<number> {
    while (this.#sleepers.length === 0) {
      this.#arrived = Promise.withResolvers();
      await this.#arrived.promise;
    }
    const [{ ms, wake } = { ms: 0, wake: () => {} }] = this.#sleepers.splice(0, 1);
    this.#now += ms;
    wake();
    return ms;
  }
}
