import { errorMessage } from '@spillway/kube';
import type { Backend } from '../backends/backend.ts';
import type { BackendHealthState } from '../node/node-object.ts';

export interface BackendHealthOptions {
  readonly backend: Pick<Backend, 'ping'>;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Resolves early, and does not reject, when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onChange: (state: BackendHealthState, before: BackendHealthState) => void;
}

/** One failure may be an accident; a second one soon after is not. */
const failuresNeeded = 2;
const secondLookMs = 1000;

/** Asks the backend at intervals whether it is there. One question at a time; one that hangs is a failure. */
export class BackendHealth {
  readonly #options: BackendHealthOptions;
  readonly #first = Promise.withResolvers<void>();
  #state: BackendHealthState = { kind: 'unknown' };
  #failures = 0;

  constructor(options: BackendHealthOptions) {
    this.#options = options;
  }

  get state(): BackendHealthState {
    return this.#state;
  }

  /** Resolves when the state is known, or the run has ended. */
  get known(): Promise<void> {
    return this.#first.promise;
  }

  /** Resolves when `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const failure = await this.#ask(signal);
      if (signal.aborted) break;
      this.#failures = failure === undefined ? 0 : this.#failures + 1;
      if (failure === undefined) this.#change({ kind: 'reachable' });
      else if (this.#failures >= failuresNeeded) this.#change({ kind: 'unreachable', message: failure });
      if (this.#state.kind !== 'unknown') this.#first.resolve();
      const isDoubtful = this.#failures > 0 && this.#failures < failuresNeeded;
      await this.#options.sleep(isDoubtful ? secondLookMs : this.#options.intervalMs, signal);
    }
    this.#first.resolve();
  }

  /** @returns why it failed */
  async #ask(signal: AbortSignal): Promise<string | undefined> {
    const { backend, timeoutMs } = this.#options;
    const deadline = AbortSignal.timeout(timeoutMs);
    const both = AbortSignal.any([signal, deadline]);
    const given = Promise.withResolvers<never>();
    given.promise.catch(() => undefined);
    both.addEventListener('abort', () => given.reject(new Error('aborted')), { once: true });
    try {
      // A backend that does not look at its signal must not hold us up.
      await Promise.race([backend.ping(both), given.promise]);
      return undefined;
    } catch (error) {
      if (deadline.aborted) return `no answer within ${timeoutMs / 1000} s`;
      return errorMessage(error);
    }
  }

  #change(state: BackendHealthState): void {
    const before = this.#state;
    if (before.kind === state.kind) return;
    this.#state = state;
    this.#options.onChange(state, before);
  }
}
