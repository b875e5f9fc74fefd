import { backoffMs, errorMessage } from '@spillway/kube';
import { type Backend, BackendError, type Notice, type PreparationState } from '../backends/backend.ts';
import type { Problem } from '../pods/core/pod-state.ts';
import type { Preparation as PodPreparation } from '../pods/performer.ts';
import { waitingFor } from '../pods/core/problems.ts';

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

/** `done` resolves when it is prepared, `again` when something of that may be gone. */
type Work =
  | { readonly kind: 'preparing'; readonly done: PromiseWithResolvers<void> }
  | { readonly kind: 'prepared'; readonly again: PromiseWithResolvers<void> };

function preparing(): Work & { kind: 'preparing' } {
  return { kind: 'preparing', done: Promise.withResolvers() };
}

function prepared(): Work & { kind: 'prepared' } {
  return { kind: 'prepared', again: Promise.withResolvers() };
}

/** Prepares the backend until it is done, once for all who wait for it. */
export class Preparation implements PodPreparation {
  readonly #options: PreparationOptions;
  #work: Work = preparing();
  #state: PreparationState = { kind: 'unknown' };

  constructor(options: PreparationOptions) {
    this.#options = options;
  }

  /** As far as it is known: it stays what it was until there is something to tell. */
  get state(): PreparationState {
    return this.#state;
  }

  get obstacle(): Problem | undefined {
    if (this.#work.kind === 'prepared') return undefined;
    const { kind, reason, message } = { reason: undefined, message: 'the backend is being prepared', ...this.#state };
    // What is only not done yet is no news.
    return { kind: 'unprepared', reason, message, ...(kind !== 'unprepared' && { notices: [] }) };
  }

  /** Resolves when the backend is prepared. @throws when `signal` is aborted before */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.#work.kind === 'prepared') return;
    const { done } = this.#work;
    signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = (): void => resolve();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.race([done.promise, promise]);
    signal.removeEventListener('abort', stop);
    signal.throwIfAborted();
  }

  /** What was prepared may be gone: it is done again before the next create. */
  invalidate(): void {
    if (this.#work.kind === 'preparing') return;
    const { again } = this.#work;
    this.#work = preparing();
    again.resolve();
  }

  /** Resolves when `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#options.backend.prepare(signal, ({ severity, reason, message }) =>
          this.#change({ kind: 'unprepared', reason, message }, severity),
        );
        failures = 0;
        const { again } = this.#finish();
        this.#options.onPrepared?.();
        await Promise.race([again.promise, aborted]);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        const pauseMs = backoffMs('prepare', failures, { firstMs: 1000, maxMs: 30_000 });
        this.#options.onError(error, pauseMs);
        this.#change({ kind: 'unprepared', ...explained(error) }, 'Warning');
        await this.#options.sleep(pauseMs, signal);
      }
    }
  }

  #finish(): Work & { kind: 'prepared' } {
    const before = this.#work;
    const now = prepared();
    this.#work = now;
    this.#change({ kind: 'prepared' }, 'Normal');
    if (before.kind === 'preparing') before.done.resolve();
    return now;
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
  return { reason: 'PreparationFailed', message: errorMessage(error) };
}
