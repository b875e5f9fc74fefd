import {
  bucketRateLimiter,
  EventRecorder,
  type KubeClient,
  type KubeClientOptions,
  type Logger,
  type Pod,
  type Sharing,
  systemClock,
} from '@spillway/kube';
import type { Config } from '../config/config.ts';
import type { Metrics } from '../observability/metrics.ts';
import { BalancerWatch } from '../load-balancers/balancer-watch.ts';
import { PlacementController } from '../placement/placement-controller.ts';
import { runTogether } from '../pool/task-group.ts';
import { poolOf } from './backends.ts';
import { PlacementMetrics } from './placement-metrics.ts';

export interface PlacementRunOptions {
  readonly config: Pick<Config, 'pools' | 'placement'>;
  readonly client: KubeClient;
  /** With the pools. */
  readonly podSharing?: Sharing<Pod> | undefined;
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

/**
 * Runs the placement controller for all pools of the configuration, and beside it what warns of load balancers. Resolves when
 * `signal` is aborted and both have stopped.
 */
export async function runPlacement(options: PlacementRunOptions, signal: AbortSignal): Promise<void> {
  const { client, podSharing, metrics } = options;
  const logger = options.logger.child({ part: 'placement' });
  const { pools, placement } = options.config;
  const observer = new PlacementMetrics(metrics);
  const rate = placement.maxBindsPerSecond;
  const recorder = new EventRecorder({
    client,
    component: 'spillway',
    lane: 'placement-events',
    queueLimit: 20_000,
    onDropped: (why) => observer.eventDropped(why),
    logger,
  });
  const controller = new PlacementController({
    client,
    podSharing,
    pools: pools.map(poolOf),
    overflowDelayMs: placement.overflowDelaySeconds * 1000,
    soldOutPatienceMs: placement.soldOutPatienceSeconds * 1000,
    bindRate: rate === undefined ? undefined : bucketRateLimiter({ qps: rate, burst: rate, clock: systemClock }),
    recorder,
    observer,
    logger,
  });
  const balancers = new BalancerWatch({
    client,
    poolNodes: pools.map(({ nodeName }) => nodeName),
    recorder,
    clock: systemClock,
    logger,
  });
  const looking = metrics.beforeRender(() => observer.waiting(controller.waiting));
  try {
    await runTogether(signal, [(stop) => controller.run(stop), (stop) => balancers.run(stop)]);
  } finally {
    looking[Symbol.dispose]();
    observer.waiting(new Map());
    await recorder.close();
  }
}
