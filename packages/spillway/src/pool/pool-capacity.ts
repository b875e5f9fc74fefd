import type { Clock, Logger } from '@spillway/kube';
import type { Backend } from '../backends/backend.ts';
import type { PoolConfig } from '../config/config.ts';

export interface PoolCapacityOptions {
  readonly backend: Pick<Backend, 'capacity'>;
  /** Comes before what the backend says. */
  readonly configured: PoolConfig['capacity'];
  readonly onRead: () => void;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Logger;
}

const intervalMs = 60_000;
const timeoutMs = 10_000;
/** Schedulers count it, so the node has to show some: enough for as many pods as CCI's node takes, each with its disk. */
const anyDisk = { 'ephemeral-storage': '6Pi' };

/** What the virtual node offers. */
export class PoolCapacity {
  readonly #options: PoolCapacityOptions;
  readonly #configured: Readonly<Record<string, string>>;
  readonly #read = Promise.withResolvers<void>();
  #current: Readonly<Record<string, string>>;

  constructor(options: PoolCapacityOptions) {
    this.#options = options;
    this.#configured = Object.fromEntries(
      Object.entries(options.configured).filter(([, value]) => value !== undefined),
    );
    this.#current = { ...anyDisk, ...this.#configured };
  }

  get current(): Readonly<Record<string, string>> {
    return this.#current;
  }

  /** Resolves when the backend was asked once, or the run has ended. */
  get known(): Promise<void> {
    return this.#read.promise;
  }

  /** Resolves when `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#ask(signal);
      this.#read.resolve();
      await this.#options.clock.sleep(intervalMs, signal);
    }
    this.#read.resolve();
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const { backend, logger, onRead } = this.#options;
    try {
      const reported = await backend.capacity(AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      this.#current = { ...anyDisk, ...reported, ...this.#configured };
      onRead();
    } catch (error) {
      if (!signal.aborted) logger.debug({ err: error }, 'the backend does not report its capacity');
    }
  }
}
