import { setTimeout as sleep } from 'node:timers/promises';
import { pods as podType } from '@spillway/kube';
import { processUsage } from '../observe/process-usage.ts';
import { quantile } from '../observe/quantile.ts';
import type { Figures } from '../report/results.ts';
import { benchPod, burstOn, PodView } from './burst.ts';
import type { Scenario, Turn } from './scenario.ts';

const podsPerSecond = 20;
const lifeMs = 10_000;
const milliseconds = { factor: 1000, decimals: 0 };

export const churn: Scenario = {
  name: 'churn',
  about: `${podsPerSecond} pods are created a second, and deleted after ${lifeMs / 1000} s`,
  contestants: ['spillway', 'bare', 'kwok'],
  pods: [2400],
  figures: [
    { key: 'readyP50Seconds', label: 'creation to Ready, p50, ms', ...milliseconds },
    { key: 'readyP99Seconds', label: 'creation to Ready, p99, ms', ...milliseconds },
    { key: 'goneP50Seconds', label: 'deletion to gone, p50, ms', ...milliseconds },
    { key: 'goneP99Seconds', label: 'deletion to gone, p99, ms', ...milliseconds },
    { key: 'cpuPerPodSeconds', label: 'CPU for each pod, ms', factor: 1000, decimals: 2 },
    { key: 'rssPeakBytes', label: 'memory (RSS), highest, MiB', factor: 1 / 2 ** 20, decimals: 0 },
  ],
  measure,
};

async function measure(turn: Turn): Promise<Figures> {
  const { client, namespace, pods, signal } = turn;
  await using contestant = await turn.start();
  const { nodeName, pid, ended } = contestant;
  await burstOn(contestant, turn, { pods: 100 });
  const before = await processUsage(pid);
  const resource = client.resource(podType);
  await using view = await PodView.open(turn);
  const deleted = new Map<string, number>();
  const live = async (name: string): Promise<void> => {
    await resource.create(benchPod({ name, namespace, nodeName }), { signal });
    await sleep(lifeMs, undefined, { signal });
    deleted.set(name, performance.now());
    await resource.delete({ namespace, name }, { signal });
  };
  const began = performance.now();
  const living: Promise<void>[] = [];
  for (const [index, name] of turn.names.next(pods).entries()) {
    await sleep(Math.max(0, began + (index * 1000) / podsPerSecond - performance.now()), undefined, { signal });
    living.push(live(name));
  }
  await Promise.race([
    Promise.all([...living, view.until('all pods to be gone', () => view.gone.size === pods)]),
    ended,
  ]);
  const after = await processUsage(pid);
  const ready = latencies(view.ready, view.added);
  const gone = latencies(view.gone, deleted);
  return {
    readyP50Seconds: quantile(ready, 0.5),
    readyP99Seconds: quantile(ready, 0.99),
    goneP50Seconds: quantile(gone, 0.5),
    goneP99Seconds: quantile(gone, 0.99),
    cpuPerPodSeconds: (after.cpuSeconds - before.cpuSeconds) / pods,
    rssPeakBytes: after.peakRssBytes,
  };
}

/** In seconds, sorted. */
const latencies = (to: ReadonlyMap<string, number>, from: ReadonlyMap<string, number>): number[] =>
  Array.from(to, ([name, at]) => (at - (from.get(name) ?? at)) / 1000).toSorted((a, b) => a - b);
