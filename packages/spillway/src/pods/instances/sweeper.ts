import type { Logger } from '@spillway/kube';
import type { Instance, InstanceRef } from '../../backends/backend.ts';
import { type Census, type HeldBack, Sightings, type SweepOptions } from './sweep.ts';

export interface SweeperOptions extends SweepOptions {
  /** Is the API server that we talk to the cluster whose marks our instances carry? */
  readonly confirmCluster: (signal: AbortSignal) => Promise<boolean>;
  /** Live read: does the cluster have a pod with this UID? */
  readonly exists: (ref: InstanceRef, signal: AbortSignal) => Promise<boolean>;
  /** It is certain: the instance has no pod. Called once for each. */
  readonly onOrphan: (ref: InstanceRef) => void;
  /** So many instances have no pod that they are left alone for a while. Called once for each such time. */
  readonly onSuspicion: (heldBack: HeldBack) => void;
  /** A complete listing at this time would bring the next decision. */
  readonly requestListingIn: (ms: number) => void;
  readonly now: () => number;
  readonly logger: Logger;
}

/**
 * Finds instances whose pod is gone. Nothing is removed because a listing of pods lacked it: a complete listing of the
 * backend has to show the instance twice, the API server has to be the right cluster, and it has to say live that there
 * is no such pod.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #sightings: Sightings;
  #sweeping: Promise<void> | undefined;
  #heldBack: HeldBack | undefined;
  readonly #closing = new AbortController();

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#sightings = new Sightings(options);
  }

  get candidates(): number {
    return this.#sightings.size;
  }

  /** Instances that wait because too many of all have no pod. */
  get heldBack(): number {
    return this.#heldBack?.candidates ?? 0;
  }

  /** A complete listing of the backend has ended. */
  observe(census: Census): void {
    const { due, heldBack } = this.#sightings.observe(census);
    if (heldBack && heldBack.untilMs !== this.#heldBack?.untilMs) this.#options.onSuspicion(heldBack);
    this.#heldBack = heldBack;
    const { nextDueMs } = this.#sightings;
    if (nextDueMs !== undefined && due.length === 0) {
      this.#options.requestListingIn(Math.max(0, nextDueMs - this.#options.now()));
    }
    if (due.length > 0) this.#sweeping ??= this.#sweep(due, this.#closing.signal);
  }

  /** Resolves when no sweep is under way. */
  async settled(): Promise<void> {
    await this.#sweeping;
  }

  /** Finds nothing more. Resolves when no sweep is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.settled();
  }

  async #sweep(due: readonly Instance[], signal: AbortSignal): Promise<void> {
    const { logger, confirmCluster, exists, onOrphan } = this.#options;
    try {
      if (!(await confirmCluster(signal))) {
        logger.error(
          { instances: due.length },
          'the API server is not the cluster that these instances belong to; they are left alone',
        );
        return;
      }
      for (const { ref } of due) {
        if (signal.aborted) return;
        if (!(await exists(ref, signal)) && !signal.aborted) onOrphan(ref);
      }
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, 'cannot verify instances without a pod; trying again');
    } finally {
      this.#sweeping = undefined;
    }
  }
}
