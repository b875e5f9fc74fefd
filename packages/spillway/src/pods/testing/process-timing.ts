import type { Timing } from '@spillway/kube';
import { sleep } from './test-timing.ts';

interface Pause {
  readonly sinceMs: number;
  readonly clockStops: boolean;
  readonly over: PromiseWithResolvers<void>;
}

/**
 * The clock and timers of one process. While it is paused none of its code runs. The clock of a machine that is suspended stops as
 * well, and stays behind.
 */
export class ProcessTiming implements Timing {
  readonly #world: Timing;
  #behindMs = 0;
  #pause: Pause | undefined;

  constructor(world: Timing) {
    this.#world = world;
  }

  readonly now = (): number => this.#world.now() - this.#behindMs;

  readonly after = (ms: number, run: () => void): (() => void) => {
    const dueMs = this.now() + ms;
    let cancelled = false;
    let cancel: (() => void) | undefined;
    const due = (): void => {
      if (cancelled) return;
      const leftMs = dueMs - this.now();
      if (this.#pause) void this.#pause.over.promise.then(due);
      else if (leftMs > 0) cancel = this.#world.after(leftMs, due);
      else run();
    };
    cancel = this.#world.after(ms, due);
    return () => {
      cancelled = true;
      cancel?.();
    };
  };

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => sleep(this, ms, signal);

  get isPaused(): boolean {
    return this.#pause !== undefined;
  }

  /** Resolves when its code runs. */
  async awake(): Promise<void> {
    while (this.#pause) await this.#pause.over.promise;
  }

  pause(clockStops: boolean): void {
    this.#pause ??= { sinceMs: this.#world.now(), clockStops, over: Promise.withResolvers() };
  }

  resume(): void {
    const { sinceMs, clockStops, over } = this.#pause ?? {};
    if (sinceMs === undefined) return;
    if (clockStops) this.#behindMs += this.#world.now() - sinceMs;
    this.#pause = undefined;
    over?.resolve();
  }
}
