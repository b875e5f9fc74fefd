import type { Metrics } from '../observability/metrics.ts';
import type { PlacementObserver } from '../placement/observer.ts';

/** The placement controller tells what it does; this counts it. */
export class PlacementMetrics implements PlacementObserver {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  bound({
    pool,
    policy,
    why,
    secondsSinceUnschedulable,
    secondsSinceCreated,
  }: Parameters<PlacementObserver['bound']>[0]): void {
    this.#metrics.bindings.inc({ pool, policy, reason: why });
    if (secondsSinceUnschedulable !== undefined) {
      this.#metrics.unschedulableToBoundSeconds.observe({ pool }, secondsSinceUnschedulable);
    }
    if (secondsSinceCreated !== undefined) this.#metrics.creationToBoundSeconds.observe({ pool }, secondsSinceCreated);
  }

  bindFailed(pool: string, code: string): void {
    this.#metrics.bindErrors.inc({ pool, code });
  }

  profileCounted(...[profile, counts]: Parameters<PlacementObserver['profileCounted']>): void {
    for (const standing of ['local', 'cci', 'waiting', 'uncounted'] as const) {
      if (counts === undefined) this.#metrics.profilePods.remove({ profile, standing });
      else this.#metrics.profilePods.set({ profile, standing }, counts[standing]);
    }
  }

  scaledIn(misses: number): void {
    this.#metrics.scaleIns.inc();
    this.#metrics.scaleInMisses.inc(misses);
  }

  reclaimed(reason: string): void {
    this.#metrics.podsReclaimed.inc({ reason });
  }

  eventDropped(why: string): void {
    this.#metrics.placementEventsDropped.inc({ why });
  }

  /** Looked at when the metrics are asked for. */
  waiting(counts: ReadonlyMap<string, number>): void {
    this.#metrics.podsWaitingForPool.reset();
    for (const [reason, count] of counts) this.#metrics.podsWaitingForPool.set({ reason }, count);
  }
}
