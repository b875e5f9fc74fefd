/**
 * Says once that something is to end. What an AbortSignal does, for thousands that wait side by side: nothing is made before
 * somebody waits, and nothing is kept of those who wait no more.
 */
export class Ending {
  #called = false;
  #listeners: Set<() => void> | undefined;

  get called(): boolean {
    return this.#called;
  }

  /** May be called twice. */
  call(): void {
    this.#called = true;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) listener();
  }

  /** Resolves when it is called. */
  async wait(): Promise<void> {
    if (this.#called) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#listen(resolve);
    await promise;
  }

  /** As a signal, for as long as the work takes. */
  async during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    if (this.#called) abort();
    else this.#listen(abort);
    try {
      return await work(controller.signal);
    } finally {
      this.#listeners?.delete(abort);
    }
  }

  #listen(listener: () => void): void {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }
}
