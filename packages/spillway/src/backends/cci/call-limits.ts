import type { KubeClientOptions } from '@spillway/kube';
import { creating, deleting, reading, syncing } from '../kubernetes/lanes.ts';

export interface RateLimits {
  readonly podsPerSecond: number;
  readonly podBurst: number;
  /** All calls together. */
  readonly callsPerSecond: number;
  readonly callBurst: number;
}

const unlimited = { qps: Number.POSITIVE_INFINITY, burst: 1, concurrency: 32 };

/** One rate for all calls of an account: what ends pods goes first. Pods are created at a rate of their own. */
export function callLimits(limits: RateLimits): Required<Pick<KubeClientOptions, 'lanes' | 'rate'>> {
  const { podsPerSecond, podBurst, callsPerSecond, callBurst } = limits;
  return {
    lanes: {
      [deleting]: unlimited,
      [creating]: { qps: podsPerSecond, burst: podBurst, concurrency: 32 },
      default: unlimited,
      [syncing]: unlimited,
      [reading]: unlimited,
    },
    rate: { qps: callsPerSecond, burst: callBurst, order: [deleting, creating, 'default', syncing, reading] },
  };
}
