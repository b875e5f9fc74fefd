import { type Clock, systemClock } from '@spillway/kube';

/** The system's time, which tests can move on: who sleeps wakes up as if it had passed. */
export class MovableClock implements Clock {
  #aheadMs = 0;
  readonly #sleepers = new Set<() => void>();

  readonly now = (): number => Date.now() + this.#aheadMs;

  readonly sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    const until = this.now() + ms;
    const woken = Promise.withResolvers<void>();
    const wake = (): void => {
      if (this.now() >= until) woken.resolve();
    };
    this.#sleepers.add(wake);
    const stop = new AbortController();
    const signals = signal === undefined ? [stop.signal] : [stop.signal, signal];
    await Promise.race([woken.promise, systemClock.sleep(ms, AbortSignal.any(signals))]);
    stop.abort();
    this.#sleepers.delete(wake);
  };

  moveOn(ms: number): void {
    this.#aheadMs += ms;
    for (const wake of this.#sleepers) wake();
  }
}
