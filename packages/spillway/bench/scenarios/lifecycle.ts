import type { Cluster } from '@spillway/devcluster';
import { apiCallsOf, callsPerPod } from '../observe/api-calls.ts';
import { processUsage } from '../observe/process-usage.ts';
import { quantile } from '../observe/quantile.ts';
import type { Figures } from '../report/results.ts';
import { burstOn } from './burst.ts';
import type { Scenario, Turn } from './scenario.ts';

const mebibytes = { factor: 1 / 2 ** 20, decimals: 0 };

/** Connections are open, code is compiled, caches are made: from here on, what a process keeps it keeps for pods. */
const warmUpPods = 100;

/** Pods that are bound to the node already become Ready, and are deleted. */
export const lifecycle: Scenario = {
  name: 'lifecycle',
  about: 'pods on the node become Ready and are deleted',
  contestants: ['spillway', 'bare', 'kwok'],
  pods: [5000, 10_000],
  figures: [
    {
      key: 'runningPerSecond',
      label: 'Running and Ready, pods/s',
      decimals: 1,
      goals: [
        { of: 'bare', atLeast: 0.95 },
        { of: 'kwok', atLeast: 1 },
      ],
    },
    { key: 'readyP50Seconds', label: 'creation to Ready, p50, s', decimals: 2 },
    { key: 'readyP99Seconds', label: 'creation to Ready, p99, s', decimals: 2 },
    { key: 'deletedPerSecond', label: 'deleted, pods/s', decimals: 1, goals: [{ of: 'bare', atLeast: 0.9 }] },
    { key: 'createdPerSecond', label: 'created by the generator, pods/s', decimals: 1 },
    { key: 'rssRunningBytes', label: 'memory (RSS), all Running, MiB', ...mebibytes },
    {
      key: 'rssPeakBytes',
      label: 'memory (RSS), highest, MiB',
      ...mebibytes,
      goals: [
        { pods: 5000, atMost: 300 },
        { pods: 10_000, atMost: 400 },
      ],
    },
    { key: 'cpuSeconds', label: 'CPU, s', decimals: 1 },
    { key: 'controlPlaneCpuSeconds', label: 'CPU of the control plane, s', decimals: 1 },
    { key: 'generatorCpuSeconds', label: 'CPU of the generator, s', decimals: 1 },
    { key: 'apiCallsPerPod', label: 'API calls per pod', decimals: 2, goals: [{ atMost: 3 }] },
    { key: 'apiCalls PATCH pods/status', label: '– writes of the status', decimals: 2 },
    { key: 'apiCalls DELETE pods', label: '– deletions', decimals: 2 },
    { key: 'apiCalls POST events', label: '– events', decimals: 2 },
    {
      key: 'longestStallSeconds',
      label: 'longest stall of the event loop, ms',
      decimals: 0,
      factor: 1000,
      goals: [{ pods: 5000, atMost: 100 }],
    },
    { key: 'heapBeforeBytes', label: 'heap after collection, before, MiB', ...mebibytes, decimals: 1 },
    { key: 'heapAfterBytes', label: 'heap after collection, afterwards, MiB', ...mebibytes, decimals: 1 },
  ],
  measure: measureLifecycle,
};

/** A small burst that does not count, then one that does. */
export async function measureLifecycle(turn: Turn): Promise<Figures> {
  const { pods, cluster } = turn;
  await using contestant = await turn.start();
  const { pid, inside } = contestant;
  await burstOn(contestant, turn, { pods: warmUpPods });
  const heapBeforeBytes = await inside?.heapAfterCollection();
  await contestant.stallSeconds?.();
  const callsBefore = await apiCallsOf(cluster);
  const before = await processUsage(pid);
  const controlPlaneBefore = await controlPlaneCpuSeconds(cluster);
  const generatorBefore = process.cpuUsage();
  let rssRunningBytes = 0;
  const times = await burstOn(contestant, turn, {
    onRunning: async () => {
      rssRunningBytes = (await processUsage(pid)).rssBytes;
    },
  });
  const after = await processUsage(pid);
  const generator = process.cpuUsage(generatorBefore);
  const controlPlane = (await controlPlaneCpuSeconds(cluster)) - controlPlaneBefore;
  const longestStallSeconds = await contestant.stallSeconds?.();
  const calls = callsPerPod(callsBefore, await apiCallsOf(cluster), pods);
  const heapAfterBytes = await inside?.heapAfterCollection();
  return {
    createdPerSecond: pods / times.createSeconds,
    runningPerSecond: pods / times.runningSeconds,
    readyP50Seconds: quantile(times.readyLatencies, 0.5),
    readyP99Seconds: quantile(times.readyLatencies, 0.99),
    deletedPerSecond: pods / times.deleteSeconds,
    rssRunningBytes,
    rssPeakBytes: after.peakRssBytes,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    controlPlaneCpuSeconds: controlPlane,
    generatorCpuSeconds: (generator.user + generator.system) / 1e6,
    apiCallsPerPod: Object.values(calls).reduce((sum, count) => sum + count, 0),
    ...Object.fromEntries(Object.entries(calls).map(([call, count]) => [`apiCalls ${call}`, count])),
    ...(longestStallSeconds === undefined ? {} : { longestStallSeconds }),
    ...(heapBeforeBytes === undefined ? {} : { heapBeforeBytes }),
    ...(heapAfterBytes === undefined ? {} : { heapAfterBytes }),
  };
}

async function controlPlaneCpuSeconds(cluster: Cluster): Promise<number> {
  const { components } = await cluster.status();
  const usages = components.flatMap(({ pid }) => (pid === undefined ? [] : [processUsage(pid)]));
  return (await Promise.all(usages)).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}
