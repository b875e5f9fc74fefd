import type { KubeletMetrics, ServedRequest } from '../kubelet/metrics.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { NodeObserver } from '../node/node-controller.ts';
import type { PodMetrics } from '../pods/assemble.ts';
import type { PodCounts } from '../pods/pod-controller.ts';
import type { Timeline } from '../pods/timeline.ts';
import type { UsageObserver } from '../usage/usage-sampler.ts';

/** The parts of one pool tell what they do; this counts it under the pool's name. */
export class PoolMetrics implements PodMetrics, NodeObserver, KubeletMetrics, UsageObserver {
  readonly #metrics: Metrics;
  readonly #pool: string;

  constructor(metrics: Metrics, pool: string) {
    this.#metrics = metrics;
    this.#pool = pool;
    // For rules that ask for a rise: a counter that comes with its first count has none.
    metrics.doublesEnded.inc({ pool }, 0);
    metrics.listings.inc({ pool, result: 'complete' }, 0);
    metrics.ledgerWrites.inc({ pool, result: 'failed' }, 0);
    metrics.heartbeatRenewals.inc({ pool, result: 'failed' }, 0);
  }

  stepTaken(): void {
    this.#metrics.actorSteps.inc({ pool: this.#pool });
  }

  podReady(timeline: Timeline): void {
    const pool = this.#pool;
    for (const [stage, seconds] of timeline.durations())
      this.#metrics.podStageSeconds.observe({ pool, stage }, seconds);
    this.#metrics.podStartSeconds.observe({ pool }, timeline.totalSeconds);
  }

  operationStarted(operation: string): void {
    this.#metrics.operationsInFlight.inc({ pool: this.#pool, operation });
  }

  operationEnded(operation: string, result: string, seconds: number): void {
    const pool = this.#pool;
    this.#metrics.operationsInFlight.dec({ pool, operation });
    this.#metrics.operations.inc({ pool, operation, result });
    this.#metrics.operationSeconds.observe({ pool, operation }, seconds);
  }

  statusWritten(result: string): void {
    this.#metrics.statusWrites.inc({ pool: this.#pool, result });
  }

  eventRecorded(type: string): void {
    this.#metrics.events.inc({ pool: this.#pool, type, result: 'recorded' });
  }

  eventDropped(why: string): void {
    this.#metrics.events.inc({ pool: this.#pool, type: '', result: why });
  }

  listed(result: string, seconds: number): void {
    this.#metrics.listings.inc({ pool: this.#pool, result });
    this.#metrics.listingSeconds.observe({ pool: this.#pool }, seconds);
  }

  instances(count: number): void {
    this.#metrics.instances.set({ pool: this.#pool }, count);
  }

  orphans(candidates: number, heldBack: number): void {
    this.#metrics.orphans.set({ pool: this.#pool }, candidates);
    this.#metrics.orphansHeldBack.set({ pool: this.#pool }, heldBack);
  }

  doubleEnded(): void {
    this.#metrics.doublesEnded.inc({ pool: this.#pool });
  }

  lossesHeldBack(count: number): void {
    this.#metrics.lossesHeldBack.set({ pool: this.#pool }, count);
  }

  ledgerWritten(result: string): void {
    this.#metrics.ledgerWrites.inc({ pool: this.#pool, result });
  }

  orphanRemoved(): void {
    this.#metrics.orphansRemoved.inc({ pool: this.#pool });
  }

  usageAsked(result: string, seconds: number, pods: number): void {
    const pool = this.#pool;
    this.#metrics.usageRequests.inc({ pool, result });
    this.#metrics.usageRequestSeconds.observe({ pool }, seconds);
    this.#metrics.usagePods.set({ pool }, pods);
  }

  leaseRenewed(at: Date): void {
    this.#metrics.nodeLeaseRenewed.set({ pool: this.#pool }, at.getTime() / 1000);
  }

  leaseFailed(): void {
    this.#metrics.nodeLeaseErrors.inc({ pool: this.#pool });
  }

  heartbeatRenewed(at: Date): void {
    const pool = this.#pool;
    this.#metrics.heartbeatRenewals.inc({ pool, result: 'ok' });
    this.#metrics.heartbeatRenewed.set({ pool }, at.getTime() / 1000);
  }

  heartbeatFailed(): void {
    this.#metrics.heartbeatRenewals.inc({ pool: this.#pool, result: 'failed' });
  }

  nodeWritten(what: string, result: string): void {
    this.#metrics.nodeWrites.inc({ pool: this.#pool, what, result });
  }

  backendReachable(reachable: boolean): void {
    this.#metrics.backendReachable.set({ pool: this.#pool }, reachable ? 1 : 0);
  }

  blocked(blocked: boolean): void {
    this.#metrics.poolBlocked.set({ pool: this.#pool }, blocked ? 1 : 0);
  }

  /** Looked at when the metrics are asked for. */
  current({ actors, queued, statusesWaiting, referencesWatched, phases }: PoolSnapshot): void {
    const pool = this.#pool;
    this.#metrics.actors.set({ pool }, actors);
    this.#metrics.actorQueue.set({ pool }, queued);
    this.#metrics.statusWritesWaiting.set({ pool }, statusesWaiting);
    this.#metrics.referencesWatched.set({ pool }, referencesWatched);
    for (const [phase, count] of phases) this.#metrics.pods.set({ pool, phase }, count);
  }

  requestServed({ route, status, durationMs }: ServedRequest): void {
    this.#metrics.kubeletRequests.inc({ pool: this.#pool, route, code: String(status) });
    this.#metrics.kubeletRequestSeconds.observe({ pool: this.#pool, route }, durationMs / 1000);
  }

  streamsOpen(open: number): void {
    this.#metrics.kubeletStreams.set({ pool: this.#pool }, open);
  }

  /** Whoever serves the pool from now on says how it is. What was counted stays. */
  ended(): void {
    const pool = this.#pool;
    const metrics = this.#metrics;
    for (const gauge of [
      metrics.actors,
      metrics.actorQueue,
      metrics.statusWritesWaiting,
      metrics.referencesWatched,
      metrics.instances,
      metrics.orphans,
      metrics.orphansHeldBack,
      metrics.lossesHeldBack,
      metrics.usagePods,
      metrics.nodeLeaseRenewed,
      metrics.heartbeatRenewed,
      metrics.backendReachable,
      metrics.poolBlocked,
    ]) {
      gauge.remove({ pool });
    }
    for (const phase of podPhases) metrics.pods.remove({ pool, phase });
  }
}

export const podPhases = ['Pending', 'Running', 'Succeeded', 'Failed'] as const;

export interface PoolSnapshot extends PodCounts {
  readonly phases: ReadonlyMap<string, number>;
}
