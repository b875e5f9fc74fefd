import type { Cluster } from '@spillway/devcluster';
import type { KubeClient } from '@spillway/kube';
import { apiCalls, type ApiCalls, callsPerPod } from './api-calls.ts';
import { burst, type BurstTimes } from './burst.ts';
import { type Contestant, kubectl } from './contestant.ts';
import { processUsage } from './process-usage.ts';
import type { PodNames } from './pod-names.ts';
import { quantile } from './quantile.ts';
import type { Measurement } from './results.ts';

export interface MeasureOptions {
  readonly cluster: Cluster;
  /** The load generator's. */
  readonly client: KubeClient;
  readonly contestant: Contestant;
  readonly namespace: string;
  readonly pods: number;
  readonly names: PodNames;
  readonly signal: AbortSignal;
}

/** Connections are open, code is compiled, caches are made: from here on, what a process keeps it keeps for pods. */
const warmUpPods = 100;

/** A small burst that does not count, then one that does. */
export async function measure(options: MeasureOptions): Promise<Measurement> {
  const { cluster, contestant, pods, names, signal } = options;
  const { pid, nodeName, runtime, ended } = contestant;
  const run = async (count: number, onRunning: () => Promise<void> = async () => {}): Promise<BurstTimes> => {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const bursting = burst({ ...options, nodeName, names: names.next(count), onRunning, signal: either });
    try {
      return await Promise.race([bursting, ended]);
    } finally {
      over.abort(new Error('the turn is over'));
      await bursting.catch(() => {});
    }
  };

  await run(warmUpPods);
  const heapBefore = await runtime?.heapAfterCollection();
  await runtime?.stallSeconds();
  const callsBefore = await callsSoFar(cluster);
  const before = await processUsage(pid);
  let rssRunningBytes = 0;
  const times = await run(pods, async () => {
    rssRunningBytes = (await processUsage(pid)).rssBytes;
  });
  const after = await processUsage(pid);
  const stallSeconds = await runtime?.stallSeconds();
  const calls = callsPerPod(callsBefore, await callsSoFar(cluster), pods);
  const heapAfter = await runtime?.heapAfterCollection();
  return {
    createdPerSecond: pods / times.createSeconds,
    runningPerSecond: pods / times.runningSeconds,
    readyP50Seconds: quantile(times.readyLatencies, 0.5),
    readyP99Seconds: quantile(times.readyLatencies, 0.99),
    deletedPerSecond: pods / times.deleteSeconds,
    rssRunningBytes,
    rssPeakBytes: after.peakRssBytes,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    apiCallsPerPod: Object.values(calls).reduce((sum, count) => sum + count, 0),
    apiCalls: calls,
    ...(stallSeconds === undefined ? {} : { longestStallSeconds: stallSeconds }),
    ...(heapBefore === undefined || heapAfter === undefined
      ? {}
      : { heapBeforeBytes: heapBefore, heapAfterBytes: heapAfter, heapGrowthRatio: heapAfter / heapBefore }),
  };
}

async function callsSoFar(cluster: Cluster): Promise<ApiCalls> {
  return apiCalls(await kubectl(cluster, ['get', '--raw', '/metrics']));
}
