import { bucketRateLimiter, type KubeClient, type KubeClientOptions, type Logger, systemClock } from '@spillway/kube';
import type { Config } from '../config/config.ts';
import type { Metrics } from '../observability/metrics.ts';
import { PlacementController } from '../placement/placement-controller.ts';
import { makeReview } from './backends.ts';
import { PlacementMetrics } from './placement-metrics.ts';

export interface PlacementRunOptions {
  readonly config: Pick<Config, 'pools' | 'placement'>;
  readonly client: KubeClient;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

const unlimited = Number.POSITIVE_INFINITY;

/** Bindings wait for nothing else, and what has no hurry does not take the API server's time from them. */
export const placementLanes: NonNullable<KubeClientOptions['lanes']> = {
  binding: { qps: unlimited, burst: 1, concurrency: 32 },
  profiles: { qps: unlimited, burst: 1, concurrency: 8 },
  background: { qps: 50, burst: 50, concurrency: 2 },
  'placement-events': { qps: 100, burst: 100, concurrency: 2 },
};

/** Runs the placement controller for all pools of the configuration. Resolves when `signal` is aborted and it has stopped. */
export async function runPlacement(options: PlacementRunOptions, signal: AbortSignal): Promise<void> {
  const { client, metrics, logger } = options;
  const { pools, placement } = options.config;
  const observer = new PlacementMetrics(metrics);
  const rate = placement.maxBindsPerSecond;
  const controller = new PlacementController({
    client,
    pools: pools.map((pool) => ({ name: pool.name, nodeName: pool.nodeName, review: makeReview(pool) })),
    overflowDelayMs: placement.overflowDelaySeconds * 1000,
    soldOutPatienceMs: placement.soldOutPatienceSeconds * 1000,
    bindRate: rate === undefined ? undefined : bucketRateLimiter({ qps: rate, burst: rate, clock: systemClock }),
    observer,
    logger: logger.child({ part: 'placement' }),
  });
  const looking = metrics.beforeRender(() => observer.waiting(controller.waiting));
  try {
    await controller.run(signal);
  } finally {
    looking[Symbol.dispose]();
    observer.waiting(new Map());
  }
}
