import { processUsage } from '../observe/process-usage.ts';
import { quantile } from '../observe/quantile.ts';
import type { Figures } from '../report/results.ts';
import { burstOn } from './burst.ts';
import type { Scenario, Turn } from './scenario.ts';

/** Pods come in at more than this many a second. */
const slowestPodsPerSecond = 50;

export const storm: Scenario = {
  name: 'storm',
  about: 'all pods end by themselves at the same moment',
  contestants: ['spillway', 'bare'],
  pods: [5000],
  figures: [
    { key: 'endedPerSecond', label: 'seen Succeeded, pods/s', decimals: 1, goals: [{ of: 'bare', atLeast: 0.95 }] },
    { key: 'endedP50Seconds', label: 'end to Succeeded, p50, s', decimals: 2 },
    { key: 'endedP99Seconds', label: 'end to Succeeded, p99, s', decimals: 2 },
    { key: 'cpuSeconds', label: 'CPU, s', decimals: 1 },
    {
      key: 'longestStallSeconds',
      label: 'longest stall of the event loop, ms',
      factor: 1000,
      decimals: 0,
      goals: [{ atMost: 100 }],
    },
  ],
  measure,
};

async function measure(turn: Turn): Promise<Figures> {
  const { pods } = turn;
  await using contestant = await turn.start();
  const { pid } = contestant;
  await burstOn(contestant, turn, { pods: 100 });
  const seconds = 15 + Math.ceil(pods / slowestPodsPerSecond);
  const endsAt = Date.now() + seconds * 1000;
  let figures: Figures = {};
  await burstOn(contestant, turn, {
    // Both ends of it understand it: the simulated backend, and the bare contestant.
    command: () => ['sleep', String(Math.max(0, (endsAt - Date.now()) / 1000))],
    onRunning: async (view) => {
      if (Date.now() >= endsAt) throw new Error(`the pods were not Running within ${seconds} s`);
      await contestant.stallSeconds?.();
      const before = await processUsage(pid);
      const ends = performance.now() + endsAt - Date.now();
      await view.until(`${pods} pods to be Succeeded`, () => view.succeeded.size === pods);
      const latencies = Array.from(view.succeeded.values(), (at) => (at - ends) / 1000).toSorted((a, b) => a - b);
      const longestStallSeconds = await contestant.stallSeconds?.();
      figures = {
        endedPerSecond: pods / (latencies.at(-1) ?? Number.NaN),
        endedP50Seconds: quantile(latencies, 0.5),
        endedP99Seconds: quantile(latencies, 0.99),
        cpuSeconds: (await processUsage(pid)).cpuSeconds - before.cpuSeconds,
        ...(longestStallSeconds === undefined ? {} : { longestStallSeconds }),
      };
    },
  });
  return figures;
}
