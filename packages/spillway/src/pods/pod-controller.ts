import { type Informer, type Pod, uidOf, type Timing } from '@spillway/kube';
import type { Actor } from './actor.ts';
import { retryNow } from './core/transitions.ts';
import type { InstanceObserver } from './instances/instance-observer.ts';
import type { ListingRequests } from './instances/listing-requests.ts';
import type { Sweeper } from './instances/sweeper.ts';
import type { Arrivals } from './intake/arrivals.ts';
import { KnownPods } from './known-pods.ts';
import type { TolerationWriter } from './outage/toleration-writer.ts';
import type { ClusterServices } from './references/cluster-services.ts';
import type { ReferenceWatches } from './references/reference-watches.ts';
import type { Registry } from './registry.ts';
import type { RunQueue } from './run-queue.ts';
import type { StatusWriter } from './status/status-writer.ts';

/** What the pods of one virtual node are looked after with; put together in `assemble.ts`. */
export interface PodParts {
  /** The pods that are bound to the node. */
  readonly informer: Informer<Pod>;
  readonly arrivals: Arrivals;
  readonly registry: Registry;
  readonly turns: RunQueue<Actor>;
  readonly services: ClusterServices;
  readonly references: ReferenceWatches;
  readonly listings: ListingRequests;
  readonly observer: InstanceObserver;
  readonly sweeper: Sweeper;
  readonly statuses: StatusWriter;
  readonly tolerations: TolerationWriter;
  /** Ends operations that do not finish in time. */
  readonly abandon: AbortController;
  readonly timing: Timing;
  /** How long operations and statuses may take to finish when the process stops. */
  readonly stopGraceMs: () => number;
}

export interface PodCounts {
  readonly actors: number;
  /** Actors that are to take their next step. */
  readonly queued: number;
  readonly statusesWaiting: number;
  /** ConfigMaps and Secrets that are watched because a pod refers to them. */
  readonly referencesWatched: number;
}

/** All pods of one virtual node: starts what looks after them, and ends it in good order. */
export class PodController {
  readonly #parts: PodParts;
  readonly pods: KnownPods;

  constructor(parts: PodParts) {
    const { informer, arrivals, tolerations, registry, listings, statuses, turns } = parts;
    this.#parts = parts;
    this.pods = new KnownPods(informer.store, registry);
    informer.subscribe({
      added: (pod) => tolerations.seen(pod),
      changed: (_, pod) => tolerations.seen(pod),
    });
    informer.subscribe({
      added: (pod, by) => arrivals.seen(pod, by),
      changed: (_, pod) => arrivals.seen(pod, 'watch'),
      deleted: (pod, by) => {
        registry.podGone(uidOf(pod), by);
        if (by === 'list') listings.request();
      },
      // The first pods may have come after the first listing.
      synced: () => listings.request(),
      // What was answered since the list before may have been undone with it.
      listed: () => {
        statuses.relisted();
        for (const actor of registry.actors()) turns.add(actor);
      },
    });
  }

  get counts(): PodCounts {
    const { registry, turns, statuses, references } = this.#parts;
    return {
      actors: registry.size,
      queued: turns.length,
      statusesWaiting: statuses.waiting,
      referencesWatched: references.size,
    };
  }

  /** Pods and instances are known completely. */
  get synced(): boolean {
    return this.#parts.informer.hasSynced() && this.#parts.observer.completeOnce;
  }

  /** The backend is back: what waits for it is tried now. */
  retryAll(): void {
    for (const actor of this.#parts.registry.actors()) actor.apply(retryNow);
    this.#parts.listings.request();
  }

  /**
   * Resolves when `signal` is aborted, operations under way have finished or were given up, and statuses are written as
   * far as time allowed. Instances go on running.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { informer, services, observer, tolerations, statuses } = this.#parts;
    const writing = new AbortController();
    const writer = statuses.run(writing.signal);
    await Promise.all([informer, services, observer, tolerations].map((part) => part.run(signal)));
    await this.#stop();
    writing.abort();
    await writer;
  }

  async #stop(): Promise<void> {
    const { informer, turns, sweeper, registry, timing, stopGraceMs, statuses, tolerations, abandon, references } =
      this.#parts;
    turns.close();
    const swept = sweeper.close();
    for (const actor of registry.actors()) actor.stop();
    const deadline = new AbortController();
    deadline.signal.addEventListener('abort', () => abandon.abort(), { once: true });
    const graceMs = stopGraceMs();
    if (graceMs === 0) deadline.abort();
    const cancel = timing.after(graceMs, () => deadline.abort());
    await Promise.all([
      statuses.flush(deadline.signal),
      tolerations.outageBegins(informer.store.values(), deadline.signal),
    ]);
    await Promise.all(Array.from(registry.actors(), (actor) => actor.settled()));
    cancel();
    abandon.abort();
    await Promise.all([swept, references.close()]);
  }
}
