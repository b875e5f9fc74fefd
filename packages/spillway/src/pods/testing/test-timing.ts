import type { Timing } from '@spillway/kube';

interface Alarm {
  readonly atMs: number;
  readonly run: () => void;
}

/** Time that passes only when the test says so. */
export class TestTiming implements Timing {
  #nowMs: number;
  readonly #alarms = new Set<Alarm>();

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  readonly now = (): number => this.#nowMs;

  readonly after = (ms: number, run: () => void): (() => void) => {
    const alarm = { atMs: this.#nowMs + Math.max(0, ms), run };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  };

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => sleep(this, ms, signal);

  /** Runs what is due on the way, in order, and lets it work in between. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settled();
    for (let next = this.#next(endMs); next; next = this.#next(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#alarms.delete(next);
      next.run();
      await settled();
    }
    this.#nowMs = endMs;
  }

  #next(endMs: number): Alarm | undefined {
    let next: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (alarm.atMs <= endMs && (next === undefined || alarm.atMs < next.atMs)) next = alarm;
    }
    return next;
  }
}

/** Lets everything run that needs no time. */
async function settled(): Promise<void> {
  for (let round = 0; round < 4; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves early when the signal is aborted. */
export function sleep({ after }: Pick<Timing, 'after'>, ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => {
    cancel();
    signal?.removeEventListener('abort', wake);
    resolve();
  };
  const cancel = after(ms, wake);
  signal?.addEventListener('abort', wake, { once: true });
  return promise;
}
