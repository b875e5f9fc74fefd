import type { Logger } from '@spillway/kube';
import type { InstanceRef } from '../../backends/backend.ts';
import { type Census, Sightings, type SightingsOptions } from '../../podspec/absence/sightings.ts';
import { type HeldBack, mostPerListingMs } from '../../podspec/absence/suspicion.ts';
import type { GonePods } from './gone-pods.ts';

/** How far apart two listings must be, and when so many are concerned that something else may be wrong. */
export type SweepOptions = SightingsOptions;

export interface SweeperOptions extends SweepOptions {
  readonly gonePods: Pick<GonePods, 'look'>;
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
 * Finds instances whose pod is gone although no watch told it. Nothing is removed because a listing of pods lacked it: two
 * complete listings of the backend have to leave it over, the API server has to be the right cluster, and it has to say live
 * that there is no such pod.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #sightings: Sightings<InstanceRef>;
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
  observe(census: Census<InstanceRef>): void {
    const { onSuspicion, requestListingIn, now } = this.#options;
    const { due, heldBack } = this.#sightings.observe(census);
    if (heldBack && this.#heldBack === undefined) onSuspicion(heldBack);
    this.#heldBack = heldBack;
    const { nextDueMs } = this.#sightings;
    if (heldBack) requestListingIn(Math.min(heldBack.remainingMs, mostPerListingMs));
    else if (nextDueMs !== undefined && due.size === 0) requestListingIn(Math.max(0, nextDueMs - now()));
    if (due.size > 0) this.#sweeping ??= this.#sweep([...due.values()], this.#closing.signal);
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

  async #sweep(due: readonly InstanceRef[], signal: AbortSignal): Promise<void> {
    const { logger, gonePods, onOrphan } = this.#options;
    try {
      for (const ref of due) {
        if (signal.aborted) return;
        const presence = await gonePods.look(ref, signal);
        if (presence === 'otherCluster') {
          logger.error(
            { instances: due.length },
            'the API server belongs to another cluster than these instances, which are left alone',
          );
          return;
        }
        if (presence === 'gone' && !signal.aborted) onOrphan(ref);
      }
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, 'cannot verify instances without a pod; trying again');
    } finally {
      this.#sweeping = undefined;
    }
  }
}
