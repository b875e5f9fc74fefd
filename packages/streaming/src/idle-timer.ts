const defaultIdleTimeoutMs = 4 * 60 * 60 * 1000;

/** Calls back once when it was not touched for the given time; default 4 h, as the kubelet's streaming idle time-out. */
export class IdleTimer {
  readonly #timer: NodeJS.Timeout;
  #stopped = false;

  constructor(timeoutMs: number | undefined, onIdle: (timeoutMs: number) => void) {
    const ms = timeoutMs ?? defaultIdleTimeoutMs;
    this.#timer = setTimeout(() => onIdle(ms), ms);
  }

  touch(): void {
    if (!this.#stopped) this.#timer.refresh();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
