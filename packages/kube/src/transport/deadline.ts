/** Ends a piece of work after a time, or when its caller or its owner gives it up, and remembers which it was. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #timedOut = false;

  constructor(ms: number, caller: AbortSignal | undefined) {
    this.#caller = caller;
    if (caller?.aborted === true) {
      this.#controller.abort(caller.reason);
      return;
    }
    caller?.addEventListener('abort', this.#onCaller, { once: true });
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.#controller.abort();
    }, ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get timedOut(): boolean {
    return this.#timedOut;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** The work is done: nothing can abort the signal any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#onCaller);
  }

  readonly #onCaller = (): void => this.#controller.abort(this.#caller?.reason);
}
