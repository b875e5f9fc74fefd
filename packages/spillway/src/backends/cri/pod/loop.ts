import type { Clock } from '@spillway/kube';

/**
 * Takes turns while there is a reason to: one at a time, and one more when somebody woke it meanwhile. Between turns it costs
 * nothing, except for an alarm that was set.
 */
export class Loop {
  readonly #turn: (signal: AbortSignal) => Promise<void>;
  readonly #clock: Clock;
  #wanted = false;
  #running: Promise<void> | undefined;
  #current = new AbortController();
  #alarm = new AbortController();
  #closed = false;

  /** @param turn must not reject; its signal aborts when what it does is no longer wanted. */
  constructor(turn: (signal: AbortSignal) => Promise<void>, clock: Clock) {
    this.#turn = turn;
    this.#clock = clock;
  }

  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** There is a reason for a turn. */
  wake(): void {
    this.#wanted = true;
    if (this.#closed) return;
    this.#running ??= this.#run();
  }

  /** What the current turn does is no longer wanted. */
  interrupt(reason: Error): void {
    this.#current.abort(reason);
    this.wake();
  }

  /** Wakes at the time, unless it is woken before; a new alarm replaces the old one. */
  wakeAt(time: number): void {
    this.#alarm.abort();
    if (this.#closed) return;
    this.#alarm = new AbortController();
    void this.#ring(time, this.#alarm.signal);
  }

  /** Settles when the current turn has ended; there will be no other. */
  async close(reason: Error): Promise<void> {
    this.#closed = true;
    this.#alarm.abort();
    this.#current.abort(reason);
    await this.#running;
  }

  async #ring(time: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(Math.max(time - this.#clock.now(), 0), signal);
    if (!signal.aborted) this.wake();
  }

  async #run(): Promise<void> {
    // Whoever wakes us shall not run our turn on its own stack.
    await Promise.resolve();
    while (this.#wanted && !this.#closed) {
      this.#wanted = false;
      this.#alarm.abort();
      this.#current = new AbortController();
      await this.#turn(this.#current.signal);
    }
    this.#running = undefined;
  }
}
