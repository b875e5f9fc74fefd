import { type Backend, BackendError, type Notice, type PreparationState } from '../backends/backend.ts';
import { backoffMs } from './backoff.ts';
import { waitingFor } from './core/problems.ts';

export interface PreparationOptions {
  readonly backend: Pick<Backend, 'prepare'>;
  /** It is tried again by itself. */
  readonly onError: (error: unknown, retryInMs: number) => void;
  readonly onPrepared?: () => void;
  /** The state, or what it says, is another one now. */
  readonly onChange?: (state: PreparationState, severity: Notice['severity'], before: PreparationState) => void;
  /** Resolves early, and does not reject, when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Prepares the backend until it is done, once for all who wait for it. */
export class Preparation {
  readonly #options: PreparationOptions;
  #done = false;
  #state: PreparationState = { kind: 'unknown' };
  #wanted = Promise.withResolvers<void>();
  #finished = Promise.withResolvers<void>();

  constructor(options: PreparationOptions) {
    this.#options = options;
  }

  /** As far as it is known: it stays what it was until there is something to tell. */
  get state(): PreparationState {
    return this.#state;
  }

  /** Resolves when the backend is prepared. @throws when `signal` is aborted before */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.#done) return;
    signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = (): void => resolve();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.race([this.#finished.promise, promise]);
    signal.removeEventListener('abort', stop);
    signal.throwIfAborted();
  }

  /** What was prepared may be gone: it is done again before the next create. */
  invalidate(): void {
    if (!this.#done) return;
    this.#done = false;
    this.#finished = Promise.withResolvers();
    this.#wanted.resolve();
  }

  /** Resolves when `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    let failures = 0;
    while (!signal.aborted) {
      try {
        this.#wanted = Promise.withResolvers();
        await this.#options.backend.prepare(signal, ({ severity, reason, message }) =>
          this.#change({ kind: 'unprepared', reason, message }, severity),
        );
        failures = 0;
        this.#done = true;
        this.#change({ kind: 'prepared' }, 'Normal');
        this.#finished.resolve();
        this.#options.onPrepared?.();
        await Promise.race([this.#wanted.promise, aborted]);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        const pauseMs = backoffMs('prepare', failures, { baseMs: 1000, capMs: 30_000 });
        this.#options.onError(error, pauseMs);
        this.#change({ kind: 'unprepared', ...explained(error) }, 'Warning');
        await this.#options.sleep(pauseMs, signal);
      }
    }
  }

  #change(state: PreparationState, severity: Notice['severity']): void {
    const before = this.#state;
    if (JSON.stringify(state) === JSON.stringify(before)) return;
    this.#state = state;
    this.#options.onChange?.(state, severity, before);
  }
}

function explained(error: unknown): { readonly reason: string; readonly message: string } {
  if (error instanceof BackendError) return waitingFor(error);
  return { reason: 'PreparationFailed', message: error instanceof Error ? error.message : String(error) };
}
