import { trusted } from './trusted.ts';

export interface Turn {
  /** While it waits the work can be given up; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Goes before all that is not urgent. */
  readonly urgent?: boolean;
}

/** Lets at most `permits` pieces of work run at a time, urgent ones first, otherwise in the order of arrival. */
export class Semaphore {
  #free: number;
  readonly #urgent = new Set<() => void>();
  readonly #ordinary = new Set<() => void>();

  constructor(permits: number) {
    this.#free = permits;
  }

  async run<T>(work: () => Promise<T>, turn: Turn = {}): Promise<T> {
    await this.#acquire(turn);
    try {
      return await work();
    } finally {
      this.#release();
    }
  }

  async #acquire({ signal, urgent = false }: Turn): Promise<void> {
    signal?.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const queue = urgent ? this.#urgent : this.#ordinary;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      if (queue.delete(resolve)) reject(trusted<Error>(signal?.reason));
    };
    queue.add(resolve);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  #release(): void {
    const queue = this.#urgent.size > 0 ? this.#urgent : this.#ordinary;
    const [next] = queue;
    if (!next) {
      this.#free += 1;
      return;
    }
    // The permit passes on.
    queue.delete(next);
    next();
  }
}
